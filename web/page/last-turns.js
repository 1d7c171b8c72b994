/**
 * The last turns' waits: the latest as a waterfall, the last fifty as a small chart, and a report of them without words.
 */

import { tenth } from "../core/statistics.js";
import { waits } from "../core/waits.js";
import { drawn, make } from "./nodes.js";

const MOST_TURNS = 50;
/** Whose part of the waiting it is; the colours of the chart. */
const OWNERS = { pause: "person", silence: "person", gather: "page", network: "network", hold: "page", output: "page" };
const owner = (name) => OWNERS[name] ?? "device";
const PAGE_SETTINGS = ["chunkSize", "bufferSize"];

export class LastTurns {
  #turns = new Map(); // id → Turn

  happened(turn) {
    this.#turns.set(turn.id, turn);
    if (this.#turns.size > MOST_TURNS) this.#turns.delete(this.#turns.keys().next().value);
  }

  /** [{turn, totalMs, parts}], oldest first, of those that were answered. */
  get waits() {
    return [...this.#turns.values()].map((turn) => ({ turn, ...waits(turn) })).filter(({ parts }) => parts);
  }

  /** Rows for a <dl>: name, bar, ms, setting. texts: of the page's language. openSettings(name): shows where to change it. */
  waterfall(texts, openSettings) {
    const last = this.waits.at(-1);
    if (!last) return [];
    let fromMs = 0;
    const rows = last.parts.filter(({ ms }) => ms >= 0.1).map(({ name, ms, setting }) => {
      const bar = make("span", { className: `bar ${owner(name)}` });
      bar.style.marginInlineStart = `${(100 * fromMs) / last.totalMs}%`;
      bar.style.width = `${(100 * ms) / last.totalMs}%`;
      fromMs += ms;
      const term = make("dt", {}, texts.stages[name] ?? name);
      if (setting) term.append(" ", settingLink(setting, texts, openSettings));
      return make("div", {}, term, make("dd", { textContent: `${Math.round(ms)} ms` }), make("dd", { className: "lane" }, bar));
    });
    const total = make("div", { className: "total" }, make("dt", { textContent: texts.stages.total }),
      make("dd", { textContent: `${Math.round(last.totalMs)} ms` }));
    return [...rows, total];
  }

  /** An SVG with one bar a turn, in parts by whose they are; null while there are fewer than two. */
  chart(texts) {
    const all = this.waits;
    if (all.length < 2) return null;
    const top = Math.max(...all.map(({ totalMs }) => totalMs));
    const bars = all.flatMap(({ parts }, place) => {
      let y = 100;
      return parts.map(({ name, ms }) => {
        const height = (100 * ms) / top;
        y -= height;
        return drawn("rect", { x: place * 4, y, width: 3, height, class: owner(name) });
      });
    });
    const middle = [...all].sort((a, b) => a.totalMs - b.totalMs)[Math.floor(all.length / 2)].totalMs;
    const label = texts.chart(all.length, Math.round(middle), Math.round(top));
    const chart = drawn("svg", { viewBox: `0 0 ${MOST_TURNS * 4} 100`, preserveAspectRatio: "none", role: "img", "aria-label": label }, ...bars);
    return make("figure", {}, chart, make("figcaption", { textContent: label }));
  }

  /** What to attach to a bug report: figures and settings, nothing that anybody said, no secret, no address. */
  report(assistant, pageVersion) {
    const { config, welcome } = assistant;
    const { audio, ...metrics } = assistant.getMetrics();
    const { recentChunks, ...sound } = audio;
    const settings = Object.fromEntries(Object.entries(config).filter(([name]) => name !== "wsUrl"));
    return JSON.stringify({
      page: pageVersion, browser: navigator.userAgent, secure: isSecureContext,
      device: welcome && { recognizer: welcome.recognizer, voice: welcome.voice, page: welcome.page_version },
      settings, connection: { state: metrics.state, reconnects: metrics.reconnects, roundTripMs: metrics.latency }, sound,
      turns: this.waits.map(({ turn, totalMs, parts }) => ({
        kind: turn.kind, language: turn.language, outcome: turn.outcome, audioMs: Math.round(turn.audioMs),
        peak: tenth(turn.peak * 100) / 100, ended: turn.ended, totalMs,
        parts: Object.fromEntries(parts.map(({ name, ms }) => [name, ms])),
      })),
    }, null, 1);
  }
}

/** The setting's name, and the way to it. */
function settingLink(setting, texts, openSettings) {
  const name = texts.settingNames[setting] ?? setting;
  const button = make("button", { type: "button", className: "link", textContent: name });
  button.addEventListener("click", () => openSettings(PAGE_SETTINGS.includes(setting) ? "presets" : "deviceSettings"));
  return button;
}
