/**
 * The page's elements that the assistant keeps up to date: those of the migration guide, each of them optional.
 */

export function showState({ statusElement, recordButton }, { status, recording }) {
  if (statusElement && statusElement.textContent !== status) statusElement.textContent = status;
  recordButton?.setAttribute("aria-pressed", String(recording));
  recordButton?.classList.toggle("recording", recording);
}

export function showReply({ responseElement }, text) {
  if (responseElement) responseElement.textContent = text;
}

export function showMetrics({ metricsElement }, { latency, audio }) {
  if (!metricsElement) return;
  const roundTrip = latency.average === null ? "–" : `${latency.average} ms`;
  metricsElement.textContent = `${roundTrip} · ${audio.chunkSize} B / ${audio.chunkIntervalMs} ms`;
}
