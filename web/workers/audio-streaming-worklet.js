/**
 * The microphone's audio thread: whatever the context's rate, chunks of 16 kHz mono int16 for the wire.
 *
 * processorOptions
 *   chunkSize        bytes of one chunk, even (1024 bytes = 512 samples = 32 ms)
 *   chunkIntervalMs  the longest a started chunk may wait before it is sent
 *   preRollMs        how much of the sound before `start` is kept while the microphone is open
 *   waitForStart     true: nothing is sent before `start`; otherwise sending begins at once, as the guide's page expects
 *
 * In:  {type: "start"} · {type: "flush"} · {type: "discard"} · {type: "configure", chunkSize, chunkIntervalMs}
 * Out: {audioData: ArrayBuffer, peak, rms, firstSampleS, lastSampleS, preRoll}, and {flushed: true} after the rest of an
 *      utterance. peak and rms are 0 … 1; the two times are the context's clock when the samples entered this thread.
 */

import { Resampler, toInt16 } from "./resampler.js";

const WIRE_RATE = 16000;
const BYTES_PER_SAMPLE = 2;
const MAX_CHUNK_BYTES = 32768;

export class AudioStreamingProcessor extends AudioWorkletProcessor {
  constructor(options = {}) {
    super();
    const { chunkSize = 1024, chunkIntervalMs = 50, preRollMs = 300, waitForStart = false } =
      options.processorOptions ?? {};
    this.resampler = new Resampler(Math.round(sampleRate), WIRE_RATE);
    this.resampled = new Float32Array(this.resampler.capacityFor(1024));
    this.chunk = new Int16Array(MAX_CHUNK_BYTES / BYTES_PER_SAMPLE);
    this.preRoll = new Int16Array(Math.round((preRollMs * WIRE_RATE) / 1000));
    this.preRollWritten = 0;
    this.recording = !waitForStart;
    this.#beginChunk();
    this.configure({ chunkSize, chunkIntervalMs });
    this.port.onmessage = (event) => this.receive(event.data);
  }

  configure({ chunkSize, chunkIntervalMs }) {
    const bytes = Math.min(MAX_CHUNK_BYTES, Math.max(BYTES_PER_SAMPLE, chunkSize));
    this.chunkSamples = Math.floor(bytes / BYTES_PER_SAMPLE);
    this.chunkIntervalS = chunkIntervalMs / 1000;
  }

  receive(message) {
    if (message.type === "configure") this.configure(message);
    else if (message.type === "start") this.#start();
    else if (message.type === "flush") this.#flush();
    else if (message.type === "discard") this.#rest();
  }

  process(inputs) {
    const channel = inputs[0]?.[0];
    const quantumS = (channel?.length ?? 128) / sampleRate;
    const endS = currentTime + quantumS;
    if (channel) {
      const count = this.resampler.process(channel, this.resampled);
      for (let i = 0; i < count; i++) this.#take(toInt16(this.resampled[i]), endS - (count - i) / WIRE_RATE);
    }
    const waitedByNextTimeS = endS + quantumS - this.firstSampleS;
    if (this.chunkLength > 0 && waitedByNextTimeS > this.chunkIntervalS) this.#post(false);
    return true;
  }

  #take(sample, atS) {
    if (!this.recording) {
      this.preRoll[this.preRollWritten++ % this.preRoll.length] = sample;
      return;
    }
    if (this.chunkLength === 0) this.firstSampleS = atS;
    this.lastSampleS = atS;
    this.chunk[this.chunkLength++] = sample;
    const magnitude = Math.abs(sample);
    if (magnitude > this.peak) this.peak = magnitude;
    this.sumOfSquares += sample * sample;
    if (this.chunkLength >= this.chunkSamples) this.#post(false);
  }

  #start() {
    if (this.recording) return;
    this.recording = true;
    const count = Math.min(this.preRollWritten, this.preRoll.length);
    for (let i = this.preRollWritten - count; i < this.preRollWritten; i++) {
      this.chunk[this.chunkLength++] = this.preRoll[i % this.preRoll.length];
    }
    this.preRollWritten = 0;
    this.firstSampleS = currentTime - count / WIRE_RATE;
    this.lastSampleS = currentTime;
    if (count > 0) this.#post(true);
  }

  #flush() {
    if (this.chunkLength > 0) this.#post(false);
    this.#rest();
    this.port.postMessage({ flushed: true });
  }

  /** Nothing heard so far may be sent any more. */
  #rest() {
    this.recording = false;
    this.preRollWritten = 0;
    this.#beginChunk();
  }

  #post(preRoll) {
    const samples = this.chunk.slice(0, this.chunkLength);
    const message = {
      audioData: samples.buffer,
      peak: this.peak / 32768,
      rms: Math.sqrt(this.sumOfSquares / this.chunkLength) / 32768,
      firstSampleS: this.firstSampleS,
      lastSampleS: this.lastSampleS,
      preRoll,
    };
    this.port.postMessage(message, [samples.buffer]);
    this.#beginChunk();
  }

  #beginChunk() {
    this.chunkLength = 0;
    this.firstSampleS = 0;
    this.lastSampleS = 0;
    this.peak = 0;
    this.sumOfSquares = 0;
  }
}

registerProcessor("audio-streaming-processor", AudioStreamingProcessor);
