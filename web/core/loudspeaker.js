/**
 * The loudspeaker: one reply at a time, silent within one render quantum when told.
 */

import { audioIsAllowed, openContext, wake } from "./audio-context.js";
import { REPLY_RATES_HZ } from "./protocol.js";

const GAIN_SETTLES_S = 0.02;
/** [frequency, seconds after the beginning] */
const CHIME = [[880, 0], [1174.7, 0.18], [880, 0.6], [1174.7, 0.78]];

export class Loudspeaker {
  /** {id, playedSamples, underruns, flushed}: a reply's first sample sounds; its last one has sounded, or it was silenced. */
  onstarted = () => {};
  ondrained = () => {};
  underruns = 0;

  #opening = null;
  #node = null;
  #gain = null;
  #context = null;
  #volume = 1;

  /** The rate to ask replies at; null until `open` was called. */
  get replyRate() {
    return this.#context && Math.min(REPLY_RATES_HZ[1], Math.round(this.#context.sampleRate));
  }

  /** Whether sound comes out: `open` was called in a press, and nothing put it to sleep since. */
  get isOpen() {
    return this.#context?.state === "running";
  }

  /** What the browser says about the way from this page to the ear, in ms. */
  get outputMs() {
    return 1000 * (this.#context?.outputLatency || this.#context?.baseLatency || 0);
  }

  /** To be called in a press, click or key: browsers allow sound only then. */
  async open() {
    if (!audioIsAllowed()) return;
    this.#opening ??= this.#open();
    await this.#opening;
    await wake(this.#context);
  }

  async #open() {
    const context = await openContext("playback-worklet.js", "interactive");
    this.#node = new AudioWorkletNode(context, "playback-processor", { numberOfInputs: 0, outputChannelCount: [1] });
    this.#gain = new GainNode(context, { gain: this.#volume });
    this.#node.connect(this.#gain).connect(context.destination);
    this.#node.port.onmessage = (event) => this.#receive(event.data);
    this.#context = context;
  }

  /** Two tones, as of a small bell. Nothing before `open`. */
  chime() {
    if (this.#context?.state !== "running") return;
    const now = this.#context.currentTime;
    for (const [hz, atS] of CHIME) {
      const tone = new OscillatorNode(this.#context, { frequency: hz });
      const envelope = new GainNode(this.#context, { gain: 0 });
      envelope.gain.setValueAtTime(0, now + atS);
      envelope.gain.linearRampToValueAtTime(0.3, now + atS + 0.01);
      envelope.gain.exponentialRampToValueAtTime(0.001, now + atS + 0.5);
      tone.connect(envelope).connect(this.#gain);
      tone.start(now + atS);
      tone.stop(now + atS + 0.5);
    }
  }

  /** 0 … 1 */
  set volume(volume) {
    this.#volume = volume;
    this.#gain?.gain.setTargetAtTime(volume, this.#context.currentTime, GAIN_SETTLES_S);
  }

  get volume() {
    return this.#volume;
  }

  begin(id, sampleRate, holdMs) {
    this.#node?.port.postMessage({ type: "begin", id, sampleRate, holdMs });
  }

  /** int16 samples of the current reply; takes the buffer over. */
  write(pcm) {
    this.#node?.port.postMessage({ type: "samples", data: pcm }, [pcm]);
  }

  end() {
    this.#node?.port.postMessage({ type: "end" });
  }

  flush() {
    this.#node?.port.postMessage({ type: "flush" });
  }

  #receive({ type, ...report }) {
    if (type === "started") return this.onstarted(report);
    this.underruns += report.underruns;
    this.ondrained({ ...report, flushed: type === "flushed" });
  }
}
