/**
 * The page: puts the assistant and the views together.
 */

import { EnhancedVoiceAssistant } from "./core/EnhancedVoiceAssistant.js";
import { BoardView } from "./page/board.js";
import { ConversationView } from "./page/conversation.js";
import { LastTurns } from "./page/last-turns.js";
import { localise, savedSettings, saveSettings } from "./page/preferences.js";
import { bindOverlay } from "./page/overlay.js";
import { Renewal, versionIn } from "./page/renewal.js";
import { RingingView } from "./page/ringing.js";
import { bindSettings } from "./page/settings.js";
import { bindChoices } from "./page/choices.js";
import { bindWall } from "./page/wall.js";
import { bindTalkButton } from "./page/talk-button.js";
import { MAX_TEXT_LENGTH } from "./core/protocol.js";
import { TEXTS } from "./core/texts.js";

const TICK_MS = 2000;
const SLEPT_MS = 10000;
const element = (id) => document.getElementById(id);
const wsUrl = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`;

const assistant = new EnhancedVoiceAssistant({ ...savedSettings(), wsUrl, maxReconnectAttempts: Infinity });
/** Take back what the last turn changed, and ask what was meant. */
async function correct(turn, text) {
  if (turn.canBeUndone) await assistant.sendText(TEXTS[turn.language].undo);
  await assistant.sendText(text);
}

const conversation = new ConversationView({
  correct,
  list: element("history"),
  scroller: element("conversation"),
  welcome: element("welcome"),
  texts: () => TEXTS[assistant.config.language],
});

const inUse = { language: () => assistant.config.language, texts: () => TEXTS[assistant.config.language] };
const board = new BoardView({
  section: element("board"), timers: element("timers"), lists: element("lists"), assistant, ...inUse });
const ringing = new RingingView({ list: element("ringing"), assistant, ...inUse });

const toggleRecording = () => (assistant.isRecording ? assistant.stopRecording() : assistant.startRecording());

async function sendText() {
  const input = element("textInput");
  const text = input.value.trim();
  input.value = "";
  if (text) await assistant.sendText(text);
}

/** n round trips, printed to the console and returned as {avg, min, max, results}. */
async function benchmarkLatency(iterations = 10) {
  const result = await assistant.benchmarkLatency(iterations);
  console.info(`${iterations} round trips: ${result.avg} ms on average, ${result.min} to ${result.max} ms`);
  return result;
}

function showLanguage() {
  const { language } = assistant.config;
  localise(language);
  const examples = TEXTS[language].examples.map((example) => {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: example });
    button.addEventListener("click", () => assistant.sendText(example));
    const item = document.createElement("li");
    item.append(button);
    return item;
  });
  element("examples").replaceChildren(...examples);
  for (const button of document.querySelectorAll("[data-language]")) {
    button.setAttribute("aria-pressed", String(button.dataset.language === language));
  }
  conversation.relabel();
  board.relabel();
  ringing.relabel();
  choices.relabel();
  showDevice();
  showState();
}

function showDevice() {
  const { welcome, config } = assistant;
  if (!welcome) return;
  const texts = TEXTS[config.language];
  element("device").textContent = `${texts.device}: ${texts.deviceText(welcome)}`;
}

/** The meter follows the microphone from frame to frame, whatever the size of the chunks. */
function showLevel() {
  if (assistant.state !== "listening") return;
  element("voiceBtn").style.setProperty("--level", Math.min(1, assistant.level * 6).toFixed(3));
  requestAnimationFrame(showLevel);
}

function showState() {
  const { connectionState, state } = assistant;
  if (state === "listening" && document.body.dataset.state !== state) requestAnimationFrame(showLevel);
  document.body.dataset.state = state;
  element("connection").dataset.state = connectionState;
  element("connectionText").textContent = TEXTS[assistant.config.language].connection[connectionState];
  element("retryRow").hidden = connectionState !== "disconnected";
  element("silence").hidden = state !== "speaking";
  const inTrouble = connectionState !== "connected" || assistant.notice !== "";
  element("statusText").classList.toggle("trouble", inTrouble);
  tell("trouble", inTrouble ? element("statusText").textContent : "");
}

function showMicrophone({ open }) {
  document.body.dataset.microphone = open ? "open" : "closed";
  if (open && document.hidden) assistant.closeMicrophone(); // the page went out of sight while it was opening
}

/** Put words where a screen reader reads them aloud, once. */
function tell(id, text) {
  if (element(id).textContent !== text) element(id).textContent = text;
}

function showTurn(turn) {
  lastTurns.happened(turn);
  conversation.showTurn(turn);
  if (turn.finalAtMs !== null) tell("transcript", `${TEXTS[assistant.config.language].you}: ${turn.heard}`);
}

element("textInput").maxLength = MAX_TEXT_LENGTH;

const renewal = new Renewal({
  mine: versionIn(import.meta.url),
  isBusy: () => isInUse() || assistant.connectionState !== "connected",
  reload: () => {
    conversation.save();
    location.reload();
  },
});

function showWelcome(welcome) {
  showDevice();
  renewal.offered(welcome.page_version);
}

function showBoard(message) {
  board.show(message);
  ringing.show(message);
  if (ringing.isRinging) wall.happened();
}

const show = {
  state: showState,
  turn: showTurn,
  announce: (message) => conversation.showAnnouncement(message),
  welcome: showWelcome,
  board: showBoard,
  settings: (message) => choices.show(message),
  microphone: showMicrophone,
  language: () => {
    saveSettings(assistant.config);
    showLanguage();
  },
};

assistant.onchange = (what, detail) => {
  show[what]?.(detail);
  if (what === "turn" || what === "announce" || (what === "state" && detail !== "idle")) {
    renewal.happened();
    wall.happened();
  }
};
assistant.ui.statusElement = element("statusText");
assistant.ui.responseElement = element("response");
assistant.ui.recordButton = element("voiceBtn");
assistant.ui.metricsElement = element("metricsDisplay");

bindTalkButton(element("voiceBtn"), assistant);
const lastTurns = new LastTurns();
async function copyReport() {
  const report = lastTurns.report(assistant, versionIn(import.meta.url));
  try {
    await navigator.clipboard.writeText(report);
    return true;
  } catch {
    console.info(report);
    return false; // no clipboard on pages without HTTPS
  }
}
const overlay = bindOverlay(element("performanceMetrics"), assistant, {
  lastTurns, openSettings: (part) => settings.show(part), report: copyReport });
const isInUse = () =>
  assistant.state !== "idle" || element("settings").open || element("textInput").value !== "" || ringing.isRinging;
const wall = bindWall(element("clockFace"), {
  isBusy: isInUse, inUse, upcoming: () => board.upcoming,
  away: () => (assistant.connectionState === "connected" ? "" : element("statusText").textContent) });
const settings = bindSettings(element("settings"), { assistant, overlay, wall });

const choices = bindChoices(element("settings"), { assistant, texts: inUse.texts });

element("typed").addEventListener("submit", (event) => {
  event.preventDefault();
  sendText();
});
element("silence").addEventListener("click", () => assistant.silence());
element("closeMicrophone").addEventListener("click", () => assistant.closeMicrophone());
element("retry").addEventListener("click", () => assistant.reconnect());
for (const button of document.querySelectorAll("[data-language]")) {
  button.addEventListener("click", () => {
    assistant.config.language = button.dataset.language;
    saveSettings(assistant.config);
    showLanguage();
  });
}
document.addEventListener("visibilitychange", () => (document.hidden ? assistant.outOfSight() : assistant.reconnect()));
for (const type of ["pointerdown", "keydown"]) {
  addEventListener(type, () => assistant.openSound(), { once: true }); // or what rings could not be heard
}
for (const type of ["online", "pageshow"]) addEventListener(type, () => assistant.reconnect());
navigator.connection?.addEventListener("change", () => assistant.reconnect());

// A tick that comes late tells of a sleep: what was connected before probably is no more.
let tickedAtMs = Date.now();
setInterval(() => {
  if (Date.now() - tickedAtMs > SLEPT_MS) assistant.reconnect();
  tickedAtMs = Date.now();
}, TICK_MS);

// The migration guide's names, for the console.
Object.assign(globalThis, { voiceAssistant: assistant, toggleRecording, sendText, benchmarkLatency });
showLanguage();
conversation.restore();
assistant.follow();
performance.mark("interactive");
await assistant.initialize();
performance.mark("connected");
// Served by the device, the page keeps itself for when the device is away; where browsers allow that.
if (versionIn(import.meta.url)) navigator.serviceWorker?.register("/service-worker.js").catch((error) => console.info(error.message));
