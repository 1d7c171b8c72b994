/**
 * Band-limited change of the sample rate, block by block.
 *
 * A polyphase FIR: the prototype is a sinc cut off at the lower of the two Nyquist frequencies, under a Kaiser window
 * (J. F. Kaiser, "Nonrecursive digital filter design using the I0-sinh window function", 1974). The transition band is
 * a quarter of that Nyquist frequency: towards 16 kHz it passes up to 7 kHz and stops from 9 kHz on. It is causal, so
 * the output lags by `delayMs` and n samples in always give ceil(n * targetRate / sourceRate) samples out.
 */

const STOP_BAND_DB = 80;
const TRANSITION_OF_NYQUIST = 0.25;
const BLOCK_SAMPLES = 1024;

/** Modified Bessel function of the first kind, order 0, by its power series. */
function besselI0(x) {
  let term = 1;
  let sum = 1;
  for (let k = 1; term > sum * 1e-16; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

function greatestCommonDivisor(a, b) {
  while (b) [a, b] = [b, a % b];
  return a;
}

/** One row of filter taps per output phase, each summing to 1, the newest input sample last. */
function polyphaseTable(upFactor, downFactor, sourceRate) {
  const nyquistHz = Math.min(sourceRate, (sourceRate * upFactor) / downFactor) / 2;
  const transition = (2 * Math.PI * nyquistHz * TRANSITION_OF_NYQUIST) / sourceRate;
  const taps = Math.ceil((STOP_BAND_DB - 8) / (2.285 * transition)) + 1;
  const beta = 0.1102 * (STOP_BAND_DB - 8.7);
  const halfWidth = taps / 2;
  const cutoff = (2 * nyquistHz) / sourceRate;
  const table = [];
  for (let phase = 0; phase < upFactor; phase++) {
    const row = new Float32Array(taps);
    let sum = 0;
    for (let tap = 0; tap < taps; tap++) {
      const distance = taps - 1 - tap + phase / upFactor - (halfWidth - 0.5);
      const edge = 1 - (distance / halfWidth) ** 2;
      if (edge < 0) continue;
      const angle = Math.PI * cutoff * distance;
      row[tap] = (angle === 0 ? 1 : Math.sin(angle) / angle) * besselI0(beta * Math.sqrt(edge));
      sum += row[tap];
    }
    table.push(row.map((value) => value / sum));
  }
  return table;
}

export class Resampler {
  /** Rates in Hz, whole numbers. Equal rates copy the samples unchanged. */
  constructor(sourceRate, targetRate) {
    for (const rate of [sourceRate, targetRate]) {
      if (!Number.isInteger(rate) || rate < 3000 || rate > 768000) {
        throw new RangeError(`sample rate ${rate} Hz, expected a whole number from 3000 to 768000`);
      }
    }
    const divisor = greatestCommonDivisor(sourceRate, targetRate);
    this.upFactor = targetRate / divisor;
    this.downFactor = sourceRate / divisor;
    this.identity = sourceRate === targetRate;
    this.table = this.identity ? [Float32Array.of(1)] : polyphaseTable(this.upFactor, this.downFactor, sourceRate);
    this.taps = this.table[0].length;
    this.delayMs = ((this.taps - 1) / 2 / sourceRate) * 1000;
    this.window = new Float32Array(this.taps - 1 + BLOCK_SAMPLES);
    this.reset();
  }

  /** Forget the past: the next sample begins a new signal. */
  reset() {
    this.window.fill(0);
    this.position = 0; // of the next output sample, in 1/upFactor input samples from the start of the block
  }

  /** How many samples `process` may give back at most for so many samples in. */
  capacityFor(inputSamples) {
    return Math.ceil((inputSamples * this.upFactor) / this.downFactor) + 1;
  }

  /**
   * Read all of `input`, write what follows from it to the start of `output`; returns how many samples that are.
   *
   * Float32Arrays; `output` has room for capacityFor(input.length). NaN counts as 0, anything beyond ±1 is clipped: one
   * infinity would otherwise ring through the whole filter. Does not allocate.
   */
  process(input, output) {
    let written = 0;
    for (let start = 0; start < input.length; start += BLOCK_SAMPLES) {
      const count = Math.min(BLOCK_SAMPLES, input.length - start);
      written = this.#processBlock(input, start, count, output, written);
    }
    return written;
  }

  #processBlock(input, start, count, output, written) {
    const { window, taps, table, upFactor, downFactor } = this;
    for (let i = 0; i < count; i++) {
      const sample = input[start + i];
      window[taps - 1 + i] = sample >= -1 ? (sample > 1 ? 1 : sample) : sample < -1 ? -1 : 0;
    }
    const end = count * upFactor;
    let position = this.position;
    for (; position < end; position += downFactor) {
      const phase = position % upFactor;
      const first = (position - phase) / upFactor;
      const row = table[phase];
      let sum = 0;
      for (let tap = 0; tap < taps; tap++) sum += row[tap] * window[first + tap];
      output[written++] = sum;
    }
    this.position = position - end;
    window.copyWithin(0, count, count + taps - 1);
    return written;
  }
}

/** One sample in [-1, 1] as int16, clipped. */
export function toInt16(sample) {
  const scaled = Math.round(sample * 32767);
  return scaled > 32767 ? 32767 : scaled < -32768 ? -32768 : scaled;
}
