/**
 * The microphone: opened by the first press, kept open for a while so that the next words are caught from their first
 * syllable, closed when nobody has spoken for a minute or the page goes out of sight.
 */

import { audioIsAllowed, openContext, wakeOrFail } from "./audio-context.js";

const CLOSE_AFTER_MS = 60000;
const FLUSH_TIMEOUT_MS = 500;
/** Up to this chunk size the sound card's shortest blocks are worth their cost. */
const SHORT_CHUNK_BYTES = 512;

/** Why the microphone cannot be used. `code`: "insecure" | "denied" | "missing" | "in_use" | "no_output" | "failed". */
export class MicrophoneError extends Error {
  constructor(code, cause) {
    super(`the microphone cannot be used: ${code}${cause ? ` (${cause.name}: ${cause.message})` : ""}`, { cause });
    this.name = "MicrophoneError";
    this.code = code;
  }
}

const CODES = {
  NotAllowedError: "denied",
  SecurityError: "denied",
  NotFoundError: "missing",
  OverconstrainedError: "missing",
  NotReadableError: "in_use",
  AbortError: "in_use",
  TimeoutError: "no_output",
};

async function requestStream() {
  // Echo cancellation makes barge-in possible. The other two are for ears: they change what a recognizer hears.
  const audio = { channelCount: 1, echoCancellation: true, noiseSuppression: false, autoGainControl: false };
  try {
    return await navigator.mediaDevices.getUserMedia({ audio });
  } catch (error) {
    throw new MicrophoneError(CODES[error.name] ?? "failed", error);
  }
}

function stopTracks(stream) {
  for (const track of stream.getTracks()) {
    track.onended = track.onmute = null;
    track.stop();
  }
}

export class Microphone {
  /** {audioData, peak, rms, firstSampleMs, lastSampleMs, preRoll}; times on the clock of performance.now(). */
  onchunk = () => {};
  /** The microphone opened or closed; `lost` when it was unplugged or taken away. */
  onopen = () => {};
  onclose = ({ lost }) => lost;
  /** The system or a switch at the headset lets nothing through. */
  onmute = () => {};

  #opening = null;
  #stream = null;
  #context = null;
  #latencyHint = null;
  #node = null;
  #meter = null;
  #moment = new Float32Array(512);
  #recording = false;
  #flushed = () => {};
  #closeTimer = null;
  #clockOffsetMs = Infinity; // performance.now() − context time: the least delay seen

  /** quality: () → {chunkSize, chunkIntervalMs} in force. */
  constructor({ quality }) {
    this.quality = quality;
  }

  get open() {
    return this.#stream !== null;
  }

  /** How loud it is at this moment: rms of the last 10 ms, 0 … 1; 0 while it is closed. */
  get level() {
    if (!this.open) return 0;
    this.#meter.getFloatTimeDomainData(this.#moment);
    return Math.sqrt(this.#moment.reduce((sum, sample) => sum + sample * sample, 0) / this.#moment.length);
  }

  /** What the browser says about the way from the microphone to this page, in ms; null where it says nothing. */
  get inputLatencyMs() {
    return this.#stream?.getAudioTracks()[0].stats?.averageLatency ?? null;
  }

  /** Open the microphone if it is closed. Throws MicrophoneError. */
  async prepare() {
    if (!this.open) await (this.#opening ??= this.#open().finally(() => (this.#opening = null)));
    if (!this.#recording) this.#closeWhenIdle();
  }

  /** Send what was said in the last 300 ms and everything from now on. `prepare` first. */
  start() {
    clearTimeout(this.#closeTimer);
    this.#recording = true;
    this.#node.port.postMessage({ type: "start" });
  }

  /** Stop sending; resolves when the last samples have gone through `onchunk`. */
  async stop() {
    if (!this.#recording) return;
    this.#recording = false;
    const timeout = new Promise((resolve) => setTimeout(resolve, FLUSH_TIMEOUT_MS));
    const flushed = new Promise((resolve) => (this.#flushed = resolve));
    this.#node?.port.postMessage({ type: "flush" });
    await Promise.race([flushed, timeout]);
    if (this.open && !this.#recording) this.#closeWhenIdle();
  }

  /** The quality in force has changed. */
  configure() {
    this.#node?.port.postMessage({ type: "configure", ...this.quality() });
    if (this.#latencyHint !== this.#wantedLatencyHint && !this.#recording) this.close(); // the next press opens it anew
  }

  get #wantedLatencyHint() {
    return this.quality().chunkSize <= SHORT_CHUNK_BYTES ? 0 : "interactive";
  }

  close({ lost = false } = {}) {
    clearTimeout(this.#closeTimer);
    if (!this.open) return;
    this.#letGo();
    this.#recording = false;
    this.#flushed();
    this.onclose({ lost });
  }

  #letGo() {
    this.#node.port.onmessage = null;
    this.#context.close();
    stopTracks(this.#stream);
    this.#stream = this.#node = this.#meter = this.#context = null;
  }

  /** It was unplugged, or a headset changed over: in mid-sentence, whatever microphone there is now goes on, at its own rate. */
  async #changeOver() {
    if (!this.#recording) return this.close({ lost: true });
    this.#letGo();
    try {
      await this.prepare();
      if (this.#recording) this.start();
    } catch {
      this.#recording = false;
      this.#flushed();
      this.onclose({ lost: true });
    }
  }

  #closeWhenIdle() {
    clearTimeout(this.#closeTimer);
    this.#closeTimer = setTimeout(() => this.close(), CLOSE_AFTER_MS);
  }

  async #open() {
    if (!audioIsAllowed() || !navigator.mediaDevices) throw new MicrophoneError("insecure");
    const stream = await requestStream();
    try {
      this.#latencyHint = this.#wantedLatencyHint;
      this.#context = await openContext("audio-streaming-worklet.js", this.#latencyHint);
      await wakeOrFail(this.#context);
      this.#connect(stream);
    } catch (error) {
      stopTracks(stream);
      this.#context?.close();
      this.#context = null;
      throw new MicrophoneError(CODES[error.name] ?? "failed", error);
    }
    this.onopen();
  }

  #connect(stream) {
    this.#node = new AudioWorkletNode(this.#context, "audio-streaming-processor", {
      numberOfOutputs: 0,
      channelCount: 1,
      channelCountMode: "explicit",
      processorOptions: { ...this.quality(), waitForStart: true },
    });
    this.#clockOffsetMs = Infinity;
    this.#node.port.onmessage = (event) => this.#receive(event.data);
    this.#meter = new AnalyserNode(this.#context, { fftSize: 512 });
    const source = this.#context.createMediaStreamSource(stream);
    source.connect(this.#node);
    source.connect(this.#meter);
    for (const track of stream.getTracks()) {
      track.onended = () => this.#changeOver();
      track.onmute = () => this.onmute(); // a switch at the headset, or another call
    }
    this.#stream = stream;
  }

  #receive(message) {
    if (message.flushed) return this.#flushed();
    const { firstSampleS, lastSampleS, ...chunk } = message;
    this.#clockOffsetMs = Math.min(this.#clockOffsetMs, performance.now() - lastSampleS * 1000);
    this.onchunk({
      ...chunk,
      firstSampleMs: firstSampleS * 1000 + this.#clockOffsetMs,
      lastSampleMs: lastSampleS * 1000 + this.#clockOffsetMs,
    });
  }
}
