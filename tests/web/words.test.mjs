import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { advise } from "../../web/core/advice.js";
import { TEXTS, errorText, statusText } from "../../web/core/texts.js";

const page = readFileSync(new URL("../../web/index.html", import.meta.url), "utf8");

function shape(value, path = "") {
  if (typeof value !== "object") return [`${path}: ${typeof value}`];
  return Object.entries(value).flatMap(([key, inner]) => shape(inner, `${path}.${key}`));
}

test("English and German say the same things", () => assert.deepEqual(shape(TEXTS.en), shape(TEXTS.de)));

test("no text is empty", () => {
  const texts = (value) => (typeof value === "object" ? Object.values(value).flatMap(texts) : [value]);
  for (const text of texts(TEXTS)) assert.ok(typeof text === "function" || text.trim().length > 0);
});

test("every word the page names exists", () => {
  const named = [...page.matchAll(/data-(?:text|label|placeholder)="(\w+)"/g)].map(([, key]) => key);
  assert.ok(named.length > 20);
  for (const key of named) assert.equal(typeof TEXTS.en[key], key === "examples" ? "object" : "string", key);
});

test("the migration guide's elements are on the page, each once", () => {
  const ids = ["statusText", "response", "voiceBtn", "metricsDisplay", "textInput", "performanceMetrics", "perfStatus",
    "perfLatency", "perfChunks", "perfBytes"];
  for (const id of ids) assert.equal(page.split(`id="${id}"`).length, 2, id);
});

test("the page has no script or style of its own inside and loads nothing from elsewhere", () => {
  assert.doesNotMatch(page, /<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)|(?:src|href)="(?:https?:)?\/\//);
});

test("an error the page does not know is shown in the device's words", () => {
  assert.equal(errorText("de", "brand_new", "Der Toaster brennt."), "Der Toaster brennt.");
  assert.equal(errorText("de", "no_voice", "x"), TEXTS.de.errors.no_voice);
});

test("the status names what is going on, in the order of its importance", () => {
  const idle = { connectionState: "connected", state: "idle", notice: "", waitingPlace: null };
  assert.equal(statusText("en", idle), "Ready");
  assert.equal(statusText("en", { ...idle, notice: "No microphone." }), "No microphone.");
  assert.equal(statusText("en", { ...idle, state: "thinking", waitingPlace: 3 }), TEXTS.en.status.queued(3));
  assert.equal(statusText("de", { ...idle, state: "listening", waitingPlace: 0 }), TEXTS.de.status.outOfReach);
  assert.equal(statusText("en", { ...idle, state: "thinking", arrivedShare: 0.404 }), "Slow network: sending what you said, 40 %");
  assert.equal(statusText("en", { ...idle, state: "listening", endsIn: { leftMs: 900, ofMs: 1200 } }), TEXTS.en.status.pausing);
  assert.equal(statusText("en", { ...idle, state: "listening", endsIn: { leftMs: 100, ofMs: 200 } }), "Listening", "that is over before it is read");
  assert.equal(statusText("de", { ...idle, connectionState: "reconnecting" }), TEXTS.de.status.reconnecting);
  assert.equal(statusText("de", { ...idle, connectionState: "reconnecting", state: "listening" }), "Ich höre zu");
});

const healthy = {
  connected: true,
  latency: { p50: 5, p95: 40, count: 10 },
  audio: { bufferedBytes: 0, chunkSize: 1024, underruns: 0, preset: "balanced", chosenPreset: "balanced", captureToSendMs: { p95: 40 } },
  lastTurn: { kind: "voice", peak: 0.3, stages: { recognition_ms: 30, first_audio_ms: 80 } },
};
const advised = (changes) => advise({ ...healthy, ...changes });

test("a healthy conversation needs no change", () => assert.equal(advised({}), "fine"));
test("before the first turn nothing is wrong either", () => assert.equal(advised({ lastTurn: null }), "fine"));

for (const [expected, changes] of [
  ["disconnected", { connected: false }],
  ["slowNetwork", { latency: { p50: 200, p95: 300, count: 10 } }],
  ["congested", { audio: { ...healthy.audio, bufferedBytes: 20000 } }],
  ["stutter", { audio: { ...healthy.audio, underruns: 4 } }],
  ["busyRecognizers", { lastTurn: { ...healthy.lastTurn, stages: { recognition_ms: 2000 } } }],
  ["slowVoice", { lastTurn: { ...healthy.lastTurn, stages: { recognition_ms: 30, first_audio_ms: 2000 } } }],
  ["quiet", { lastTurn: { ...healthy.lastTurn, peak: 0.01 } }],
  ["slowCapture", { audio: { ...healthy.audio, captureToSendMs: { p95: 120 } } }],
  ["canBeFaster", { latency: { p50: 2, p95: 4, count: 10 }, audio: { ...healthy.audio, chosenPreset: "stable" } }],
]) {
  test(`measurements that lead to the advice "${expected}"`, () => {
    assert.equal(advised(changes), expected);
    assert.ok(TEXTS.de.advice[expected]);
  });
}
