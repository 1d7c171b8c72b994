/**
 * The assistant a page talks to: speak, type, interrupt, settings, measurements.
 *
 *     const assistant = new EnhancedVoiceAssistant({ wsUrl: "ws://localhost:8123" });
 *     await assistant.initialize();
 *     await assistant.startRecording(); … await assistant.stopRecording();
 */

import "./OptimizedAudioStreamer.js";
import { audioIsAllowed } from "./audio-context.js";
import { watchedConfig } from "./config.js";
import { Connection, SYSTEM_CLOCK } from "./connection.js";
import { Loudspeaker } from "./loudspeaker.js";
import { Microphone } from "./microphone.js";
import { OpenTurns } from "./open-turns.js";
import { WIRE_RATE_HZ } from "./protocol.js";
import { AdaptiveQuality, OPTIMIZATION_CONFIGS, presetName } from "./quality.js";
import { RollingStatistics, tenth } from "./statistics.js";
import { errorText, statusText } from "./texts.js";
import { Turn } from "./turn.js";

const LOUDSPEAKER_PATIENCE_MS = 1000;
const BENCHMARK_PAUSE_MS = 100;
const METRICS_EVERY_MS = 1000;
const CLOSE_BUSY = 1013;

/** The parts a browser has. A test passes its own. */
function browserParts(config) {
  const connection = new Connection({ url: config().wsUrl, maxAttempts: () => config().maxReconnectAttempts });
  const quality = new AdaptiveQuality(config());
  const loudspeaker = new Loudspeaker();
  const microphone = new Microphone({ quality: () => quality.inForce });
  return { connection, quality, loudspeaker, microphone, clock: SYSTEM_CLOCK };
}

export class EnhancedVoiceAssistant {
  /** Elements the assistant keeps up to date, each optional. */
  ui = { statusElement: null, responseElement: null, recordButton: null, metricsElement: null };
  /** (what, detail): "state" state · "turn" Turn · "level" {peak, rms} · "welcome" · "announce" · "microphone" {open}. */
  onchange = () => {};
  /** The device's `welcome`, once it has said it. */
  welcome = null;
  /** What went wrong last, in the person's language, or "". */
  notice = "";

  #config;
  #parts;
  #turns;
  #newest = null;
  #lastAnswered = null;
  #announced = null; // id of the latest announcement
  #recording = false; // from press to release
  #session = Math.random().toString(36).slice(2, 8);
  #turnNumber = 0;
  #metricsTimer = null;
  #connectionSettled = () => {};
  #wishes = null; // the last `hello` of this connection

