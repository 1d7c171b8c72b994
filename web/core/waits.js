/**
 * What a person waited for, from the last sample they spoke to the first they heard: parts that add up to the whole.
 *
 * The device measures its own parts; the page sees when the question ended, when sound arrived and when it sounded. What
 * nobody measured, the way there and back, is what remains. Times in ms.
 */

import { tenth } from "./statistics.js";

/** Settings that a wait comes from: of the page by their names in `config`, of the device by those in its settings file. */
const SETTINGS = { gather: "chunkSize", hold: "bufferSize", first_audio_ms: "TTS_WORKERS" };
const DEVICE_PARTS = ["recognition_ms", "understanding_ms", "skill_ms"];

/** turn: a Turn that was answered. {totalMs, parts: [{name, ms, setting}]}, or null before there is an answer. */
export function waits(turn) {
  if (turn.answeredAtMs === null || turn.releasedAtMs === null) return null;
  const heard = turn.firstAudioAtMs !== null;
  const began = turn.kind === "voice" ? Math.min(turn.spokenUntilMs ?? turn.releasedAtMs, turn.releasedAtMs) : turn.releasedAtMs;
  const outputMs = heard ? turn.outputMs : 0;
  const totalMs = (heard ? turn.firstAudioAtMs : turn.answeredAtMs) + outputMs - began;
  const measured = {
    ...(turn.kind === "voice" && ownEnd(turn, began)),
    ...Object.fromEntries(DEVICE_PARTS.map((name) => [name, turn.timings[name] ?? 0])),
    ...(heard && {
      first_audio_ms: turn.timings.first_audio_ms ?? 0,
      hold: turn.firstAudioAtMs - (turn.arrivedAtMs ?? turn.firstAudioAtMs),
      output: outputMs,
    }),
  };
  return { totalMs: tenth(totalMs), parts: addUp(measured, totalMs).map(([name, ms]) => ({ name, ms, setting: settingOf(name, turn) })) };
}

/** Until the end of the question was known: by the person's hand, or by the device. */
function ownEnd({ ended, releasedAtMs, stopSentAtMs, finalAtMs, timings }, began) {
  if (!ended) return { pause: releasedAtMs - began, gather: (stopSentAtMs ?? releasedAtMs) - releasedAtMs };
  const untilEnd = finalAtMs - (timings.recognition_ms ?? 0) - began;
  return { silence: Math.min(untilEnd, ended.silenceMs || untilEnd) };
}

/** With the network's part, which is the rest; never less than nothing, whatever clocks and rounding do. */
function addUp(measured, totalMs) {
  const parts = Object.entries(measured).map(([name, ms]) => [name, tenth(Math.max(0, ms))]);
  const rest = tenth(totalMs - parts.reduce((sum, [, ms]) => sum + ms, 0));
  if (rest >= 0) {
    parts.splice(parts.findIndex(([name]) => DEVICE_PARTS.includes(name)), 0, ["network", rest]);
    return parts;
  }
  const longest = parts.reduce((best, part) => (part[1] > best[1] ? part : best));
  longest[1] = tenth(longest[1] + rest);
  return parts;
}

function settingOf(name, turn) {
  if (name === "silence") return turn.ended.setting || undefined;
  if (name === "recognition_ms") return turn.waited ? "STT_WORKERS" : undefined;
  return SETTINGS[name];
}
