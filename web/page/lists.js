/**
 * One list: items are ticked off by hand, put back as long as they were meant to stay, and added.
 */

import { keepShown, make } from "./nodes.js";

const PUT_BACK_MS = 8000;
const WIDE = "(min-width: 64rem)";

export class ListView {
  #timer = null;

  constructor({ name }, { assistant, texts }) {
    Object.assign(this, { name, assistant, texts });
    const words = texts();
    this.title = words.lists[name] ?? name;
    this.count = make("span", { className: "count" });
    this.items = make("ul", { className: "items" });
    this.back = make("p", { className: "back", hidden: true });
    this.back.setAttribute("role", "status");
    const input = make("input", { type: "text", maxLength: 100, placeholder: words.addItem, enterKeyHint: "done" });
    input.setAttribute("aria-label", words.addItemTo(this.title));
    const form = make("form", { autocomplete: "off" }, input);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const item = input.value.trim();
      if (item && assistant.changeItem(name, item, "add")) input.value = "";
    });
    const summary = make("summary", {}, make("span", { textContent: this.title }), this.count);
    this.node = make("details", { className: "list", open: matchMedia(WIDE).matches }, summary, this.items, this.back, form);
    this.node.show = (list) => this.#show(list);
  }

  #show({ items }) {
    this.count.textContent = items.length;
    keepShown(this.items, items, (item) => item, (item) => this.#item(item));
  }

  #item(item) {
    const box = make("input", { type: "checkbox" });
    box.addEventListener("change", () => {
      if (this.assistant.changeItem(this.name, item, "remove")) this.#offerBack(item);
      else box.checked = false;
    });
    return Object.assign(make("li", {}, make("label", {}, box, make("span", { textContent: item }))), { show: () => {} });
  }

  #offerBack(item) {
    const words = this.texts();
    const button = make("button", { type: "button", className: "link", textContent: words.putBack });
    button.onclick = () => {
      if (this.assistant.changeItem(this.name, item, "add")) this.back.hidden = true;
    };
    this.back.replaceChildren(`${words.ticked(item)} `, button);
    this.back.hidden = false;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => (this.back.hidden = true), PUT_BACK_MS);
  }
}
