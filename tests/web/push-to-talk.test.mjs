import assert from "node:assert/strict";
import { test } from "node:test";
import { PushToTalk } from "../../web/core/push-to-talk.js";

function button() {
  const state = { recording: false, nowMs: 0, taps: 0 };
  const talk = new PushToTalk({
    isRecording: () => state.recording,
    begin: () => (state.recording = true),
    end: () => (state.recording = false),
    tapped: () => (state.taps += 1),
    now: () => state.nowMs,
  });
  const pressFor = (durationMs) => {
    talk.press();
    const during = state.recording;
    state.nowMs += durationMs;
    talk.release();
    return [during, state.recording];
  };
  return { talk, pressFor, state };
}

test("holding listens while it lasts", () => {
  const { pressFor, state } = button();
  assert.deepEqual(pressFor(800), [true, false]);
  assert.equal(state.taps, 0);
});

test("a tap begins, the next press ends", () => {
  const { pressFor, state } = button();
  assert.deepEqual(pressFor(120), [true, true]);
  assert.deepEqual(pressFor(120), [false, false]);
  assert.equal(state.taps, 1);
});

test("ending a tapped utterance with a long press does not begin another", () => {
  const { pressFor } = button();
  pressFor(100);
  assert.deepEqual(pressFor(900), [false, false]);
});

test("a key that repeats while held presses once", () => {
  const { talk, state } = button();
  talk.press();
  talk.press();
  state.nowMs = 1000;
  talk.release();
  assert.equal(state.recording, false);
});

test("a release without a press means nothing", () => {
  const { talk, state } = button();
  state.recording = true;
  talk.release();
  assert.equal(state.recording, true);
});

test("a screen reader's click toggles", () => {
  const { talk, state } = button();
  talk.toggle();
  assert.deepEqual([state.recording, state.taps], [true, 1]);
  talk.toggle();
  assert.deepEqual([state.recording, state.taps], [false, 1]);
});
