import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { hear, takePosted, workletScope } from "./worklet-scope.mjs";

const registered = workletScope(16000);
await import("../../web/workers/audio-streaming-worklet.js");
const Processor = registered.get("audio-streaming-processor");

beforeEach(() => Object.assign(globalThis, { sampleRate: 16000, currentTime: 0 }));

const counting = (count, first = 0) => Float32Array.from({ length: count }, (_, n) => (first + n) / 32767);
const samplesOf = (messages) => messages.filter((message) => message.audioData)
  .flatMap((message) => [...new Int16Array(message.audioData)]);
const numbers = (first, count) => Array.from({ length: count }, (_, n) => first + n);

function capturing(processorOptions = {}) {
  return new Processor({ processorOptions: { waitForStart: true, ...processorOptions } });
}

test("used as the migration guide does, it sends chunkSize bytes of int16 at a time from the beginning", () => {
  const processor = new Processor({ processorOptions: { chunkSize: 1024 } });
  hear(processor, counting(1280));
  const chunks = takePosted(processor);
  assert.deepEqual(chunks.map((chunk) => chunk.audioData.byteLength), [1024, 1024]);
  assert.deepEqual(samplesOf(chunks), numbers(0, 1024));
});

test("without options a chunk has 1024 bytes", () => {
  const processor = new Processor();
  hear(processor, counting(512));
  assert.equal(takePosted(processor)[0].audioData.byteLength, 1024);
});

test("samples beyond full scale are clipped", () => {
  const processor = new Processor({ processorOptions: { chunkSize: 8, chunkIntervalMs: 1000 } });
  hear(processor, Float32Array.of(2, -2, NaN, 0));
  assert.deepEqual(samplesOf(takePosted(processor)), [32767, -32767, 0, 0]);
});

for (const rate of [44100, 48000, 96000]) {
  test(`a second at ${rate} Hz is 16,000 samples after a flush`, () => {
    globalThis.sampleRate = rate;
    const processor = new Processor({ processorOptions: { chunkSize: 1024 } });
    hear(processor, new Float32Array(rate));
    processor.receive({ type: "flush" });
    assert.equal(samplesOf(takePosted(processor)).length, 16000);
  });
}

test("nothing is sent before start", () => {
  const processor = capturing();
  hear(processor, counting(16000));
  assert.deepEqual(takePosted(processor), []);
});

test("start sends the last 300 ms before it, then what follows without a gap", () => {
  const processor = capturing();
  hear(processor, counting(8192));
  processor.receive({ type: "start" });
  hear(processor, counting(1024, 8192));
  processor.receive({ type: "flush" });
  const messages = takePosted(processor);
  assert.equal(messages[0].preRoll, true);
  assert.ok(messages.slice(1, -1).every((message) => message.preRoll === false));
  assert.deepEqual(samplesOf(messages), numbers(8192 - 4800, 4800 + 1024));
});

test("what was already sent does not come again before the next utterance", () => {
  const processor = capturing();
  processor.receive({ type: "start" });
  hear(processor, counting(1024));
  processor.receive({ type: "flush" });
  takePosted(processor);
  processor.receive({ type: "start" });
  hear(processor, counting(512, 5000));
  assert.deepEqual(samplesOf(takePosted(processor)), numbers(5000, 512));
});

test("flush sends the rest, says so, and ends the utterance", () => {
  const processor = capturing();
  processor.receive({ type: "start" });
  hear(processor, counting(640));
  processor.receive({ type: "flush" });
  hear(processor, counting(2048));
  const messages = takePosted(processor);
  assert.deepEqual(samplesOf(messages), numbers(0, 640));
  assert.deepEqual(messages.at(-1), { flushed: true });
});

test("discard forgets the started chunk and the sound before it", () => {
  const processor = capturing();
  processor.receive({ type: "start" });
  hear(processor, counting(256));
  processor.receive({ type: "discard" });
  processor.receive({ type: "start" });
  processor.receive({ type: "flush" });
  assert.deepEqual(takePosted(processor), [{ flushed: true }]);
});

test("a chunk that does not fill up is sent after chunkIntervalMs", () => {
  const processor = new Processor({ processorOptions: { chunkSize: 4096, chunkIntervalMs: 50 } });
  hear(processor, counting(1600));
  const chunks = takePosted(processor);
  assert.equal(chunks.length, 2);
  assert.ok(chunks.every((chunk) => chunk.lastSampleS - chunk.firstSampleS <= 0.05));
});

test("a microphone that stops delivering does not hold back what it delivered", () => {
  const processor = new Processor({ processorOptions: { chunkSize: 1024, chunkIntervalMs: 25 } });
  hear(processor, counting(256));
  for (let quantum = 0; quantum < 4; quantum++) {
    processor.process([[]]);
    globalThis.currentTime += 0.008;
  }
  assert.deepEqual(samplesOf(takePosted(processor)), numbers(0, 256));
});

test("chunk size and interval change in the middle of an utterance without losing a sample", () => {
  const processor = new Processor({ processorOptions: { chunkSize: 512 } });
  hear(processor, counting(384));
  processor.receive({ type: "configure", chunkSize: 2048, chunkIntervalMs: 100 });
  hear(processor, counting(2176, 384));
  const chunks = takePosted(processor);
  assert.deepEqual(chunks.map((chunk) => chunk.audioData.byteLength), [512, 2048, 2048]);
  assert.deepEqual(samplesOf(chunks), numbers(0, 2304));
});

test("a chunk carries the time of its samples and how loud they were", () => {
  const processor = new Processor({ processorOptions: { chunkSize: 512 } });
  hear(processor, Float32Array.from({ length: 512 }, (_, n) => (n % 2 ? 0.5 : -0.5)));
  const [first, second] = takePosted(processor);
  assert.ok(Math.abs(first.firstSampleS - 0) < 1e-6 && Math.abs(second.firstSampleS - 0.016) < 1e-6);
  assert.ok(Math.abs(first.peak - 0.5) < 1e-3 && Math.abs(first.rms - 0.5) < 1e-3);
});
