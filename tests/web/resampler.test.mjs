import assert from "node:assert/strict";
import { test } from "node:test";
import { Resampler, toInt16 } from "../../web/workers/resampler.js";

const TARGET = 16000;

function resample(sourceRate, targetRate, signal, blockSamples = 128) {
  const resampler = new Resampler(sourceRate, targetRate);
  const output = new Float32Array(resampler.capacityFor(signal.length));
  let length = 0;
  for (let start = 0; start < signal.length; start += blockSamples) {
    const block = signal.subarray(start, start + blockSamples);
    length += resampler.process(block, output.subarray(length));
  }
  return output.subarray(0, length);
}

function tone(frequencyHz, rate, seconds, amplitude = 0.5) {
  return Float32Array.from({ length: Math.round(rate * seconds) }, (_, n) =>
    amplitude * Math.sin((2 * Math.PI * frequencyHz * n) / rate));
}

/** Level of a settled signal in dB relative to a sine of amplitude 0.5. */
function levelDb(signal, rate) {
  const settled = signal.subarray(Math.round(rate * 0.05));
  const power = settled.reduce((sum, sample) => sum + sample * sample, 0) / settled.length;
  return 10 * Math.log10(power / 0.125);
}

for (const rate of [48000, 44100, 96000, 32000, 22050]) {
  test(`from ${rate} Hz, tones up to 7 kHz pass within 0.1 dB`, () => {
    for (let frequencyHz = 100; frequencyHz <= 7000; frequencyHz += 300) {
      const level = levelDb(resample(rate, TARGET, tone(frequencyHz, rate, 0.4)), TARGET);
      assert.ok(Math.abs(level) < 0.1, `${frequencyHz} Hz came out at ${level.toFixed(3)} dB`);
    }
  });

  test(`from ${rate} Hz, tones above 9 kHz stay at least 70 dB below speech`, () => {
    for (let frequencyHz = 9000; frequencyHz < rate / 2; frequencyHz += 411) {
      const level = levelDb(resample(rate, TARGET, tone(frequencyHz, rate, 0.4)), TARGET);
      assert.ok(level < -70, `${frequencyHz} Hz came out at ${level.toFixed(1)} dB`);
    }
  });

  test(`ten seconds at ${rate} Hz are exactly 160,000 samples at 16 kHz`, () => {
    assert.equal(resample(rate, TARGET, new Float32Array(rate * 10)).length, 160000);
  });
}

test("the block size does not change a single sample", () => {
  const signal = Float32Array.from({ length: 20000 }, (_, n) => Math.sin(n * n * 1e-5) * 0.7);
  const whole = resample(44100, TARGET, signal, signal.length);
  for (const blockSamples of [1, 7, 128, 1024, 1500]) assert.deepEqual(resample(44100, TARGET, signal, blockSamples), whole);
});

test("a tone comes out delayed by delayMs and otherwise unchanged", () => {
  const { delayMs } = new Resampler(48000, TARGET);
  const output = resample(48000, TARGET, tone(1000, 48000, 0.3));
  for (let n = 1000; n < 3000; n++) {
    const expected = 0.5 * Math.sin(2 * Math.PI * 1000 * (n / TARGET - delayMs / 1000));
    assert.ok(Math.abs(output[n] - expected) < 1e-3, `sample ${n}: ${output[n]}, expected ${expected}`);
  }
});

test("replies can be brought from 48 to 96 kHz", () => {
  const output = resample(48000, 96000, tone(5000, 48000, 0.3));
  assert.equal(output.length, 28800);
  assert.ok(Math.abs(levelDb(output, 96000)) < 0.1);
});

test("equal rates change nothing", () => {
  const signal = tone(440, TARGET, 0.1);
  assert.deepEqual(resample(TARGET, TARGET, signal), signal);
});

test("NaN counts as silence and infinities as full scale", () => {
  assert.deepEqual([...resample(TARGET, TARGET, Float32Array.of(NaN, Infinity, -Infinity, 0.5))], [0, 1, -1, 0.5]);
  assert.ok(resample(48000, TARGET, new Float32Array(4800).fill(NaN)).every((sample) => sample === 0));
});

test("a rate no sound card has is refused with its value", () => {
  assert.throws(() => new Resampler(0, TARGET), /sample rate 0 Hz/);
  assert.throws(() => new Resampler(44100.5, TARGET), /sample rate 44100.5 Hz/);
});

test("int16 samples are clipped, not wrapped", () => {
  assert.deepEqual([1, -1, 1.5, -1.5, 0, 0.5].map(toInt16), [32767, -32767, 32767, -32768, 0, 16384]);
});
