/**
 * Wake words at the device's own microphone: which are listened for, and what the last wakes were.
 */

import { make } from "./nodes.js";

const MOST_WORDS = 3;

/** field: (id) → element. wake: as `settings` tells it, null without a microphone. may: they may choose. */
export function showWaking(field, { wake, may, words, set }) {
  field("wakeRow").hidden = wake === null;
  if (wake === null) return;
  const names = wake.words.map((word) => wake.known[word]);
  field("wakeText").textContent = Object.keys(wake.known).length === 0 ? words.wakeMissing
    : wake.listens ? words.wakeListens(names.join(", ")) : words.wakeOff;
  field("wakeWords").replaceChildren(...Object.entries(wake.known).map(([word, name]) => {
    const chosen = wake.words.includes(word);
    const others = wake.words.filter((one) => one !== word);
    const box = make("input", {
      type: "checkbox", checked: chosen, disabled: !may || (!chosen && others.length === MOST_WORDS),
      onchange: () => set({ wake_words: chosen ? others : [...others, word] }),
    });
    return make("label", { className: "choice switch" }, make("span", {}, make("b", { textContent: name })), box);
  }));
  field("wakes").replaceChildren(...wake.wakes.toReversed().map((one) => wakeRow(one, { may, words, set })));
}

function wakeRow({ number, word, score, at, accepted, wrong }, { may, words, set }) {
  const time = new Date(at * 1000).toLocaleTimeString(document.documentElement.lang);
  const became = wrong ? words.wakeWrong : accepted === false ? words.wakeContradicted : "";
  const row = make("div", { className: "choice" }, make("span", {}, make("b", { textContent: `${word}, ${time}` }),
    make("small", { textContent: `${words.wakeScore(Math.round(score * 100))} ${became}`.trim() })));
  if (may && !wrong) {
    const button = make("button", { type: "button", textContent: words.wakeWasWrong, onclick: () => set({ wrong_wake: number }) });
    button.setAttribute("aria-label", `${words.wakeWasWrong}: ${word}, ${time}`);
    row.append(button);
  }
  return row;
}
