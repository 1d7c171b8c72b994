/**
 * The wire protocol of docs/protocol.md, as tables: what each message may carry, checked before sending and on arrival.
 * The same examples (tests/vectors/protocol.json) are read by the Python and the JavaScript tests.
 */

export const WIRE_RATE_HZ = 16000;
export const MAX_MESSAGE_BYTES = 32768;
export const MAX_TEXT_LENGTH = 500;
export const MAX_ID_LENGTH = 64;
export const CHUNK_BYTES = [128, 16384];
export const REPLY_RATES_HZ = [8000, 48000];
/** Slowest and fastest that replies are spoken; 1 is the voice's own speed. */
export const SPEEDS = [0.5, 3];
/** A timer can be changed by so much at a time. */
export const MOST_TIMER_CHANGE_S = 7 * 86400;
/** Characters of a sentence that is taught, and of its answer. */
export const MOST_TAUGHT = { phrase: 120, reply: 400 };
export const LANGUAGES = ["en", "de"];
const ENDPOINTS = ["client", "auto"];

/** A message that docs/protocol.md does not allow. `code` is one of the codes listed there. */
export class ProtocolError extends Error {
  constructor(code, message) {
    super(message);
    this.name = "ProtocolError";
    this.code = code;
  }
}

const quote = (value) => JSON.stringify(value);
const refuse = (code, message) => {
  throw new ProtocolError(code, message);
};

const ofType = (type) => (value, name) => {
  if (typeof value !== type) refuse("bad_field", `"${name}" is ${quote(value)}, expected a ${type}`);
};
const text = ofType("string");
const flag = ofType("boolean");
const number = ofType("number");

function object(value, name) {
  if (typeof value !== "object" || value === null) refuse("bad_field", `"${name}" is ${quote(value)}, expected an object`);
}

function identifier(value, name) {
  text(value, name);
  if (value.length > MAX_ID_LENGTH) {
    refuse("bad_field", `"${name}" has ${value.length} characters, expected at most ${MAX_ID_LENGTH}`);
  }
}

function language(value, name) {
  text(value, name);
  if (!LANGUAGES.includes(value)) refuse("unknown_language", `"${name}" is ${quote(value)}, expected en or de`);
}

function endpoint(value, name) {
  if (!ENDPOINTS.includes(value)) refuse("bad_field", `"${name}" is ${quote(value)}, expected client or auto`);
}

function wakeWords(value, name) {
  if (!Array.isArray(value) || value.length > 3 || value.some((word) => typeof word !== "string")) {
    refuse("bad_field", `"${name}" is ${quote(value)}, expected a list of at most 3 words`);
  }
}

function captureRate(value, name) {
  number(value, name);
  if (value !== WIRE_RATE_HZ) refuse("bad_sample_rate", `"${name}" is ${value} Hz, expected ${WIRE_RATE_HZ}`);
}

function replyRate(value, name) {
  const [low, high] = REPLY_RATES_HZ;
  if (!Number.isInteger(value) || value < low || value > high) {
    refuse("bad_field", `"${name}" is ${quote(value)}, expected a whole number of Hz from ${low} to ${high}`);
  }
}

function chunkSize(value, name) {
  const [low, high] = CHUNK_BYTES;
  if (!Number.isInteger(value) || value % 2 !== 0 || value < low || value > high) {
    refuse("bad_field", `"${name}" is ${quote(value)}, expected an even number of bytes from ${low} to ${high}`);
  }
}

function spokenText(value, name) {
  text(value, name);
  if (value.length > MAX_TEXT_LENGTH) {
    refuse("text_too_long", `"${name}" has ${value.length} characters, expected at most ${MAX_TEXT_LENGTH}`);
  }
}

function timestamp(value, name) {
  if (typeof value !== "number" && typeof value !== "string") {
    refuse("bad_field", `"${name}" is ${quote(value)}, expected a number or a text`);
  }
}

const oneOf = (known) => (value, name) => {
  if (!known.includes(value)) refuse("bad_field", `"${name}" is ${quote(value)}, expected one of: ${known.join(", ")}`);
};

const within = (low, high) => (value, name) => {
  if (typeof value !== "number" || !(value >= low && value <= high)) {
    refuse("bad_field", `"${name}" is ${quote(value)}, expected ${low} to ${high}`);
  }
};

function hours(value, name) {
  const clock = /^([01][0-9]|2[0-3]):[0-5][0-9]$/;
  const right = Array.isArray(value) && value.length === 2 && value.every((one) => clock.test(one)) && value[0] !== value[1];
  if (value !== false && !right) refuse("bad_field", `"${name}" is ${quote(value)}, expected two times of day, or false`);
}

function doing(value, name, { seconds }) {
  oneOf(["pause", "resume", "extend", "cancel", "stop", "snooze"])(value, name);
  const wrong = typeof seconds !== "number" || !seconds || Math.abs(seconds) > MOST_TIMER_CHANGE_S || (value === "snooze" && seconds < 0);
  if (["extend", "snooze"].includes(value) && wrong) {
    refuse("bad_field", `"seconds" is ${quote(seconds)}, expected up to ${MOST_TIMER_CHANGE_S}, not 0`);
  }
}