  constructor(options = {}, makeParts = browserParts) {
    this.#config = watchedConfig(options, () => this.#configure());
    this.#parts = makeParts(() => this.#config);
    this.#parts.streamer = new globalThis.OptimizedAudioStreamer(this.#parts);
    this.#turns = new OpenTurns(this.#parts);
    this.#turns.onfail = (turn, code, message) => this.#failed(turn, code, message);
    const { streamer, microphone, loudspeaker } = this.#parts;
    streamer.onResponse = (message) => this.#receive(message);
    streamer.onState = (state, details) => this.#connectionChanged(state, details);
    streamer.onLevel = (level) => this.onchange("level", level);
    streamer.acceptsSpeech = (id) => !this.#recording && [this.#newest?.id, this.#announced].includes(id);
    microphone.onopen = () => this.onchange("microphone", { open: true });
    microphone.onclose = ({ lost }) => this.#microphoneClosed(lost);
    loudspeaker.onstarted = ({ id }) => this.#sounds(id);
    loudspeaker.ondrained = ({ id }) => this.#sounded(id);
    streamer.choose(this.#config);
  }

  get streamer() {
    return this.#parts.streamer;
  }

  /** Live settings: assigning to a key, Object.assign and replacing the whole take effect at once. */
  get config() {
    return this.#config;
  }

  set config(settings) {
    this.#config = watchedConfig(settings, () => this.#configure());
    this.#configure();
  }

  get isRecording() {
    return this.#recording;
  }

  get connectionState() {
    return this.#parts.connection.state;
  }

  get microphoneIsOpen() {
    return this.#parts.microphone.open;
  }

  /** "opening" | "listening" | "thinking" | "speaking" | "idle" */
  get state() {
    if (this.#recording) return this.#turns.get(this.#newest.id) ? "listening" : "opening";
    if (this.#turns.size > 0) return "thinking";
    return this.streamer.isSpeaking ? "speaking" : "idle";
  }

  /** This turn's place in the queue for a recognizer, 1 is next; null when it does not wait. */
  get waitingPlace() {
    return this.#newest?.place ?? null;
  }

  /** Connect; true once connected, false if the first attempt failed (further ones follow by themselves). */
  initialize() {
    this.#showMetrics();
    return new Promise((resolve) => {
      if (this.#parts.connection.connected) resolve(true);
      this.#connectionSettled = resolve;
      this.reconnect();
    });
  }

  /** Try to connect now instead of when the waiting is over. */
  reconnect() {
    this.#parts.connection.open();
  }

  /** Listen; silences a reply that is being spoken. Returns whether it listens; if not, `notice` says why. */
  async startRecording() {
    if (this.#recording) return true;
    this.silence();
    this.notice = "";
    this.#recording = true;
    const turn = this.#beginTurn("voice");
    try {
      if (!this.microphoneIsOpen) await Promise.all([this.#parts.microphone.prepare(), this.#openLoudspeaker()]);
    } catch (error) {
      this.#recording = false;
      this.#say(errorText(this.#config.language, `microphone_${error.code ?? "failed"}`, error.message));
      return false;
    }
    if (turn !== this.#newest || !this.#recording) return false; // released while the microphone was opening
    this.#turns.add(turn);
    this.#turns.send(turn, "start", { language: turn.language, sample_rate: WIRE_RATE_HZ });
    this.streamer.startCapture(turn);
    this.#turnChanged(turn);
    return true;
  }

  /** The utterance is complete. Resolves when its last sample is on its way. */
  async stopRecording() {
    if (!this.#recording) return;
    const turn = this.#newest;
    this.#recording = false;
    turn.releasedAtMs = this.#parts.clock.now();
    this.#stateChanged();
    await this.streamer.stopCapture();
    turn.released = true;
    if (this.#turns.get(turn.id)) this.#turns.send(turn, "stop");
  }

  /** Forget what was said since the press. */
  async cancelRecording() {
    if (!this.#recording) return;
    const turn = this.#newest;
    this.#recording = false;
    await this.streamer.stopCapture();
    if (this.#turns.get(turn.id)) this.#turns.send(turn, "cancel");
    this.#turns.close(turn, "cancelled");
    this.#turnChanged(turn);
  }

  /** Ask by hand; silences a reply that is being spoken. */
  async sendText(text) {
    if (this.#recording) await this.cancelRecording();
    this.silence();
    this.notice = "";
    const turn = this.#beginTurn("text", text);
    turn.released = true;
    if (this.#config.speakReplies) await this.#openLoudspeaker();
    turn.releasedAtMs = this.#parts.clock.now();
    this.#turns.add(turn);
    this.#turns.send(turn, "text", { text, language: turn.language });
    this.#turnChanged(turn);
  }

  /** Be quiet. */
  silence() {
    if (!this.streamer.silence()) return;
    this.#parts.connection.send("interrupt");
    this.#stateChanged();
  }

  closeMicrophone() {
    this.#parts.microphone.close();
  }

  getMetrics() {
    const { connection } = this.#parts;
    const audio = this.streamer.metrics();
    const last = this.#lastAnswered;
    return {
      connected: connection.connected,
      state: connection.state,
      reconnects: connection.reconnects,
      latency: connection.roundTrips.summary(),
      audio: { ...audio, preset: presetName(audio), chosenPreset: presetName(this.#config) },
      lastTurn: last && {
        id: last.id,
        kind: last.kind,
        peak: last.peak,
        processingTimeMs: last.processingTimeMs,
        stages: { ...last.timings },
        pageMs: last.latenciesMs,
      },
    };
  }

  /** n real round trips, one after the other: {avg, min, max, results} in ms. */
  async benchmarkLatency(n = 10) {
    const statistics = new RollingStatistics(n);
    for (let i = 0; i < n; i++) {
      if (i > 0) await this.#later(BENCHMARK_PAUSE_MS);
      statistics.add(await this.streamer.ping());
    }
    const { average: avg, min, max } = statistics.summary();
    return { avg, min, max, results: statistics.values.map(tenth) };
  }

  #beginTurn(kind, text) {
    const id = `${this.#session}-${++this.#turnNumber}`;
    this.#newest = new Turn({ id, kind, text, language: this.#config.language });
    this.#stateChanged();
    return this.#newest;
  }

  /** Opening it tells the rate to speak at, which the device must know before the next question. Never throws. */
  async #openLoudspeaker() {
    const opened = this.#parts.loudspeaker.open().catch((error) => console.warn(`no sound: ${error.message}`));
    await Promise.race([opened, this.#later(LOUDSPEAKER_PATIENCE_MS)]); // without a gesture a browser waits for one
    this.#hello();
  }

  /** Tell the device what this page wants, if that is news. */
  #hello() {
    const { loudspeaker, connection } = this.#parts;
    const { language, speakReplies } = this.#config;
    const reply_rate = loudspeaker.replyRate ?? undefined;
    const wishes = { language, speak: speakReplies && audioIsAllowed(), reply_rate };
    if (JSON.stringify(wishes) === this.#wishes) return;
    if (connection.send("hello", wishes)) this.#wishes = JSON.stringify(wishes);
  }

  #configure() {
    const { connection, streamer } = this.#parts;
    streamer.choose(this.#config);
    if (connection.url !== this.#config.wsUrl) {
      connection.url = this.#config.wsUrl;
      connection.close();
      connection.open();
    } else this.#hello();
    this.#stateChanged();
  }

  #connectionChanged(state, { code }) {
    if (state === "connected") {
      this.#wishes = null;
      this.#hello();
      this.#turns.connected();
    } else if (state === "reconnecting") this.#turns.dropped();
    else if (state === "disconnected") this.#turns.failAll("connection_lost");
    this.notice = code === CLOSE_BUSY ? errorText(this.#config.language, "busy") : "";
    if (state !== "connecting") this.#connectionSettled(state === "connected");
    this.#stateChanged();
  }

  #receive(message) {
    const turn = this.#turns.get(message.id);
    if (turn) this.#turns.stopWaiting();
    this.#handlers[message.type]?.(message, turn);
    if (turn) this.#turnChanged(turn);
    else this.#stateChanged();
  }

  #handlers = {
    welcome: (message) => {
      this.welcome = message;
      this.onchange("welcome", message);
    },
    queued: ({ place }, turn) => turn && (turn.place = place),
    partial: (message, turn) => turn?.partial(message),
    final: (message, turn) => turn?.understood(message, this.#parts.clock.now()),
    answer: (message, turn) => turn && this.#answered(message, turn),
    speech_end: (message) => message.id === this.#lastAnswered?.id && this.#lastAnswered.measured(message),
    volume: ({ percent }) => (this.#parts.loudspeaker.volume = Math.min(100, Math.max(0, percent)) / 100),
    announce: (message) => {
      this.#announced = message.id;
      this.#showReply(message.text);
      this.onchange("announce", message);
    },
    error: (message, turn) => this.#refused(message, turn),
  };

  #answered(message, turn) {
    turn.answered(message, this.#parts.clock.now());
    this.#turns.close(turn, "answered");
    this.#lastAnswered = turn;
    if (turn === this.#newest) this.#showReply(turn.reply);
  }

  /** Some errors end a turn, some only want to be known. */
  #refused({ code, message }, turn) {
    if (code === "already_started") return;
    if (turn && !["audio_too_long", "no_voice"].includes(code)) {
      this.#turns.fail(turn, code, message);
      return;
    }
    if (code === "audio_too_long") this.stopRecording();
    this.#say(errorText(this.#config.language, code, message));
  }

  #failed(turn, code, message) {
    if (turn === this.#newest && this.#recording) {
      this.#recording = false;
      this.streamer.stopCapture();
    }
    turn.reply = errorText(this.#config.language, code, message);
    this.#showReply(turn.reply);
    this.#turnChanged(turn);
  }

  #microphoneClosed(lost) {
    if (lost) {
      this.stopRecording();
      this.notice = errorText(this.#config.language, "microphone_lost");
    }
    this.onchange("microphone", { open: false });
    this.#stateChanged();
  }

  #sounds(id) {
    if (this.#lastAnswered?.id === id) this.#lastAnswered.firstAudioAtMs ??= this.#parts.clock.now();
    this.#stateChanged();
  }

  #sounded(id) {
    this.streamer.spoken(id);
    this.#stateChanged();
  }

  #say(notice) {
    this.notice = notice;
    this.#stateChanged();
  }

  #showReply(text) {
    if (this.ui.responseElement) this.ui.responseElement.textContent = text;
  }

  #turnChanged(turn) {
    this.onchange("turn", turn);
    this.#stateChanged();
  }

  #stateChanged() {
    const { statusElement, recordButton } = this.ui;
    const status = statusText(this.#config.language, this);
    if (statusElement && statusElement.textContent !== status) statusElement.textContent = status;
    recordButton?.setAttribute("aria-pressed", String(this.#recording));
    recordButton?.classList.toggle("recording", this.#recording);
    this.onchange("state", this.state);
  }

  #later(delayMs) {
    return new Promise((resolve) => this.#parts.clock.setTimeout(resolve, delayMs));
  }

  /** Once a second from `initialize` on. */
  #showMetrics() {
    this.#parts.clock.clearTimeout(this.#metricsTimer);
    this.#metricsTimer = this.#parts.clock.setTimeout(() => this.#showMetrics(), METRICS_EVERY_MS);
    if (!this.ui.metricsElement) return;
    const { latency, audio } = this.getMetrics();
    const roundTrip = latency.average === null ? "–" : `${latency.average} ms`;
    this.ui.metricsElement.textContent = `${roundTrip} · ${audio.chunkSize} B / ${audio.chunkIntervalMs} ms`;
  }
}

globalThis.EnhancedVoiceAssistant = EnhancedVoiceAssistant;
globalThis.OPTIMIZATION_CONFIGS = OPTIMIZATION_CONFIGS;
