/**
 * The measurements over the page, shown by a double click on an empty place or by a switch in the settings.
 */

import { advise } from "../core/advice.js";
import { TEXTS } from "../core/texts.js";

const CONTROLS = "button, input, a, label, dialog, p.heard, p.reply";
const REFRESH_MS = 1000;

export function bindOverlay(panel, assistant) {
  const field = (id) => document.getElementById(id);
  let timer = null;

  function row(name, value) {
    const line = document.createElement("div");
    line.append(
      Object.assign(document.createElement("dt"), { textContent: name }),
      Object.assign(document.createElement("dd"), { textContent: value }),
    );
    return line;
  }

  function refresh() {
    const texts = TEXTS[assistant.config.language];
    const metrics = assistant.getMetrics();
    const { audio, lastTurn } = metrics;
    field("perfStatus").textContent = metrics.connected ? texts.connected : texts.disconnected;
    field("perfLatency").textContent = metrics.latency.average ?? "–";
    field("perfChunks").textContent = audio.chunksSent;
    field("perfBytes").textContent = `${Math.round(audio.totalBytes / 1024)} KB`;
    field("perfChunk").textContent = `${texts[audio.preset] ?? audio.preset} (${audio.chunkSize} B, ${audio.chunkIntervalMs} ms)`;
    const stages = Object.entries(lastTurn?.stages ?? {});
    if (lastTurn) stages.push(["total", lastTurn.processingTimeMs]);
    field("perfStages").replaceChildren(...stages.map(([name, ms]) => row(texts.stages[name] ?? name, `${ms} ms`)));
    field("perfAdvice").textContent = texts.advice[advise(metrics)];
  }

  const overlay = {
    get shown() {
      return !panel.hidden;
    },
    show(shown) {
      panel.hidden = !shown;
      clearInterval(timer);
      if (!shown) return;
      refresh();
      timer = setInterval(refresh, REFRESH_MS);
    },
  };
  document.addEventListener("dblclick", (event) => {
    if (event.target.closest(CONTROLS)) return;
    getSelection()?.removeAllRanges(); // a double click also marks a word
    overlay.show(!overlay.shown);
  });
  return overlay;
}
