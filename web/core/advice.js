/**
 * Which setting to change, from what was measured. Returns a key of `advice` in texts.js.
 */

const RULES = [
  ["disconnected", ({ connected }) => !connected],
  ["congested", ({ audio }) => audio.bufferedBytes > 8 * audio.chunkSize && audio.preset !== "stable"],
  ["slowNetwork", ({ latency }) => latency.p50 > 150],
  ["stutter", ({ audio }) => audio.underruns >= 3 && audio.preset !== "stable"],
  ["busyRecognizers", ({ lastTurn }) => lastTurn?.stages.recognition_ms > 1000],
  ["slowVoice", ({ lastTurn }) => lastTurn?.stages.first_audio_ms > 1000],
  ["quiet", ({ lastTurn }) => lastTurn?.kind === "voice" && lastTurn.peak < 0.02],
  ["slowCapture", ({ audio, latency }) => audio.captureToSendMs.p95 > 80 && latency.p50 < 60],
  ["canBeFaster", ({ audio, latency }) => audio.chosenPreset === "stable" && latency.count >= 5 && latency.p95 < 20],
];

/** metrics: what EnhancedVoiceAssistant.getMetrics() returns. The first rule that applies, most pressing first. */
export function advise(metrics) {
  return RULES.find(([, applies]) => applies(metrics))?.[0] ?? "fine";
}
