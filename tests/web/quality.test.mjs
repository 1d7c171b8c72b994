import assert from "node:assert/strict";
import { test } from "node:test";
import { AdaptiveQuality, OPTIMIZATION_CONFIGS, presetName } from "../../web/core/quality.js";

const { ultraLow, balanced, stable } = OPTIMIZATION_CONFIGS;

/** Look at the network once a second; returns the preset in force after each look. */
function watch(quality, roundTripsMs, bufferedBytes = () => 0) {
  watch.nowMs ??= 0;
  return roundTripsMs.map((roundTripMs, n) => {
    quality.observe({ roundTripMs, bufferedBytes: bufferedBytes(n), nowMs: (watch.nowMs += 1000) });
    return presetName(quality.inForce);
  });
}

const repeat = (count, value) => new Array(count).fill(value);

test("the presets are the migration guide's", () => {
  assert.deepEqual(Object.values(OPTIMIZATION_CONFIGS).map(Object.values), [[512, 25, 256], [1024, 50, 512], [2048, 100, 1024]]);
});

test("what the person chose is in force on a fast network", () => {
  assert.deepEqual(watch(new AdaptiveQuality(balanced), repeat(30, 5)), repeat(30, "balanced"));
});

test("two slow round trips in a row lead to the next steadier preset", () => {
  assert.deepEqual(watch(new AdaptiveQuality(balanced), [200, 20, 200, 200, 200]), ["balanced", "balanced", "balanced", "stable", "stable"]);
});

test("ultraLow steps through balanced to stable", () => {
  assert.deepEqual(watch(new AdaptiveQuality(ultraLow), repeat(4, 400)), ["ultraLow", "balanced", "balanced", "stable"]);
});

test("it comes back after ten good seconds, not before", () => {
  const quality = new AdaptiveQuality(balanced);
  watch(quality, repeat(2, 300));
  const presets = watch(quality, repeat(12, 20));
  assert.deepEqual(presets, [...repeat(10, "stable"), ...repeat(2, "balanced")]);
});

test("a round trip between the two thresholds changes nothing in either direction", () => {
  const quality = new AdaptiveQuality(balanced);
  assert.deepEqual(watch(quality, repeat(20, 120)), repeat(20, "balanced"));
  watch(quality, repeat(2, 300));
  assert.deepEqual(watch(quality, repeat(20, 120)), repeat(20, "stable"));
});

test("one slow round trip starts the good seconds anew", () => {
  const quality = new AdaptiveQuality(balanced);
  watch(quality, repeat(2, 300));
  assert.ok(watch(quality, [...repeat(8, 20), 300, ...repeat(9, 20)]).every((preset) => preset === "stable"));
});

test("a send buffer that keeps growing counts as slow, however quick the round trips", () => {
  assert.equal(watch(new AdaptiveQuality(balanced), repeat(2, 5), (n) => 6000 * (n + 1)).at(-1), "stable");
});

test("a send buffer that is being emptied does not", () => {
  assert.equal(watch(new AdaptiveQuality(balanced), repeat(3, 5), (n) => 5000 - n * 2000).at(-1), "balanced");
});

test("without adaptive quality the choice stays whatever happens", () => {
  const quality = new AdaptiveQuality({ ...balanced, adaptiveQuality: false });
  assert.deepEqual(watch(quality, repeat(10, 1000)), repeat(10, "balanced"));
});

test("a new choice is in force at once", () => {
  const quality = new AdaptiveQuality(balanced);
  watch(quality, repeat(2, 300));
  quality.choose(ultraLow);
  assert.deepEqual(quality.inForce, ultraLow);
});

test("values of one's own have steadier presets above them", () => {
  const quality = new AdaptiveQuality({ chunkSize: 1500, chunkIntervalMs: 60, bufferSize: 512 });
  assert.equal(presetName(quality.inForce), "custom");
  assert.deepEqual(watch(quality, repeat(2, 300)).at(-1), "stable");
  assert.deepEqual(quality.inForce, stable);
});
