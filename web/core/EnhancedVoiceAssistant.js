/**
 * The assistant a page talks to: speak, type, interrupt, settings, measurements.
 *
 *     const assistant = new EnhancedVoiceAssistant({ wsUrl: "ws://localhost:8123" });
 *     await assistant.initialize();
 *     await assistant.startRecording(); … await assistant.stopRecording();
 */

import "./OptimizedAudioStreamer.js";
import { audioIsAllowed, loadWorkers } from "./audio-context.js";
import { advise, watchedConfig } from "./config.js";
import { Connection, SYSTEM_CLOCK } from "./connection.js";
import { Conversation } from "./conversation.js";
import { showMetrics, showReply, showState } from "./elements.js";
import { Loudspeaker } from "./loudspeaker.js";
import { measured, roundTrips } from "./measurements.js";
import { Microphone } from "./microphone.js";
import { AdaptiveQuality, OPTIMIZATION_CONFIGS } from "./quality.js";
import { Recording } from "./recording.js";
import { errorText, statusText } from "./texts.js";

const LOUDSPEAKER_PATIENCE_MS = 1000;
/** So long after a question the page listens without a press; whoever says nothing is not answered. */
const GO_ON_MS = 5000;
const BENCHMARK_PAUSE_MS = 100;
const METRICS_EVERY_MS = 1000;
const CLOSE_BUSY = 1013;
/** Messages of the device that are the page's business alone. */
const TOLD_ON = ["board", "settings", "taught"];

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
  /** (what, detail): "state" state · "turn" Turn · "level" {peak, rms} · "welcome" · "announce" · "board" · "settings" · "taught" · "microphone" {open}. */
  onchange = () => {};
  /** The device's `welcome`, once it has said it. */
  welcome = null;
  /** What went wrong last, in the person's language, or "". */
  notice = "";

  #config;
  #parts;
  #conversation;
  #recording;
  #metricsTimer = null;
  #connectionSettled = () => {};
  #wishes = null; // the last `hello` of this connection
  #follows = false;
  #isSilent = false; // the browser lets no sound out

  constructor(options = {}, makeParts = browserParts) {
    this.#config = watchedConfig(options, () => this.#configure());
    this.#parts = makeParts(() => this.#config);
    this.#parts.streamer = new globalThis.OptimizedAudioStreamer(this.#parts);
    this.#conversation = new Conversation(this.#parts);
    this.#conversation.onturn = (turn) => this.#turnChanged(turn);
    this.#conversation.onfail = (turn, code, message) => this.#failed(turn, code, message);
    this.#conversation.onremark = (code, message) => this.#remark(code, message);
    this.#recording = new Recording({ ...this.#parts, conversation: this.#conversation });
    this.#recording.onrelease = () => this.#stateChanged();
    const { streamer, microphone, loudspeaker } = this.#parts;
    streamer.onResponse = (message) => this.#receive(message);
    streamer.onState = (state, details) => this.#connectionChanged(state, details);
    streamer.onLevel = (level) => this.onchange("level", level);
    streamer.onSpeech = (id) => this.#speechArrived(id);
    streamer.acceptsSpeech = (id) => !this.#recording.isOn && loudspeaker.isOpen && this.#conversation.mayHear(id);
    microphone.onopen = () => this.onchange("microphone", { open: true });
    microphone.onmute = () => this.#remark("microphone_muted");
    microphone.onclose = ({ lost }) => this.#microphoneClosed(lost);
    loudspeaker.onstarted = ({ id }) => this.#sounds(id);
    loudspeaker.ondrained = ({ id, flushed }) => this.#sounded(id, flushed);
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
    if (this.welcome) this.#takeAdvice();
    this.#configure();
  }

  get isRecording() {
    return this.#recording.isOn;
  }

  get connectionState() {
    return this.#parts.connection.state;
  }

  get microphoneIsOpen() {
    return this.#parts.microphone.open;
  }

  /** How loud it is at the open microphone at this moment, 0 … 1. */
  get level() {
    return this.#parts.microphone.level ?? 0;
  }

  /** Whether what the device says would be heard: browsers are silent until somebody has touched the page. */
  get soundIsOpen() {
    return this.#parts.loudspeaker.isOpen ?? false;
  }

  /** "opening" | "listening" | "thinking" | "speaking" | "idle" */
  get state() {
    if (this.#recording.isOn) return this.#conversation.isOpen(this.#conversation.newest) ? "listening" : "opening";
    if (this.#conversation.isWaiting) return "thinking";
    return this.streamer.isSpeaking ? "speaking" : "idle";
  }

  /** This turn's place in the queue for a recognizer, 1 is next; null when it does not wait. */
  get waitingPlace() {
    return this.#conversation.newest?.place ?? null;
  }

  /** Nobody speaks, and the device waits whether they go on: {leftMs, ofMs} until it answers; null otherwise. */
  get endsIn() {
    const pause = this.state === "listening" ? this.#conversation.newest.pause : null;
    return pause && { leftMs: Math.max(0, pause.untilMs - this.#parts.clock.now()), ofMs: pause.ofMs };
  }

  /** How much of what was said has arrived at the device, 0 … 1, where that takes its time; null otherwise. */
  get arrivedShare() {
    return this.#conversation.newest?.arrived ?? null;
  }

  /** ms until the next attempt to connect, while one is waited for; null otherwise. */
  get retryInMs() {
    return this.#parts.connection.retryInMs;
  }

  /** Connect; true once connected, false if the first attempt failed (further ones follow by themselves). */
  initialize() {
    this.#refreshMetrics();
    if (audioIsAllowed()) loadWorkers();
    return new Promise((resolve) => {
      if (this.#parts.connection.connected) resolve(true);
      this.#connectionSettled = resolve;
      this.reconnect();
    });
  }

  /** Try to connect now instead of when the waiting is over; make sure of a connection that is there, as after a sleep. */
  reconnect() {
    this.#parts.connection.open();
  }

  /** Listen; silences a reply that is being spoken. Returns whether it listens; if not, `notice` says why. */
  async startRecording() {
    if (this.#recording.isOn) return true;
    if (this.welcome?.spoken[this.#config.language] === false) {
      this.#remark("no_recognizer");
      return false;
    }
    const turn = this.#begin("voice");
    try {
      return await this.#recording.start(turn, () => this.#openLoudspeaker());
    } catch (error) {
      this.#remark(`microphone_${error.code ?? "failed"}`, error.message);
      return false;
    }
  }

  /** Let the device end this utterance too, once nobody speaks any more: the press was a tap. */
  endBySilence() {
    this.#recording.endBySilence();
  }

  /** The reply was a question, asked for by a tap: its answer needs no press. */
  async #goOn() {
    if (!(await this.startRecording())) return;
    this.endBySilence();
    const turn = this.#conversation.newest;
    await this.#later(GO_ON_MS);
    if (turn === this.#conversation.newest && this.#recording.isOn && turn.heard === "") await this.cancelRecording();
  }

  /** The utterance is complete. Resolves when its last sample is on its way. */
  async stopRecording() {
    await this.#recording.stop();
  }

  /** Forget what was said since the press. */
  async cancelRecording() {
    await this.#recording.cancel();
  }

  /** Ask by hand; silences a reply that is being spoken. */
  async sendText(text) {
    if (this.#recording.isOn) await this.cancelRecording();
    const turn = this.#begin("text", text);
    if (this.#config.speakReplies) {
      await this.#openLoudspeaker();
      if (this.#isSilent) this.notice = errorText(this.#config.language, "no_sound");
    }
    turn.released = true;
    turn.releasedAtMs = this.#parts.clock.now();
    this.#conversation.open(turn, "text", { text, language: turn.language });
  }

  /** Be quiet. id: only if it is this reply or announcement that sounds. */
  silence(id) {
    if (!this.streamer.silence(id)) return;
    this.#parts.connection.send("interrupt");
    this.#stateChanged();
  }

  /** Be told what there is of timers and lists, from now on and after every drop: onchange "board". */
  follow() {
    this.#follows = true;
    this.#parts.connection.send("follow");
  }

  /** what: "pause", "resume", "extend", "cancel", "stop", "snooze". False without a connection. */
  changeTimer(timer, what, seconds) {
    return this.#parts.connection.send("timer", { timer, do: what, seconds });
  }

  /** what: "add" or "remove". False without a connection. */
  changeItem(list, item, what) {
    return this.#parts.connection.send("item", { list, item, do: what });
  }

  /** Be told what is chosen for this place and the device: onchange "settings", now and after every change. */
  showSettings() {
    return this.#parts.connection.send("settings");
  }

  /** Choose {volume, speed, voice, name, quiet, fetch}, any of them (docs/protocol.md, `set`). False without a connection. */
  set(choices) {
    return this.#parts.connection.send("set", choices);
  }

  /** Let what the device says on its own be heard; to be called in a press. Sounds a tone, if one is wanted. */
  async openSound({ chime = false } = {}) {
    await this.#openLoudspeaker();
    if (chime && this.state === "idle") this.#parts.loudspeaker.chime();
  }

  /** Open it without listening to anybody, as for a test. False if that is not possible; `notice` says why. */
  async openMicrophone() {
    try {
      await this.#parts.microphone.prepare();
      return true;
    } catch (error) {
      this.#remark(`microphone_${error.code ?? "failed"}`, error.message);
      return false;
    }
  }

  closeMicrophone() {
    this.#parts.microphone.close();
  }

  /** The page goes out of sight: what was said until now is asked, and nobody listens there any more. */
  async outOfSight() {
    const listened = this.#recording.isOn;
    await this.stopRecording();
    this.closeMicrophone();
    if (listened) this.#remark("microphone_hidden");
  }

  getMetrics() {
    return measured(this.#parts, this.#conversation.lastAnswered, this.#config);
  }

  /** n real round trips, one after the other: {avg, min, max, results} in ms. */
  async benchmarkLatency(n = 10) {
    return roundTrips(this.streamer, n, () => this.#later(BENCHMARK_PAUSE_MS));
  }

  #begin(kind, text) {
    this.silence();
    this.notice = "";
    this.#recording.isOn = kind === "voice";
    const turn = this.#conversation.begin(kind, this.#config.language, text);
    this.#stateChanged();
    return turn;
  }

  /** Opening it tells the rate to speak at, which the device must know before the next question. Never throws. */
  async #openLoudspeaker() {
    const { loudspeaker } = this.#parts;
    const opened = loudspeaker.open().catch((error) => console.warn(`no sound: ${error.message}`));
    // Without a gesture a browser waits for one, and Firefox for a sound output: that once, not before each question.
    if (!this.#isSilent) await Promise.race([opened, this.#later(LOUDSPEAKER_PATIENCE_MS)]);
    this.#isSilent = audioIsAllowed() && !loudspeaker.isOpen;
    this.#hello();
  }

  /** Tell the device what this page wants, if that is news. */
  #hello() {
    const { loudspeaker, connection } = this.#parts;
    const { language, speakReplies } = this.#config;
    const reply_rate = loudspeaker.replyRate ?? undefined;
    const wishes = { language, speak: speakReplies && audioIsAllowed(), reply_rate };
    if (JSON.stringify(wishes) === this.#wishes) return;
    // The session is what the device remembers of this page; it answers with the one in force.
    const session = this.welcome?.session;
    if (connection.send("hello", { ...wishes, session })) this.#wishes = JSON.stringify(wishes);
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
      if (this.#follows) this.follow();
      this.#conversation.connected();
    } else if (state === "reconnecting") this.#conversation.dropped();
    else if (state === "disconnected") this.#conversation.lost();
    this.notice = code === CLOSE_BUSY ? errorText(this.#config.language, "busy") : "";
    if (state !== "connecting") this.#connectionSettled(state === "connected");
    this.#stateChanged();
  }

  #receive(message) {
    this.#conversation.receive(message);
    if (message.type === "welcome") {
      this.welcome = message;
      this.#takeAdvice();
      if (message.volume !== undefined) this.#setVolume(message.volume);
      this.onchange("welcome", message);
    } else if (message.type === "endpoint" && message.id === this.#conversation.newest?.id) {
      const { reason, setting = "", silence_ms: silenceMs = 0 } = message;
      this.#conversation.newest.ended = { reason, setting, silenceMs };
      if (reason === "limit") this.stopRecording();
      else this.#recording.linger();
    } else if (message.type === "listening" && message.continues) {
      if (this.#recording.goesOn(message.id)) this.streamer.silence();
    } else if (message.type === "volume") {
      this.#setVolume(message.percent);
    } else if (message.type === "language") {
      this.#config.language = message.language;
      this.onchange("language", message);
    } else if (message.type === "announce") {
      showReply(this.ui, message.text);
      this.onchange("announce", message);
    } else if (TOLD_ON.includes(message.type)) {
      this.onchange(message.type, message);
    }
    this.#stateChanged();
  }

  #takeAdvice() {
    if (this.welcome.chunk_size !== undefined) advise(this.#config, this.welcome.chunk_size);
  }

  #setVolume(percent) {
    this.#parts.loudspeaker.volume = Math.min(100, Math.max(0, percent)) / 100;
  }

  #failed(turn, code, message) {
    if (turn === this.#conversation.newest) this.#recording.fail();
    turn.reply = errorText(this.#config.language, code, message);
    this.#turnChanged(turn);
  }

  #remark(code, message) {
    if (code === "audio_too_long") this.stopRecording();
    this.notice = errorText(this.#config.language, code, message);
    this.#stateChanged();
  }

  #microphoneClosed(lost) {
    if (lost) {
      this.stopRecording();
      this.#remark("microphone_lost");
    }
    this.onchange("microphone", { open: false });
  }

  #speechArrived(id) {
    const { lastAnswered } = this.#conversation;
    if (lastAnswered?.id === id) lastAnswered.arrivedAtMs ??= this.#parts.clock.now();
  }

  #sounds(id) {
    const { lastAnswered } = this.#conversation;
    if (lastAnswered?.id === id && lastAnswered.firstAudioAtMs === null) {
      lastAnswered.firstAudioAtMs = this.#parts.clock.now();
      lastAnswered.outputMs = this.#parts.loudspeaker.outputMs ?? 0;
      this.onchange("turn", lastAnswered);
    }
    this.#stateChanged();
  }

  #sounded(id, flushed = false) {
    this.streamer.spoken(id);
    this.#stateChanged();
    const turn = this.#conversation.newest;
    if (turn?.id === id && !flushed && turn.asks && turn.endpoint === "auto" && this.state === "idle") this.#goOn();
  }

  #turnChanged(turn) {
    if (turn === this.#conversation.newest && turn.reply) showReply(this.ui, turn.reply);
    this.onchange("turn", turn);
    this.#stateChanged();
  }

  #stateChanged() {
    const status = statusText(this.#config.language, this);
    showState(this.ui, { status, recording: this.#recording.isOn });
    this.onchange("state", this.state);
  }

  #later(delayMs) {
    return new Promise((resolve) => this.#parts.clock.setTimeout(resolve, delayMs));
  }

  /** Once a second from `initialize` on. */
  #refreshMetrics() {
    const { clock } = this.#parts;
    clock.clearTimeout(this.#metricsTimer);
    this.#metricsTimer = clock.setTimeout(() => this.#refreshMetrics(), METRICS_EVERY_MS);
    showMetrics(this.ui, this.getMetrics());
    if (this.retryInMs !== null) this.#stateChanged();
  }
}

globalThis.EnhancedVoiceAssistant = EnhancedVoiceAssistant;
globalThis.OPTIMIZATION_CONFIGS = OPTIMIZATION_CONFIGS;
