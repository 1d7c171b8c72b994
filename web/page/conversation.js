/**
 * The conversation of this visit: one entry a turn, the question above its reply, between them what was understood.
 */

import { MAX_TEXT_LENGTH } from "../core/protocol.js";
import { make } from "./nodes.js";

/** A page may be open for weeks; more than this nobody scrolls back. */
const MOST_ENTRIES = 100;
const KEY = "stimme.conversation";
const MOST_SAVED = 20;

export class ConversationView {
  #entries = new Map(); // turn id → {item, heard, meant, reply, note}

  /** texts: () → the page's words in the language in use. correct(turn, text): asks what was meant instead. */
  constructor({ list, scroller, welcome, texts, correct, storage = globalThis.sessionStorage }) {
    Object.assign(this, { list, scroller, welcome, texts, correct, storage });
  }

  showTurn(turn) {
    if (turn.outcome === "cancelled") return this.#remove(turn.id);
    const entry = this.#entries.get(turn.id) ?? this.#add(turn);
    const { texts } = this;
    const understood = turn.outcome !== "open" || turn.finalAtMs !== null;
    entry.item.dataset.outcome = turn.outcome;
    entry.item.dataset.heard = understood ? "final" : "partial";
    entry.heard.textContent = turn.heard || (understood ? texts().nothingHeard : "…");
    entry.reply.textContent = turn.reply;
    entry.note.textContent = turn.truncated ? texts().truncated : "";
    if (turn.outcome === "answered" && entry.meant.childElementCount === 0) this.#showMeant(entry, turn);
    this.#scroll();
  }

  showAnnouncement({ kind, text, language }) {
    const name = make("p", { className: "who", textContent: this.texts().kinds[kind] ?? this.texts().assistant });
    const reply = make("p", { className: "reply", lang: language, textContent: text });
    this.#append(make("li", { className: "entry announcement" }, name, reply));
    this.#scroll();
  }

  relabel() {
    for (const name of this.list.querySelectorAll("[data-text]")) name.textContent = this.texts()[name.dataset.text];
  }

  /** Before the page loads itself anew: what was said stays in sight, in this tab and only until then. */
  save() {
    const entries = [...this.list.children].slice(-MOST_SAVED).map((item) => {
      const text = (part) => item.querySelector(part)?.textContent ?? "";
      return { who: text(".who"), heard: text(".heard"), reply: text(".reply"), language: item.querySelector(".reply").lang };
    });
    try {
      this.storage.setItem(KEY, JSON.stringify(entries));
    } catch {
      // no room or no leave: it is gone, as by any other reload
    }
  }

  restore() {
    let entries = [];
    try {
      entries = JSON.parse(this.storage.getItem(KEY) ?? "[]");
      this.storage.removeItem(KEY);
    } catch {
      // what it holds is not ours
    }
    for (const { who, heard, reply, language } of entries) {
      const parts = [who && make("p", { className: "who", textContent: who }), heard && make("p", { className: "heard", lang: language, textContent: heard })];
      this.#append(make("li", { className: `entry ${who ? "announcement" : ""}` }, ...parts.filter(Boolean), make("p", { className: "reply", lang: language, textContent: reply })));
    }
    if (entries.length > 0) this.#scroll();
  }

  #add(turn) {
    const speaker = (key) => {
      const name = make("span", { className: "unseen", textContent: this.texts()[key] });
      name.dataset.text = key;
      return name;
    };
    const heard = make("p", { className: "heard", lang: turn.language });
    const meant = make("p", { className: "meant", lang: turn.language });
    const reply = make("p", { className: "reply", lang: turn.language });
    const note = make("p", { className: "note" });
    const item = make("li", { className: "entry" }, speaker("you"), heard, note, meant, speaker("assistant"), reply);
    item.dataset.turn = turn.id;
    this.#append(item);
    const entry = { item, heard, meant, reply, note };
    this.#entries.set(turn.id, entry);
    return entry;
  }

  #append(item) {
    this.list.append(item);
    this.welcome.hidden = true;
    while (this.list.childElementCount > MOST_ENTRIES) {
      this.#entries.delete(this.list.firstElementChild.dataset.turn);
      this.list.firstElementChild.remove();
    }
  }

  /** What was understood, and the way to say that something else was meant. */
  #showMeant({ meant, item }, turn) {
    const button = make("button", { type: "button", className: "link", textContent: this.texts().iMeant });
    button.dataset.text = "iMeant";
    button.addEventListener("click", () => this.#offerCorrection(item, meant, turn));
    meant.replaceChildren(...(turn.meant ? [make("span", { textContent: this.texts().understood(turn.meant) })] : []), button);
    meant.title = [turn.intent, ...Object.entries(turn.values).map(([name, value]) => `${name}: ${value}`)].join(" · ");
  }

  #offerCorrection(item, meant, turn) {
    const { texts } = this;
    const input = make("input", { type: "text", value: turn.heard, maxLength: MAX_TEXT_LENGTH, enterKeyHint: "send", lang: turn.language });
    input.setAttribute("aria-label", texts().iMeantLabel);
    const form = make("form", { className: "correction", autocomplete: "off" }, input, make("button", { type: "submit", textContent: texts().send }));
    const close = () => {
      form.remove();
      meant.hidden = false;
    };
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const text = input.value.trim();
      close();
      if (text && text !== turn.heard) this.correct(turn, text);
    });
    input.addEventListener("keydown", (event) => {
      if (event.key === "Escape") close();
    });
    meant.hidden = true;
    meant.after(form);
    input.focus();
    input.select();
    form.scrollIntoView({ block: "nearest" });
  }

  #remove(id) {
    this.#entries.get(id)?.item.remove();
    this.#entries.delete(id);
    this.welcome.hidden = this.list.childElementCount > 0;
  }

  #scroll() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
  }
}
