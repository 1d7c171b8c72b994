/**
 * What this browser remembers, and the page's words in the language in use.
 */

import { qualityIsChosen } from "../core/config.js";
import { LANGUAGES } from "../core/protocol.js";
import { TEXTS } from "../core/texts.js";
import { OPTIMIZATION_CONFIGS, presetName } from "../core/quality.js";

const KEY = "stimme.settings";

/** Settings for the assistant; the browser's own language where nothing was chosen. */
export function savedSettings() {
  const language = LANGUAGES.find((known) => navigator.language.toLowerCase().startsWith(known)) ?? "en";
  try {
    const { preset, ...saved } = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    return checked({ language, ...saved, ...OPTIMIZATION_CONFIGS[preset] });
  } catch {
    return { language }; // storage is blocked or what it holds is not ours
  }
}

function checked({ language, adaptiveQuality = true, speakReplies = true, ...preset }) {
  return {
    ...preset,
    language: LANGUAGES.includes(language) ? language : "en",
    adaptiveQuality: adaptiveQuality === true,
    speakReplies: speakReplies === true,
  };
}

export function saveSettings(config) {
  const { language, adaptiveQuality, speakReplies } = config;
  try {
    const preset = qualityIsChosen(config) ? presetName(config) : undefined;
    localStorage.setItem(KEY, JSON.stringify({ language, adaptiveQuality, speakReplies, preset }));
  } catch {
    // private windows may refuse: the choice then lasts as long as the page
  }
}

/** Put the words of `language` wherever the page names one: data-text, data-label, data-placeholder. */
export function localise(language) {
  const texts = TEXTS[language];
  document.documentElement.lang = language;
  document.title = texts.pageTitle;
  for (const node of document.querySelectorAll("[data-text]")) node.textContent = texts[node.dataset.text];
  for (const node of document.querySelectorAll("[data-label]")) node.setAttribute("aria-label", texts[node.dataset.label]);
  for (const node of document.querySelectorAll("[data-placeholder]")) node.placeholder = texts[node.dataset.placeholder];
}
