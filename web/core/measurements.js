/** What the page measures, gathered for people and programs. */

import { presetName } from "./quality.js";
import { RollingStatistics, tenth } from "./statistics.js";
import { waits } from "./waits.js";

/** See `Metrics` in EnhancedVoiceAssistant.d.ts. last: the turn answered last, or null. */
export function measured({ connection, streamer }, last, config) {
  const audio = streamer.metrics();
  return {
    connected: connection.connected,
    state: connection.state,
    reconnects: connection.reconnects,
    latency: connection.roundTrips.summary(),
    audio: { ...audio, preset: presetName(audio), chosenPreset: presetName(config) },
    lastTurn: last && {
      id: last.id,
      kind: last.kind,
      peak: last.peak,
      processingTimeMs: last.processingTimeMs,
      stages: { ...last.timings },
      pageMs: last.latenciesMs,
      waits: waits(last),
    },
  };
}

/** n real round trips, one after the other: {avg, min, max, results} in ms. pause: waits between two. */
export async function roundTrips(streamer, n, pause) {
  const statistics = new RollingStatistics(n);
  for (let i = 0; i < n; i++) {
    if (i > 0) await pause();
    statistics.add(await streamer.ping());
  }
  const { average: avg, min, max } = statistics.summary();
  return { avg, min, max, results: statistics.values.map(tenth) };
}
