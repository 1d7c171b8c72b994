/**
 * How audio is cut into messages, and when to change that.
 *
 * Small chunks reach the recognizer sooner but cost more messages; on a slow network larger ones get through more
 * steadily. What the person chose is the best level; the network may push it to steadier ones and lets it come back.
 */

/** chunkSize in bytes, chunkIntervalMs, bufferSize: samples at 16 kHz of a reply gathered before it begins to sound. */
export const OPTIMIZATION_CONFIGS = {
  ultraLow: { chunkSize: 512, chunkIntervalMs: 25, bufferSize: 256 },
  balanced: { chunkSize: 1024, chunkIntervalMs: 50, bufferSize: 512 },
  stable: { chunkSize: 2048, chunkIntervalMs: 100, bufferSize: 1024 },
};

/** To leave a level for a steadier one, `worseMs` round trip or worse; to come back to it, `betterMs` or better. */
const THRESHOLDS = [
  { chunkSize: 512, worseMs: 60, betterMs: 30 },
  { chunkSize: 1024, worseMs: 150, betterMs: 80 },
];
const BAD_IN_A_ROW = 2;
const GOOD_FOR_MS = 10000;
/** A send buffer that holds this many chunks is not being emptied as fast as we speak. */
const WAITING_CHUNKS = 4;

/** Quality for a chunk size of one's own; the presets lie on the same line. */
export function qualityFor(chunkSize) {
  const { balanced } = OPTIMIZATION_CONFIGS;
  const scaled = (value) => Math.round((value * chunkSize) / balanced.chunkSize);
  return { chunkSize, chunkIntervalMs: scaled(balanced.chunkIntervalMs), bufferSize: scaled(balanced.bufferSize) };
}

/** The name of the preset with these values, or "custom". */
export function presetName({ chunkSize, chunkIntervalMs }) {
  const same = ([, preset]) => preset.chunkSize === chunkSize && preset.chunkIntervalMs === chunkIntervalMs;
  return Object.entries(OPTIMIZATION_CONFIGS).find(same)?.[0] ?? "custom";
}

export class AdaptiveQuality {
  /** chosen: {chunkSize, chunkIntervalMs, bufferSize, adaptiveQuality}. */
  constructor(chosen) {
    this.choose(chosen);
  }

  /** The person chose anew: begin there. */
  choose({ chunkSize, chunkIntervalMs, bufferSize, adaptiveQuality = true }) {
    const steadier = Object.values(OPTIMIZATION_CONFIGS).filter((preset) => preset.chunkSize > chunkSize);
    this.levels = [{ chunkSize, chunkIntervalMs, bufferSize }, ...(adaptiveQuality ? steadier : [])];
    this.level = 0;
    this.#startCounting();
  }

  get inForce() {
    return this.levels[this.level];
  }

  /**
   * One look at the network: the last round trip, and the bytes still waiting in the send buffer. nowMs: any steady
   * clock. Returns true if the level changed.
   */
  observe({ roundTripMs, bufferedBytes, nowMs }) {
    const growing = bufferedBytes > this.lastBufferedBytes;
    this.lastBufferedBytes = bufferedBytes;
    const congested = growing && bufferedBytes > WAITING_CHUNKS * this.inForce.chunkSize;
    if (congested || roundTripMs > this.#threshold(this.level).worseMs) {
      this.goodSinceMs = null;
      this.badInARow += 1;
      return this.badInARow >= BAD_IN_A_ROW && this.#moveTo(this.level + 1);
    }
    this.badInARow = 0;
    const good = this.level > 0 && bufferedBytes === 0 && roundTripMs < this.#threshold(this.level - 1).betterMs;
    if (!good) this.goodSinceMs = null;
    else this.goodSinceMs ??= nowMs;
    return good && nowMs - this.goodSinceMs >= GOOD_FOR_MS && this.#moveTo(this.level - 1);
  }

  #threshold(level) {
    const { chunkSize } = this.levels[level];
    return THRESHOLDS.find((row) => chunkSize <= row.chunkSize) ?? THRESHOLDS.at(-1);
  }

  #moveTo(level) {
    if (level >= this.levels.length) return false;
    this.level = level;
    this.#startCounting();
    return true;
  }

  #startCounting() {
    this.badInARow = 0;
    this.goodSinceMs = null;
    this.lastBufferedBytes = 0;
  }
}
