/**
 * The measurements over the page, shown by a double click on an empty place or by a switch in the settings.
 */

import { advise } from "../core/advice.js";
import { TEXTS } from "../core/texts.js";

const CONTROLS = "button, input, a, label, dialog, p.heard, p.reply";
const REFRESH_MS = 1000;

/** lastTurns: a LastTurns. openSettings(name): shows a part of the settings. report(): copies the report; a promise. */
export function bindOverlay(panel, assistant, { lastTurns, openSettings, report }) {
  const field = (id) => document.getElementById(id);
  let timer = null;
  let waterfallShown = "";

  function refresh() {
    const texts = TEXTS[assistant.config.language];
    const metrics = assistant.getMetrics();
    const { audio } = metrics;
    field("perfStatus").textContent = metrics.connected ? texts.connected : texts.disconnected;
    field("perfLatency").textContent = metrics.latency.average ?? "–";
    field("perfChunks").textContent = audio.chunksSent;
    field("perfBytes").textContent = `${Math.round(audio.totalBytes / 1024)} KB`;
    field("perfChunk").textContent = `${texts[audio.preset] ?? audio.preset} (${audio.chunkSize} B, ${audio.chunkIntervalMs} ms)`;
    const shown = JSON.stringify([assistant.config.language, lastTurns.waits.map(({ turn, totalMs }) => [turn.id, totalMs])]);
    if (shown !== waterfallShown) {
      waterfallShown = shown;
      field("perfStages").replaceChildren(...lastTurns.waterfall(texts, openSettings));
      field("perfChart").replaceChildren(...[lastTurns.chart(texts)].filter(Boolean));
    }
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
  field("copyReport").addEventListener("click", async () => {
    const texts = TEXTS[assistant.config.language];
    field("reportStatus").textContent = (await report()) ? texts.reportCopied : texts.reportRefused;
  });
  document.addEventListener("dblclick", (event) => {
    if (event.target.closest(CONTROLS)) return;
    getSelection()?.removeAllRanges(); // a double click also marks a word
    overlay.show(!overlay.shown);
  });
  return overlay;
}
