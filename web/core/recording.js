/** The utterance being recorded: from press to release, and until its last sample is on its way. */
export class Recording {
  /** From press to release. */
  isOn = false;
  /** It was released: what follows is on its way. */
  onrelease = () => {};

  #parts;
  #released = Promise.resolve(); // once the samples of the last utterance are all on their way

  constructor({ conversation, streamer, microphone, clock }) {
    this.#parts = { conversation, streamer, microphone, clock };
  }

  /** Open the microphone and listen for `turn`; alongside: what else takes its time then. False if released meanwhile. Throws what the microphone throws. */
  async start(turn, alongside) {
    const { conversation, streamer, microphone } = this.#parts;
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
