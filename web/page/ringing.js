/**
 * What rings, over everything else: what it is, where it was set, and how to stop it. It sounds until somebody does.
 */

import { placeText, timerName } from "./board.js";
import { keepShown, make } from "./nodes.js";

const CHIME_EVERY_MS = 2600;
const SNOOZE_S = 300;

export class RingingView {
  #ringing = [];
  #timer = null;

  /** list: what shows it. texts: () → those of the language in use. */
  constructor({ list, assistant, texts, language }) {
    Object.assign(this, { list, assistant, texts, language });
  }

  get isRinging() {
    return this.#ringing.length > 0;
  }

  show({ ringing }) {
    const over = this.#ringing.filter(({ id }) => !ringing.some((other) => other.id === id));
    for (const { id } of over) this.assistant.silence(`timer-${id}`); // stopped somewhere: so is what is said of it
    this.#ringing = ringing;
    this.relabel();
    clearInterval(this.#timer);
    if (ringing.length > 0) this.#timer = setInterval(() => this.#chime(), CHIME_EVERY_MS);
  }

  async #chime() {
    if (this.assistant.state !== "idle") return;
    await this.assistant.openSound({ chime: true });
    this.relabel();
  }

  relabel() {
    this.list.hidden = this.#ringing.length === 0;
    keepShown(this.list, this.#ringing, ({ id }) => `${id}${this.language()}`, (timer) => this.#banner(timer));
  }

  #banner(timer) {
    const texts = this.texts();
    const does = (what, seconds) => () => this.assistant.changeTimer(timer.id, what, seconds);
    const name = timerName(timer, texts);
    const about = make("small");
    const banner = make("div", {},
      make("div", { className: "what" }, make("b", { textContent: texts.rings(name) }), about),
      make("button", { type: "button", className: "later", textContent: texts.snooze(SNOOZE_S / 60), onclick: does("snooze", SNOOZE_S) }),
      make("button", { type: "button", className: "stop", textContent: texts.stopRinging, onclick: does("stop") }));
    banner.show = () => {
      const unheard = this.assistant.soundIsOpen ? "" : texts.touchToHear;
      about.textContent = [placeText(timer.place, texts), unheard].filter(Boolean).join(" · ");
    };
    return banner;
  }
}
