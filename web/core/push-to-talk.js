/**
 * One button, two habits: hold it and talk, or tap to begin and tap to end.
 *
 * The first press begins at once, so that no syllable waits for the decision; it is the release that tells them apart.
 */

const HOLD_MS = 300;

export class PushToTalk {
  #pressedAtMs = null;
  #endedByPress = false; // this press ended a tapped utterance; its release means nothing

  /** isRecording: () → boolean; begin and end start and stop listening; tapped: it goes on until the next press. */
  constructor({ isRecording, begin, end, tapped, now = () => performance.now() }) {
    Object.assign(this, { isRecording, begin, end, tapped, now });
  }

  press() {
    if (this.#pressedAtMs !== null) return;
    this.#pressedAtMs = this.now();
    this.#endedByPress = this.isRecording();
    if (this.#endedByPress) this.end();
    else this.begin();
  }

  release() {
    if (this.#pressedAtMs === null) return;
    const heldMs = this.now() - this.#pressedAtMs;
    this.#pressedAtMs = null;
    if (this.#endedByPress || !this.isRecording()) return;
    if (heldMs >= HOLD_MS) this.end();
    else this.tapped();
  }

  /** A click without a press, as a screen reader makes it. */
  toggle() {
    if (this.isRecording()) return this.end();
    this.begin();
    this.tapped();
  }
}
