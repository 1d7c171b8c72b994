import { Turn } from "./turn.js";

/** So long sound goes on after the device has ended an utterance: a second, and what it took to learn of the end. */
const LINGERS_MS = 1100;

/** The utterance being recorded: from press to release, and until its last sample is on its way. */
export class Recording {
  /** From press to release. */
  isOn = false;
  /** It was released: what follows is on its way. */
  onrelease = () => {};

  #parts;
  #after = null; // what would be said now, after the device has ended what was said
  #patience = null;
  #released = Promise.resolve(); // once the samples of the last utterance are all on their way

  constructor({ conversation, streamer, microphone, clock }) {
    this.#parts = { conversation, streamer, microphone, clock };
  }

  /** Open the microphone and listen for `turn`; alongside: what else takes its time then. False if released meanwhile. Throws what the microphone throws. */
  async start(turn, alongside) {
    const { conversation, streamer, microphone } = this.#parts;
    this.#leave();
    try {
      await this.#released;
      if (!microphone.open) await Promise.all([microphone.prepare(), alongside()]);
    } catch (error) {
      this.isOn = false;
      throw error;
    }
    if (turn !== conversation.newest || !this.isOn) return false;
    conversation.open(turn, "start", turn.startFields);
    streamer.startCapture(turn);
    return true;
  }

  /** Let the device end it too. */
  endBySilence() {
    if (!this.isOn) return;
    const { conversation } = this.#parts;
    conversation.newest.endpoint = "auto";
    conversation.send(conversation.newest, "start", conversation.newest.startFields); // the same start again changes only that
  }

  /** It is complete. Resolves when its last sample is on its way. */
  async stop() {
    if (!this.isOn) return;
    const { conversation, clock } = this.#parts;
    const turn = conversation.newest;
    turn.releasedAtMs = clock.now();
    await this.#end(() => {
      turn.released = true;
      turn.stopSentAtMs = clock.now();
      conversation.send(turn, "stop");
    }, this.onrelease);
  }

  /** The device has ended it. Its sound goes on for a moment, in case that was too early. */
  linger() {
    if (!this.isOn) return;
    const { conversation, clock } = this.#parts;
    const turn = conversation.newest;
    turn.releasedAtMs = turn.stopSentAtMs = clock.now();
    turn.released = true;
    this.isOn = false;
    this.onrelease();
    conversation.send(turn, "stop");
    this.#after = turn.after = new Turn({ id: null, kind: "voice", language: turn.language });
    this.#after.endpoint = "auto";
    this.#patience = clock.setTimeout(() => this.#leave(), LINGERS_MS);
  }

  /** It was too early: the device listens again, to a turn that it calls `id`. Whether that is so here. */
  goesOn(id) {
    if (!this.#after) return false;
    const { conversation, clock } = this.#parts;
    clock.clearTimeout(this.#patience);
    conversation.adopt(this.#after, id);
    this.#after = null;
    this.isOn = true;
    return true;
  }

  #leave() {
    if (!this.#after) return;
    this.#parts.clock.clearTimeout(this.#patience);
    this.#after = null;
    this.#released = this.#parts.streamer.stopCapture();
  }

  /** Forget it. */
  async cancel() {
    if (!this.isOn) return;
    const { conversation } = this.#parts;
    const turn = conversation.newest;
    await this.#end(() => conversation.cancel(turn));
  }

  /** The device will not answer it. */
  fail() {
    if (this.isOn) this.#end(() => {});
  }

  #end(then, released = () => {}) {
    this.isOn = false;
    released();
    this.#released = this.#parts.streamer.stopCapture().then(then);
    return this.#released;
  }
}
