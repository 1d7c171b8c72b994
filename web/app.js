/**
 * The page: puts the assistant and the views together. What the first look and the first press do not need comes right
 * after them (page/rest.js).
 */

import { EnhancedVoiceAssistant } from "./core/EnhancedVoiceAssistant.js";
import { MAX_TEXT_LENGTH } from "./core/protocol.js";
import { LONG_WAIT_MS, TEXTS } from "./core/texts.js";
import { ConversationView } from "./page/conversation.js";
import { localise, savedSettings, saveSettings } from "./page/preferences.js";
import { bindTalkButton } from "./page/talk-button.js";
import { versionIn } from "./page/version.js";

const TICK_MS = 2000;
const SLEPT_MS = 10000;
const element = (id) => document.getElementById(id);
const wsUrl = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`;

const assistant = new EnhancedVoiceAssistant({ ...savedSettings(), wsUrl, maxReconnectAttempts: Infinity });
const language = () => assistant.config.language;
const texts = () => TEXTS[language()];
const conversation = new ConversationView({
  list: element("history"), scroller: element("conversation"), welcome: element("welcome"), texts, correct });

/** Take back what the last turn changed, and ask what was meant. */
async function correct(turn, text) {
  if (turn.canBeUndone) await assistant.sendText(TEXTS[turn.language].undo);
  await assistant.sendText(text);
}

// The rest of the page. What happens until it is here is told to it then.
let rest = null;
let coming = null;
const missed = [];
const tellRest = (what, detail) => (rest ? rest.happened(what, detail) : missed.push([what, detail]));

/** What page/rest.js brings, loaded once. */
function loadRest() {
  coming ??= import("./page/rest.js").then(({ bindRest }) => {
    rest = bindRest({ assistant, conversation, inUse: { language, texts }, version: versionIn(import.meta.url) });
    for (const [what, detail] of missed.splice(0)) rest.happened(what, detail);
    return rest;
  });
  return coming;
}

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
  if (document.documentElement.lang !== language()) localise(language()); // the page comes in English
  const examples = texts().examples.map((example) => {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: example });
    button.addEventListener("click", () => assistant.sendText(example));
    const item = document.createElement("li");
    item.append(button);
    return item;
  });
  element("examples").replaceChildren(...examples);
  for (const button of document.querySelectorAll("[data-language]")) {
    button.setAttribute("aria-pressed", String(button.dataset.language === language()));
  }
  conversation.relabel();
  showState();
}

/** How long the device will wait for more, as a ring that runs out (style.css). */
function showWait() {
  const wait = assistant.endsIn;
  const isLong = wait !== null && wait.ofMs >= LONG_WAIT_MS;
  if (isLong && document.body.dataset.wait === undefined) {
    element("voiceBtn").style.setProperty("--waited", `${Math.round(wait.leftMs - wait.ofMs)}ms`);
  }
  if (isLong) element("voiceBtn").style.setProperty("--wait", `${Math.round(wait.ofMs)}ms`);
  if (isLong) document.body.dataset.wait = "";
  else delete document.body.dataset.wait;
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
  element("connectionText").textContent = texts().connection[connectionState];
  element("retryRow").hidden = connectionState !== "disconnected";
  element("silence").hidden = state !== "speaking";
  showWait();
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
  conversation.showTurn(turn);
  if (turn.finalAtMs !== null) tell("transcript", `${texts().you}: ${turn.heard}`);
}

const show = {
  state: showState,
  turn: showTurn,
  announce: (message) => conversation.showAnnouncement(message),
  microphone: showMicrophone,
  language: () => {
    saveSettings(assistant.config);
    showLanguage();
  },
};

assistant.onchange = (what, detail) => {
  show[what]?.(detail);
  tellRest(what, detail);
};
assistant.ui.statusElement = element("statusText");
assistant.ui.responseElement = element("response");
assistant.ui.recordButton = element("voiceBtn");
assistant.ui.metricsElement = element("metricsDisplay");

bindTalkButton(element("voiceBtn"), assistant);
element("textInput").maxLength = MAX_TEXT_LENGTH;
element("typed").addEventListener("submit", (event) => {
  event.preventDefault();
  sendText();
});
element("silence").addEventListener("click", () => assistant.silence());
element("closeMicrophone").addEventListener("click", () => assistant.closeMicrophone());
element("retry").addEventListener("click", () => assistant.reconnect());
element("openSettings").addEventListener("click", async () => (await loadRest()).openSettings());
for (const button of document.querySelectorAll("[data-language]")) {
  button.addEventListener("click", () => {
    assistant.config.language = button.dataset.language;
    saveSettings(assistant.config);
    showLanguage();
    tellRest("language");
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
assistant.initialize().then(() => {
  performance.mark("connected");
  // Served by the device, the page keeps itself for when the device is away; where browsers allow that.
  if (versionIn(import.meta.url)) navigator.serviceWorker?.register("/service-worker.js").catch((error) => console.info(error.message));
});
(globalThis.requestIdleCallback ?? setTimeout)(loadRest); // Safari has no idle callbacks
