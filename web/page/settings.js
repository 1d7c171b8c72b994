/**
 * The settings sheet.
 */

import { audioIsAllowed } from "../core/audio-context.js";
import { OPTIMIZATION_CONFIGS, presetName } from "../core/quality.js";
import { TEXTS } from "../core/texts.js";
import { saveSettings } from "./preferences.js";

const ROUND_TRIPS = 10;

export function bindSettings(sheet, { assistant, overlay, wall }) {
  const field = (id) => document.getElementById(id);

  function show(part) {
    const { config } = assistant;
    for (const radio of sheet.querySelectorAll("[name=preset]")) radio.checked = radio.value === presetName(config);
    field("adaptive").checked = config.adaptiveQuality;
    field("speak").checked = config.speakReplies && audioIsAllowed();
    field("speak").disabled = !audioIsAllowed();
    field("overlay").checked = overlay.shown;
    field("benchmarkResult").textContent = "";
    field("awake").checked = wall.settings.awake;
    field("awake").disabled = !("wakeLock" in navigator);
    field("clock").checked = wall.settings.clock;
    field("fullScreenRow").hidden = !document.fullscreenEnabled;
    assistant.showSettings();
    sheet.showModal();
    const wanted = typeof part === "string" && field(part);
    if (wanted) {
      wanted.scrollIntoView({ block: "center" });
      (wanted.querySelector("input:checked, button, input") ?? wanted).focus();
    }
  }

  function change(settings) {
    Object.assign(assistant.config, settings);
    saveSettings(assistant.config);
  }

  async function measure() {
    const texts = TEXTS[assistant.config.language];
    field("benchmark").disabled = true;
    field("benchmarkResult").textContent = texts.benchmarkRunning;
    try {
      const result = await assistant.benchmarkLatency(ROUND_TRIPS);
      field("benchmarkResult").textContent = texts.benchmarkResult({ ...result, count: ROUND_TRIPS });
    } catch {
      field("benchmarkResult").textContent = texts.benchmarkFailed;
    }
    field("benchmark").disabled = false;
  }

  field("presets").addEventListener("change", (event) => change(OPTIMIZATION_CONFIGS[event.target.value]));
  field("adaptive").addEventListener("change", (event) => change({ adaptiveQuality: event.target.checked }));
  field("speak").addEventListener("change", (event) => change({ speakReplies: event.target.checked }));
  field("overlay").addEventListener("change", (event) => overlay.show(event.target.checked));
  field("awake").addEventListener("change", (event) => wall.change({ awake: event.target.checked }));
  field("clock").addEventListener("change", (event) => wall.change({ clock: event.target.checked }));
  field("fullScreen").addEventListener("click", () => {
    if (document.fullscreenElement) document.exitFullscreen();
    else document.documentElement.requestFullscreen();
  });
  field("benchmark").addEventListener("click", measure);
  sheet.addEventListener("click", (event) => event.target === sheet && sheet.close()); // beside the sheet
  return { show };
}
