/**
 * One turn: what was asked, by voice or by hand, and how far the answer is. It keeps the utterance's audio until the
 * answer is here, so that it can be said again after a short drop. The device knows the turn by its id and its sound, and
 * does not do twice what it asks.
 */

import { WIRE_RATE_HZ, pieces } from "./protocol.js";

/** How long a turn waits for the connection to come back. */
export const PATIENCE_MS = 10000;
/** Quieter than this share of the loudest sample (−20 dB) nobody speaks. */
const SPOKEN_SHARE = 0.1;

export class Turn {
  heard = "";
  reply = "";
  /** "open" until the device has answered, then "answered", "failed" or "cancelled". */
  outcome = "open";
  released = false;
  /** Who decides when the utterance is over; undefined leaves it to the client, "auto" to the device too. */
  endpoint = undefined;
  truncated = false;
  /** In the queue for a recognizer, 1 is next; null when not waiting. */
  place = null;
  /** How much of what was said has arrived, 0 … 1, once that is waited for; null before. */
  arrived = null;
  /** Nobody speaks, and the device waits whether they go on: {ofMs, untilMs}; null otherwise. */
  pause = null;
  /** The loudest sample, 0 … 1. */
  peak = 0;
  /** Stage → ms, as the device measured. */
  timings = {};
  processingTimeMs = null;
  releasedAtMs = null;
  finalAtMs = null;
  answeredAtMs = null;
  firstAudioAtMs = null;
  /** When the last of it was spoken: of the chunks that were not silence; once it was answered. */
  spokenUntilMs = null;
  /** When the last of what was said was handed to the network, and the first of the reply's sound came from it. */
  stopSentAtMs = null;
  arrivedAtMs = null;
  /** What the browser says about the way from this page to the ear. */
  outputMs = 0;
  /** {reason, setting, silenceMs} if the device ended the utterance; null if the person did. */
  ended = null;
  /** The turn of what is said after the device has ended this one; null while nobody listens for that. */
  after = null;
  /** It stood in the queue for a recognizer. */
  waited = false;

  /** The intent's name, what it means in words ("" where there are none), its plain values; whether "undo" takes it back. */
  intent = "";
  meant = "";
  values = {};
  canBeUndone = false;
  /** The reply is a question. */
  asks = false;
  /** How much was said. */
  audioBytes = 0;

  #audio = [];
  #peaks = []; // [peak, when its last sample was spoken] of each chunk

  constructor({ id, kind, language, text = "" }) {
    Object.assign(this, { id, kind, language, text });
    if (kind === "text") this.heard = text;
  }

  /** Keep a chunk (ArrayBuffer) in case it has to be sent again; peak: 0 … 1; atMs: when its last sample was spoken. */
  keep(pcm, peak, atMs) {
    this.#audio.push(pcm);
    this.audioBytes += pcm.byteLength;
    this.#peaks.push([peak, atMs]);
    this.peak = Math.max(this.peak, peak);
  }

  #spokenUntilMs() {
    return this.#peaks.findLast(([peak]) => peak >= this.peak * SPOKEN_SHARE)?.[1] ?? null;
  }

  get audioMs() {
    return (this.audioBytes / 2 / WIRE_RATE_HZ) * 1000;
  }

  /** So much sound has arrived, in seconds; of interest when all was said and not all is there. */
  received({ audio_s: audioS }) {
    if (this.released && this.audioMs > 0) this.arrived = Math.min(1, (audioS * 1000) / this.audioMs);
  }

  /** Nobody speaks any more, or somebody does again. */
  paused({ silence_ms: silenceMs, of_ms: ofMs }, nowMs) {
    this.pause = ofMs > 0 ? { ofMs, untilMs: nowMs + ofMs - silenceMs } : null;
  }

  /** The transcript so far. */
  partial({ text }) {
    this.waited ||= this.place !== null;
    this.place = null;
    this.heard = text;
  }

  /** The transcript is here. */
  understood(final, nowMs) {
    this.place = this.pause = null;
    this.arrived = null;
    this.heard = final.text;
    this.truncated = final.truncated === true;
    this.finalAtMs = nowMs;
    this.measured(final);
  }

  answered(answer, nowMs) {
    this.heard = answer.heard ?? this.heard;
    this.reply = answer.text;
    this.answeredAtMs = nowMs;
    this.intent = answer.intent ?? "";
    this.meant = answer.meant ?? "";
    this.values = answer.values ?? {};
    this.canBeUndone = answer.can_be_undone === true;
    this.asks = answer.asks === true;
    this.spokenUntilMs = this.#spokenUntilMs();
    this.measured(answer);
  }

  /** It is over: what was kept to say it again is needed no more. */
  close(outcome) {
    this.outcome = outcome;
    this.#audio = [];
    this.#peaks = [];
  }

  /** Take over the times a message carries. */
  measured({ processing_time_ms: processingTimeMs, timings }) {
    this.processingTimeMs = processingTimeMs ?? this.processingTimeMs;
    this.timings = timings ?? this.timings;
  }

  /** Whose sound comes now: this turn's, or what is said after it. */
  get latest() {
    return this.after?.latest ?? this;
  }

  get startFields() {
    return { language: this.language, sample_rate: WIRE_RATE_HZ, endpoint: this.endpoint, lingers: true };
  }

  /** Say everything so far to a fresh connection. */
  sendAgain(connection) {
    const { id } = this;
    if (this.kind === "text") {
      connection.send("text", { id, text: this.text, language: this.language });
      return;
    }
    connection.send("start", { id, ...this.startFields });
    for (const pcm of this.#audio) for (const piece of pieces(pcm)) connection.sendAudio(piece);
    if (this.released) connection.send("stop", { id });
  }

  /** What the page measured, in ms from the end of the question; null where it did not come to that. */
  get latenciesMs() {
    const since = (atMs) => (atMs === null || this.releasedAtMs === null ? null : atMs - this.releasedAtMs);
    return {
      final: since(this.finalAtMs),
      answer: since(this.answeredAtMs),
      firstAudio: since(this.firstAudioAtMs),
    };
  }
}
