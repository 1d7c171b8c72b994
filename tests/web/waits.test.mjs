import assert from "node:assert/strict";
import { test } from "node:test";
import { Turn } from "../../web/core/turn.js";
import { waits } from "../../web/core/waits.js";

const TIMINGS = { recognition_ms: 40, understanding_ms: 2, skill_ms: 1, first_audio_ms: 60, synthesis_ms: 300 };

/** Spoken until 1000, let go at 1200; the answer's first sample is heard at 1420. */
function spoken(changes = {}) {
  const turn = new Turn({ id: "1", kind: "voice", language: "en" });
  turn.keep(new ArrayBuffer(1024), 0.5, 968);
  turn.keep(new ArrayBuffer(1024), 0.3, 1000);
  turn.keep(new ArrayBuffer(1024), 0.02, 1150);
  turn.understood({ text: "hello", timings: {} }, 1300);
  turn.answered({ text: "Hi.", timings: {} }, 1310);
  return Object.assign(turn, { releasedAtMs: 1200, stopSentAtMs: 1220, arrivedAtMs: 1375, firstAudioAtMs: 1400, outputMs: 20, timings: TIMINGS, ...changes });
}

const sum = ({ parts }) => Math.round(parts.reduce((all, { ms }) => all + ms, 0) * 10) / 10;
const part = (found, name) => found.parts.find((one) => one.name === name);

test("the parts add up to what the person waited, from the last loud chunk to the first sample heard", () => {
  const found = waits(spoken());
  assert.equal(found.totalMs, 420);
  assert.equal(sum(found), 420);
  assert.equal(part(found, "pause").ms, 200);
  assert.equal(part(found, "gather").ms, 20);
  assert.equal(part(found, "network").ms, 52, "what nobody measured");
  assert.deepEqual(part(found, "hold"), { name: "hold", ms: 25, setting: "bufferSize" });
  assert.equal(part(found, "synthesis_ms"), undefined, "nobody waits for the rest of the speech");
});

test("a wait for more words names the device's setting, and the way to it belongs to the network", () => {
  const found = waits(spoken({ ended: { reason: "complete", setting: "endpoint.complete_s", silenceMs: 240 }, releasedAtMs: 1280 }));
  assert.deepEqual(part(found, "silence"), { name: "silence", ms: 240, setting: "endpoint.complete_s" });
  assert.equal(sum(found), found.totalMs);
});

test("clocks that disagree by a little leave no part below zero, and the sum stays", () => {
  const found = waits(spoken({ stopSentAtMs: 1290 }));
  assert.ok(found.parts.every(({ ms }) => ms >= 0));
  assert.equal(sum(found), found.totalMs);
});

test("a typed question begins with the press of the key; a reply without sound ends when it is shown", () => {
  const turn = new Turn({ id: "2", kind: "text", language: "en", text: "hello" });
  turn.releasedAtMs = 100;
  assert.equal(waits(turn), null, "not answered yet");
  turn.answered({ text: "Hi.", timings: { understanding_ms: 2, skill_ms: 1 } }, 110);
  assert.deepEqual(waits(turn).totalMs, 10);
  assert.equal(part(waits(turn), "network").ms, 7);
});

test("who stood in the queue is told which setting that comes from", () => {
  const turn = spoken();
  turn.place = 2;
  turn.partial({ text: "hello" });
  assert.equal(part(waits(turn), "recognition_ms").setting, "STT_WORKERS");
});