function entry(value, name) {
  text(value, name);
  if (!value.trim() || value.length > MAX_TEXT_LENGTH) {
    refuse("bad_field", `"${name}" has ${value.trim().length} characters, expected 1 to ${MAX_TEXT_LENGTH}`);
  }
}

function lesson(value, name) {
  object(value, name);
  for (const [part, most] of Object.entries(MOST_TAUGHT)) {
    const length = typeof value[part] === "string" ? value[part].trim().length : 0;
    if (length < 1 || length > most) refuse("bad_field", `"${part}" has ${length} characters, expected 1 to ${most}`);
  }
}

const optional = (check) => Object.assign((...field) => check(...field), { optional: true });
const turnId = optional(identifier);
const timings = { processing_time_ms: optional(number), timings: optional(object) };

/** Messages from the client: type → field → check. Keys not listed are ignored. */
export const CLIENT_MESSAGES = {
  hello: { language: optional(language), reply_rate: optional(replyRate), speak: optional(flag), session: optional(identifier) },
  start: { id: turnId, language: optional(language), sample_rate: optional(captureRate), endpoint: optional(endpoint), lingers: optional(flag) },
  stop: { id: turnId },
  cancel: { id: turnId },
  text: { id: turnId, text: spokenText, language: optional(language) },
  interrupt: {},
  ping: { timestamp },
  follow: {},
  settings: {},
  set: { volume: optional(within(0, 100)), speed: optional(within(...SPEEDS)), voice: optional(identifier), name: optional(identifier), quiet: optional(hours), fetch: optional(identifier), teach: optional(lesson), forget: optional(identifier), wake_words: optional(wakeWords), wrong_wake: optional(number) },
  timer: { timer: number, do: doing, seconds: optional(number) },
  item: { list: entry, item: entry, do: oneOf(["add", "remove"]) },
};

/** Messages from the device. A newer device may send more keys, and types this page ignores. */
export const SERVER_MESSAGES = {
  welcome: { version: number, language, languages: object, spoken: object, max_audio_duration_s: number, chunk_size: optional(chunkSize), volume: optional(number), session: optional(identifier), page_version: optional(text) },
  listening: { id: identifier, continues: optional(text) },
  queued: { id: identifier, place: number },
  received: { id: identifier, audio_s: number },
  partial: { id: identifier, text },
  final: { id: identifier, text, ...timings },
  answer: { id: identifier, text, ...timings },
  more: { id: identifier, text },
  speech_start: { id: identifier, sample_rate: replyRate },
  speech_end: { id: identifier, interrupted: flag, ...timings },
  endpoint: { id: identifier, reason: text, setting: optional(text), silence_ms: optional(number) },
  paused: { id: identifier, silence_ms: number, of_ms: number },
  cancelled: { id: identifier, audio_s: optional(number) },
  volume: { percent: number },
  language: { language },
  silenced: { id: identifier },
  announce: { id: identifier, text, kind: text },
  pong: { timestamp },
  error: { code: text, message: text, hint: optional(text), id: turnId },
  board: { now: number, local: text, timers: object, ringing: object, lists: object },
  settings: { name: text, role: text, volume: number, voice: text, voices: object, speed: number, models: object, skills: optional(object), helpers: optional(object), version: text },
  taught: { phrase: text, outcome: text },
  goodbye: { reason: text, reconnect_after_ms: optional(number) },
};

/** Check one message against a table; returns it, or throws ProtocolError saying which field and value is wrong. */
export function validate(message, table) {
  if (typeof message !== "object" || message === null || Array.isArray(message)) {
    refuse("bad_json", `a message is a JSON object, not ${quote(message)}`);
  }
  const known = Object.keys(table);
  if (!known.includes(message.type)) {
    refuse("unknown_type", `"type" is ${quote(message.type)}, expected one of: ${known.join(", ")}`);
  }
  const fields = Object.entries(table[message.type]);
  if (message.type === "set" && fields.every(([name]) => message[name] === undefined)) {
    refuse("bad_field", `nothing to set, expected some of ${Object.keys(table.set).join(", ")}`);
  }
  for (const [name, check] of fields) {
    if (message[name] !== undefined) check(message[name], name, message);
    else if (!check.optional) refuse("bad_field", `"${name}" is missing in a "${message.type}" message`);
  }
  return message;
}

/** A text message from the wire as an object; throws ProtocolError. */
export function parse(line, table = SERVER_MESSAGES) {
  let message;
  try {
    message = JSON.parse(line);
  } catch (error) {
    throw new ProtocolError("bad_json", `this is not JSON: ${line.slice(0, 80)} (${error.message})`);
  }
  return validate(message, table);
}

/** A client's message as text for the wire; fields that are undefined are left out. Throws ProtocolError. */
export function build(type, fields = {}) {
  return JSON.stringify(validate({ type, ...fields }, CLIENT_MESSAGES));
}

/** PCM in pieces of at most MAX_MESSAGE_BYTES, without copying: Uint8Array views. */
export function* pieces(pcm) {
  const bytes = new Uint8Array(pcm);
  for (let start = 0; start < bytes.length; start += MAX_MESSAGE_BYTES) {
    yield bytes.subarray(start, start + MAX_MESSAGE_BYTES);
  }
}
