/**
 * The loudspeaker's audio thread: a reply's samples in arriving order, with patience for a stuttering network.
 *
 * In:  {type: "begin", id, sampleRate, holdMs}  a reply starts; playing begins once holdMs are here, or at `end`
 *      {type: "samples", data: ArrayBuffer}      int16 at that rate
 *      {type: "end"}                             no more will come
 *      {type: "flush"}                           be silent: the quantum after this fades out, everything else is dropped
 * Out: {type: "started" | "drained" | "flushed", id, playedSamples, underruns}
 */

import { Resampler } from "./resampler.js";

const MAX_HOLD_MS = 500;

export class PlaybackProcessor extends AudioWorkletProcessor {
  constructor() {
    super();
    this.#begin({ id: null, sampleRate, holdMs: 0 });
    this.open = false;
    this.fading = false;
    this.port.onmessage = (event) => this.receive(event.data);
  }

  receive(message) {
    if (message.type === "begin") this.#begin(message);
    else if (message.type === "samples") this.#append(message.data);
    else if (message.type === "end") this.ended = true;
    else if (message.type === "flush") this.#flush();
  }

  #begin({ id, sampleRate: sourceRate, holdMs }) {
    this.id = id;
    this.resampler = new Resampler(sourceRate, Math.round(sampleRate));
    this.queue = [];
    this.offset = 0; // samples of queue[0] already played
    this.waiting = 0; // samples in the queue not yet played
    this.holdMs = holdMs;
    this.playing = false;
    this.ended = false;
    this.open = true;
    this.playedSamples = 0;
    this.underruns = 0;
  }

  #append(data) {
    if (!this.open) return; // of a reply that was silenced
    const source = Float32Array.from(new Int16Array(data), (sample) => sample / 32768);
    const samples = new Float32Array(this.resampler.capacityFor(source.length));
    const count = this.resampler.process(source, samples);
    this.queue.push(samples.subarray(0, count));
    this.waiting += count;
  }

  #flush() {
    this.fading = this.playing;
    this.ended = true;
    this.open = false;
    if (!this.fading) this.#drop();
    this.#report("flushed");
  }

  #drop() {
    this.queue = [];
    this.offset = 0;
    this.waiting = 0;
    this.playing = false;
    this.fading = false;
  }

  process(_inputs, outputs) {
    const output = outputs[0][0];
    if (!this.playing && this.open) this.#beginPlayingWhenReady();
    if (!this.playing) return true;
    const written = this.#fill(output);
    this.playedSamples += written;
    if (this.fading) {
      for (let i = 0; i < written; i++) output[i] *= 1 - (i + 1) / written;
      this.#drop();
    } else if (written < output.length) this.#ranDry();
    return true;
  }

  #beginPlayingWhenReady() {
    const enough = this.waiting >= (this.holdMs / 1000) * sampleRate;
    if (this.waiting > 0 && (enough || this.ended)) {
      this.playing = true;
      if (this.playedSamples === 0) this.#report("started");
    } else if (this.ended) this.#finish();
  }

  #fill(output) {
    let written = 0;
    while (written < output.length && this.queue.length > 0) {
      const samples = this.queue[0];
      const count = Math.min(output.length - written, samples.length - this.offset);
      for (let i = 0; i < count; i++) output[written + i] = samples[this.offset + i];
      written += count;
      this.offset += count;
      if (this.offset === samples.length) {
        this.queue.shift();
        this.offset = 0;
      }
    }
    this.waiting -= written;
    return written;
  }

  /** The queue is empty: the reply is over, or the network stuttered and more patience is needed from here on. */
  #ranDry() {
    this.playing = false;
    if (this.ended) return this.#finish();
    this.underruns += 1;
    this.holdMs = Math.min(MAX_HOLD_MS, Math.max(40, this.holdMs * 2));
  }

  #finish() {
    this.open = false;
    this.#report("drained");
  }

  #report(type) {
    this.port.postMessage({ type, id: this.id, playedSamples: this.playedSamples, underruns: this.underruns });
  }
}

registerProcessor("playback-processor", PlaybackProcessor);
