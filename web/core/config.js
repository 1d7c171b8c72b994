/**
 * The assistant's settings: checked when set, in force at once.
 */

import { LANGUAGES, MAX_MESSAGE_BYTES } from "./protocol.js";
import { OPTIMIZATION_CONFIGS, qualityFor } from "./quality.js";

export const DEFAULT_CONFIG = {
  wsUrl: "ws://localhost:8123",
  ...OPTIMIZATION_CONFIGS.balanced,
  adaptiveQuality: true,
  maxReconnectAttempts: 10,
  language: "en",
  speakReplies: true,
};

const between = (low, high, unit) => ({
  expected: `a whole number from ${low} to ${high} ${unit}`,
  accepts: (value) => Number.isInteger(value) && value >= low && value <= high,
});
const flag = { expected: "true or false", accepts: (value) => typeof value === "boolean" };

const RULES = {
  wsUrl: { expected: "a ws:// or wss:// address", accepts: (value) => /^wss?:\/\/./.test(value) },
  chunkSize: {
    expected: `an even number of bytes from 64 to ${MAX_MESSAGE_BYTES}`,
    accepts: (value) => Number.isInteger(value) && value % 2 === 0 && value >= 64 && value <= MAX_MESSAGE_BYTES,
  },
  chunkIntervalMs: between(5, 1000, "ms"),
  bufferSize: between(0, 16000, "samples"),
  adaptiveQuality: flag,
  speakReplies: flag,
  maxReconnectAttempts: {
    expected: "a whole number from 0 on, or Infinity",
    accepts: (value) => value === Infinity || (Number.isInteger(value) && value >= 0),
  },
  language: { expected: LANGUAGES.join(" or "), accepts: (value) => LANGUAGES.includes(value) },
};

function check(name, value) {
  const rule = RULES[name];
  if (rule && !rule.accepts(value)) throw new RangeError(`${name} is ${String(value)}, expected ${rule.expected}`);
}

/** Settings in which a person chose how sound is cut; in the others the device's advice holds. */
const CHOSEN = new WeakSet();

export function qualityIsChosen(config) {
  return CHOSEN.has(config);
}

/** The device advises a chunk size in bytes, AUDIO_CHUNK_SIZE; what a person chose stays. */
export function advise(config, chunkSize) {
  if (qualityIsChosen(config)) return;
  Object.assign(config, qualityFor(chunkSize));
  CHOSEN.delete(config);
}

/** `settings` over the defaults, as an object that calls `onchange` after each change. Throws RangeError. */
export function watchedConfig(settings, onchange) {
  const values = { ...DEFAULT_CONFIG, ...settings };
  for (const [name, value] of Object.entries(values)) check(name, value);
  const config = new Proxy(values, {
    set(target, name, value) {
      check(name, value);
      if (name === "chunkSize") CHOSEN.add(config);
      const changed = target[name] !== value;
      target[name] = value;
      if (changed) onchange();
      return true;
    },
  });
  if (settings.chunkSize !== undefined) CHOSEN.add(config);
  return config;
}
