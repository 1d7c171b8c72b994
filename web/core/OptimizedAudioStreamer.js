/**
 * Sound in both directions over one connection: capture, transport, playback, adaptive quality, and what they measure.
 *
 * This file has no `import` and no `export`, so that it loads in both ways people use it: as a module for its side
 * effect (`import "./OptimizedAudioStreamer.js"`), and from the migration guide's <script src> without type="module".
 * Its collaborators are arguments; EnhancedVoiceAssistant.js puts them together.
 */

class OptimizedAudioStreamer {
  /** Every JSON message from the device, as an object; replace it to listen in, and call the one that was there. */
  onResponse = () => {};
  /** ("connecting" | "connected" | "reconnecting" | "disconnected", {code, reason, delayMs}) */
  onState = () => {};
  /** {peak, rms}, 0 … 1, of each chunk while recording. */
  onLevel = () => {};
  /** The first sound of the reply with this id has come. */
  onSpeech = () => {};
  /** Whether a reply with this id may sound now. */
  acceptsSpeech = () => true;

  #turn = null; // whose audio is being captured
  #speaking = null; // id of the reply that sounds or is about to
  #receiving = false; // binary messages belong to a reply that may sound
  #chunksSent = 0;
  #totalBytes = 0;
  #arrived = null; // id of the last reply of which sound has come
  #recentChunks = [];

  constructor({ connection, microphone, loudspeaker, quality, clock }) {
    Object.assign(this, { connection, microphone, loudspeaker, quality, clock });
    connection.onmessage = (message) => this.#receive(message);
    connection.onaudio = (pcm) => this.#receiving && this.#hear(pcm);
    connection.onstate = (state, details) => this.#changed(state, details);
    connection.onroundtrip = (roundTripMs) => this.#adapt(roundTripMs);
    microphone.onchunk = (chunk) => this.#sendChunk(chunk);
  }

  /** One measured round trip in ms (a promise). */
  ping() {
    return this.connection.ping();
  }

  /** {chunkSize, chunkIntervalMs, bufferSize} as used right now. */
  get inForce() {
    return this.quality.inForce;
  }

  /** The person's choice of quality; takes effect at once. */
  choose(chosen) {
    this.quality.choose(chosen);
    this.microphone.configure();
  }

  /** Capture an utterance for a turn. The microphone is open (`microphone.prepare()`). */
  startCapture(turn) {
    this.#turn = turn;
    this.microphone.start();
  }

  /** Stop capturing; resolves when the last samples are on their way. */
  async stopCapture() {
    const turn = this.#turn;
    await this.microphone.stop();
    if (this.#turn === turn) this.#turn = null;
  }

  get isSpeaking() {
    return this.#speaking !== null;
  }

  /**
   * Silence, at once and here; what still arrives of this reply is not played. id: only if this is what sounds.
   * Returns whether anything sounded.
   */
  silence(id = this.#speaking) {
    if (id !== this.#speaking) return false;
    const sounded = this.isSpeaking;
    this.#receiving = false;
    this.#speaking = null;
    if (sounded) this.loudspeaker.flush();
    return sounded;
  }

  /** The loudspeaker has played reply `id` to its end. */
  spoken(id) {
    if (id === this.#speaking) this.#speaking = null;
  }

  metrics() {
    const captureToSend = this.#recentChunks.filter((chunk) => !chunk.preRoll);
    const ages = captureToSend.map((chunk) => chunk.sentAtMs - chunk.firstSampleMs).sort((a, b) => a - b);
    const at = (share) => (ages.length === 0 ? null : Math.round(ages[Math.floor(share * (ages.length - 1))] * 10) / 10);
    return {
      chunksSent: this.#chunksSent,
      totalBytes: this.#totalBytes,
      bufferedBytes: this.connection.bufferedBytes,
      ...this.inForce,
      /** Age of a chunk's oldest sample when it was handed to the network. */
      captureToSendMs: { p50: at(0.5), p95: at(0.95), count: ages.length },
      /** The browser's own figure for the way from the microphone to the page, or null. */
      inputLatencyMs: this.microphone.inputLatencyMs,
      /** {firstSampleMs, lastSampleMs, sentAtMs, bytes, preRoll}, the times on the clock of performance.now(). */
      recentChunks: [...this.#recentChunks],
      underruns: this.loudspeaker.underruns,
    };
  }

  #sendChunk({ audioData, peak, rms, firstSampleMs, lastSampleMs, preRoll }) {
    const turn = this.#turn?.latest;
    if (!turn) return;
    if (turn.id) this.onLevel({ peak, rms });
    turn.keep(audioData, peak, lastSampleMs);
    if (!this.connection.sendAudio(audioData)) return;
    const bytes = audioData.byteLength;
    this.#chunksSent += 1;
    this.#totalBytes += bytes;
    this.#recentChunks.push({ firstSampleMs, lastSampleMs, sentAtMs: this.clock.now(), bytes, preRoll });
    if (this.#recentChunks.length > 500) this.#recentChunks.shift();
  }

  #hear(pcm) {
    if (this.#arrived !== this.#speaking) this.onSpeech((this.#arrived = this.#speaking));
    this.loudspeaker.write(pcm);
  }

  #receive(message) {
    if (message.type === "speech_start") this.#beginSpeech(message);
    if (message.type === "speech_end") this.#endSpeech(message);
    this.onResponse(message);
  }

  #beginSpeech({ id, sample_rate: sampleRate }) {
    this.#receiving = this.acceptsSpeech(id);
    if (!this.#receiving) return;
    this.#speaking = id;
    this.loudspeaker.begin(id, sampleRate, (this.inForce.bufferSize / 16000) * 1000);
  }

  #endSpeech({ id }) {
    if (id === this.#speaking) this.loudspeaker.end();
    this.#receiving = false;
  }

  #changed(state, details) {
    if (state !== "connected" && this.#receiving) {
      this.#receiving = false;
      this.loudspeaker.end(); // play what has arrived
    }
    this.onState(state, details);
  }

  #adapt(roundTripMs) {
    const { bufferedBytes } = this.connection;
    const changed = this.quality.observe({ roundTripMs, bufferedBytes, nowMs: this.clock.now() });
    if (changed) this.microphone.configure();
  }
}

globalThis.OptimizedAudioStreamer = OptimizedAudioStreamer;

// The guide's page loads this file alone, as a classic script, and expects EnhancedVoiceAssistant by DOMContentLoaded. A
// module that the parser inserts runs before that event; a script added later can only bring it as soon as it arrives.
(() => {
  const script = globalThis.document?.currentScript;
  if (!script) return;
  const assistant = new URL("EnhancedVoiceAssistant.js", script.src).href;
  if (script.async || script.defer) import(assistant);
  else document.write(`<script type="module" src="${assistant}"></script>`);
})();
