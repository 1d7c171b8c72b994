/**
 * The conversation of this visit: one entry a turn, the question above its reply.
 */

function make(name, properties = {}, ...children) {
  const node = Object.assign(document.createElement(name), properties);
  node.append(...children);
  return node;
}

export class ConversationView {
  #entries = new Map(); // turn id → {item, heard, reply, note}

  /** texts: () → the page's words in the language in use. */
  constructor({ list, scroller, welcome, texts }) {
    Object.assign(this, { list, scroller, welcome, texts });
  }

  showTurn(turn) {
    const entry = this.#entries.get(turn.id) ?? this.#add(turn);
    const { texts } = this;
    const understood = turn.outcome !== "open" || turn.finalAtMs !== null;
    entry.item.dataset.outcome = turn.outcome;
    entry.item.dataset.heard = understood ? "final" : "partial";
    entry.heard.textContent = turn.heard || (understood ? texts().nothingHeard : "…");
    entry.reply.textContent = turn.reply;
    entry.note.textContent = turn.truncated ? texts().truncated : "";
    if (turn.outcome === "cancelled") this.#remove(turn.id);
    this.#scroll();
  }

  showAnnouncement({ kind, text, language }) {
    const name = make("p", { className: "who", textContent: this.texts().kinds[kind] ?? this.texts().assistant });
    const reply = make("p", { className: "reply", lang: language, textContent: text });
    this.list.append(make("li", { className: "entry announcement" }, name, reply));
    this.welcome.hidden = true;
    this.#scroll();
  }

  relabel() {
    for (const name of this.list.querySelectorAll("[data-text]")) name.textContent = this.texts()[name.dataset.text];
  }

  #add(turn) {
    const speaker = (key) => {
      const name = make("span", { className: "unseen", textContent: this.texts()[key] });
      name.dataset.text = key;
      return name;
    };
    const heard = make("p", { className: "heard", lang: turn.language });
    const reply = make("p", { className: "reply", lang: turn.language });
    const note = make("p", { className: "note" });
    const item = make("li", { className: "entry" }, speaker("you"), heard, note, speaker("assistant"), reply);
    this.list.append(item);
    this.welcome.hidden = true;
    const entry = { item, heard, reply, note };
    this.#entries.set(turn.id, entry);
    return entry;
  }

  #remove(id) {
    this.#entries.get(id).item.remove();
    this.#entries.delete(id);
    this.welcome.hidden = this.list.childElementCount > 0;
  }

  #scroll() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
  }
}
