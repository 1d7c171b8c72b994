import assert from "node:assert/strict";
import { test } from "node:test";
import { Idle } from "../../web/page/idle.js";
import { FakeClock } from "./fakes.mjs";

function watched({ afterMs = 60000 } = {}) {
  const clock = new FakeClock();
  const seen = [];
  const state = { busy: false, afterMs };
  const idle = new Idle({ afterMs: () => state.afterMs, isBusy: () => state.busy, onchange: (isIdle) => seen.push(isIdle), clock });
  idle.happened();
  return { clock, seen, state, idle };
}

test("nobody there for a minute is noticed, once, and so is who comes back", async () => {
  const { clock, seen, idle } = watched();
  await clock.pass(59000);
  idle.happened();
  await clock.pass(59000);
  assert.deepEqual(seen, []);
  await clock.pass(200000);
  assert.deepEqual(seen, [true]);
  idle.happened();
  assert.deepEqual(seen, [true, false]);
});

test("while something goes on it is not idle", async () => {
  const { clock, seen, state } = watched();
  state.busy = true;
  await clock.pass(200000);
  assert.deepEqual(seen, []);
  state.busy = false;
  await clock.pass(60000);
  assert.deepEqual(seen, [true]);
});

test("where it is switched off it never is, and switching it off ends it", async () => {
  const { clock, seen, state, idle } = watched({ afterMs: null });
  await clock.pass(1e6);
  assert.deepEqual(seen, []);
  state.afterMs = 1000;
  idle.happened();
  await clock.pass(1000);
  state.afterMs = null;
  idle.happened();
  await clock.pass(1e6);
  assert.deepEqual(seen, [true, false]);
});
