/**
 * Timers, alarms, reminders and lists beside the conversation, as every open page shows them.
 */

import { ListView } from "./lists.js";
import { clockFace, repeatText, whenText } from "./moments.js";
import { drawn, keepShown, make, signButton } from "./nodes.js";

const LOOK_MS = 250;
const MORE_S = 60;
const SIGNS = { pause: "M9 6v12M15 6v12", resume: "M8 5.5v13l10-6.5z", more: "M12 6v12M6 12h12", cancel: "m7 7 10 10M17 7 7 17" };

/** Where something was set; nothing for what was set at the device. */
export const placeText = (place, texts) => (place ? texts.setIn(place) : texts.setHere);

/** A timer's, alarm's or reminder's own name, or what it is. */
export const timerName = ({ kind, name }, texts) => name || texts.kinds[kind];

export class BoardView {
  #board = { timers: [], ringing: [], lists: [] };
  #arrivedMs = 0;
  #timer = null;

  /** assistant: carries changes out. language, texts: () → those in use. now: ms on a steady clock. */
  constructor({ section, timers, lists, assistant, language, texts, now = () => performance.now() }) {
    Object.assign(this, { section, timers, lists, assistant, language, texts, now });
  }

  get isEmpty() {
    return this.#board.timers.length + this.#board.lists.length === 0;
  }

  show(board) {
    this.#board = board;
    this.#arrivedMs = this.now();
    this.relabel();
  }

  /** Again, in the language in use. */
  relabel() {
    this.section.hidden = this.isEmpty;
    document.body.dataset.board = this.isEmpty ? "empty" : "shown";
    keepShown(this.timers, this.#board.timers, ({ id, kind }) => `${kind}${id}${this.language()}`, (timer) => this.#card(timer));
    keepShown(this.lists, this.#board.lists, ({ name }) => `${name} ${this.language()}`, (list) => new ListView(list, this).node);
    clearInterval(this.#timer);
    if (this.#board.timers.some(({ kind, due }) => kind === "timer" && due !== null)) {
      this.#timer = setInterval(() => this.#tick(), LOOK_MS);
    }
    this.#tick();
  }

  /** Seconds until a timer rings. */
  leftS({ due, paused_s: pausedS }) {
    return pausedS ?? due - this.#board.now - (this.now() - this.#arrivedMs) / 1000;
  }

  /** For a clock face: what comes next, soonest first. */
  get upcoming() {
    const { timers, local } = this.#board;
    return timers.filter(({ due }) => due !== null).map((timer) => ({ timer, local, leftS: this.leftS(timer) }));
  }

  #tick() {
    for (const card of this.timers.children) card.tick();
  }

  #card(timer) {
    const texts = this.texts();
    const change = (what, seconds) => () => this.assistant.changeTimer(timer.id, what, seconds);
    const name = make("b", { className: "name" });
    const about = make("small");
    const buttons = make("div", { className: "signs" });
    const face = timer.kind === "timer" ? this.#ring() : make("p", { className: "at" });
    const card = make("li", { className: `timer ${timer.kind}` }, face, make("div", { className: "what" }, name, about), buttons);
    let shown = timer;
    const say = (what) => `${texts[what]}: ${timerName(timer, texts)}`;
    const cancel = signButton(SIGNS.cancel, say("cancelTimer"), change("cancel"));
    if (timer.kind === "timer") {
      const pause = signButton(SIGNS.pause, say("pauseTimer"), () => change(shown.due === null ? "resume" : "pause")());
      buttons.append(pause, signButton(SIGNS.more, say("moreTimer"), change("extend", MORE_S)), cancel);
      card.toggle = (stands) => {
        pause.querySelector("path").setAttribute("d", stands ? SIGNS.resume : SIGNS.pause);
        pause.setAttribute("aria-label", say(stands ? "resumeTimer" : "pauseTimer"));
        pause.title = pause.getAttribute("aria-label");
      };
    } else buttons.append(cancel);
    card.show = (now) => {
      shown = now;
      name.textContent = timerName(now, texts);
      const again = repeatText(now.repeat, this.language(), texts);
      about.textContent = [again, placeText(now.place, texts)].filter(Boolean).join(" · ");
      if (now.kind === "timer") card.toggle(now.due === null);
      else face.textContent = whenText(now.due_local, this.#board.local, this.language(), texts);
      card.classList.toggle("paused", now.due === null);
    };
    card.tick = () => {
      if (shown.kind !== "timer") return;
      const leftS = this.leftS(shown);
      face.turn(leftS / shown.duration_s, clockFace(leftS));
    };
    return card;
  }

  /** Remaining time as a ring, with the time in it. */
  #ring() {
    const arc = drawn("circle", { cx: 32, cy: 32, r: 28, pathLength: 1, class: "arc", transform: "rotate(-90 32 32)" });
    const digits = drawn("text", { x: 32, y: 32, class: "digits" });
    const ring = drawn("svg", { viewBox: "0 0 64 64", class: "ring", role: "img" },
      drawn("circle", { cx: 32, cy: 32, r: 28, class: "track" }), arc, digits);
    ring.turn = (share, text) => {
      arc.setAttribute("stroke-dasharray", `${Math.min(1, Math.max(0, share)).toFixed(4)} 1`);
      if (digits.textContent === text) return;
      digits.textContent = text;
      digits.classList.toggle("long", text.length > 5);
      ring.setAttribute("aria-label", this.texts().left(text));
    };
    return ring;
  }
}
