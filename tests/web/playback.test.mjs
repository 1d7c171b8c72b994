import assert from "node:assert/strict";
import { test } from "node:test";
import { takePosted, workletScope } from "./worklet-scope.mjs";

const registered = workletScope(48000);
await import("../../web/workers/playback-worklet.js");
const Processor = registered.get("playback-processor");

function played(processor, quanta) {
  const output = [];
  for (let i = 0; i < quanta; i++) {
    const channel = new Float32Array(128);
    processor.process([], [[channel]]);
    output.push(...channel);
  }
  return output;
}

const counting = (count, first = 1) => Int16Array.from({ length: count }, (_, n) => first + n).buffer;
const values = (count, first = 1) => Array.from({ length: count }, (_, n) => (first + n) / 32768);

function speaking({ samples = 0, holdMs = 0 } = {}) {
  const processor = new Processor();
  processor.receive({ type: "begin", id: "7", sampleRate: 48000, holdMs });
  if (samples) processor.receive({ type: "samples", data: counting(samples) });
  return processor;
}

test("samples sound in order across messages of any size", () => {
  const processor = speaking({ samples: 100 });
  processor.receive({ type: "samples", data: counting(300, 101) });
  assert.deepEqual(played(processor, 3), values(384));
});

test("nothing sounds until holdMs have arrived", () => {
  const processor = speaking({ samples: 400, holdMs: 10 });
  assert.deepEqual(played(processor, 2), new Array(256).fill(0));
  processor.receive({ type: "samples", data: counting(100, 401) });
  assert.deepEqual(played(processor, 1), values(128));
});

test("a reply shorter than holdMs sounds as soon as it is complete", () => {
  const processor = speaking({ samples: 100, holdMs: 500 });
  played(processor, 1);
  processor.receive({ type: "end" });
  assert.deepEqual(played(processor, 1).slice(0, 100), values(100));
});

test("the first sample and the end are reported once, with how much was heard", () => {
  const processor = speaking({ samples: 200 });
  processor.receive({ type: "end" });
  played(processor, 5);
  assert.deepEqual(takePosted(processor), [
    { type: "started", id: "7", playedSamples: 0, underruns: 0 },
    { type: "drained", id: "7", playedSamples: 200, underruns: 0 },
  ]);
});

test("flush fades out within one quantum and drops everything else", () => {
  const processor = speaking({ samples: 48000 });
  played(processor, 2);
  processor.receive({ type: "flush" });
  const [fade, silence] = [played(processor, 1), played(processor, 3)];
  assert.ok(fade.every((value, n) => value <= values(128, 257)[n]) && fade.at(-1) === 0);
  assert.ok(silence.every((value) => value === 0));
  assert.deepEqual(takePosted(processor).at(-1), { type: "flushed", id: "7", playedSamples: 256, underruns: 0 });
});

test("samples that arrive after a flush stay silent until the next reply begins", () => {
  const processor = speaking({ samples: 1000 });
  played(processor, 1);
  processor.receive({ type: "flush" });
  played(processor, 1);
  processor.receive({ type: "samples", data: counting(1000) });
  assert.ok(played(processor, 3).every((value) => value === 0));
  assert.equal(processor.waiting, 0, "nor are they kept");
  processor.receive({ type: "begin", id: "8", sampleRate: 48000, holdMs: 0 });
  processor.receive({ type: "samples", data: counting(128, 5000) });
  assert.deepEqual(played(processor, 1), values(128, 5000));
});

test("a gap in the network is counted and waited out with more patience", () => {
  const processor = speaking({ samples: 128 });
  played(processor, 3);
  processor.receive({ type: "samples", data: counting(1000) });
  assert.ok(played(processor, 2).every((value) => value === 0), "40 ms are gathered first");
  processor.receive({ type: "samples", data: counting(1000, 1001) });
  assert.deepEqual(played(processor, 1), values(128));
  processor.receive({ type: "end" });
  played(processor, 20);
  assert.equal(takePosted(processor).at(-1).underruns, 1);
});

test("a reply at another rate lasts as long as it should", () => {
  const processor = new Processor();
  processor.receive({ type: "begin", id: "7", sampleRate: 16000, holdMs: 0 });
  processor.receive({ type: "samples", data: new ArrayBuffer(3200) });
  processor.receive({ type: "end" });
  played(processor, 50);
  assert.equal(takePosted(processor).at(-1).playedSamples, 4800);
});
