/**
 * Sentences of the owner's: taught here, shown, forgotten. The device tries what it is taught before it keeps it.
 */

import { MOST_TAUGHT } from "../core/protocol.js";
import { make } from "./nodes.js";

/** field: (id) → element. texts: () → those of the language in use. {show(skills), taught(message)}. */
export function bindTeaching(field, { assistant, texts }) {
  const inputs = { phrase: field("teachPhrase"), reply: field("teachReply") };
  let instead = false;

  for (const [part, input] of Object.entries(inputs)) {
    input.maxLength = MOST_TAUGHT[part];
    input.addEventListener("input", () => ask(false));
    input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault(); // or the settings would close
      teach();
    });
  }
  field("teach").addEventListener("click", teach);

  /** The button keeps it, or keeps it although it has meant something else. */
  function ask(anyway) {
    instead = anyway;
    field("teach").textContent = anyway ? texts().teachInstead : texts().teachKeep;
  }

  function teach() {
    const missing = Object.values(inputs).find((input) => !input.value.trim());
    if (missing) return missing.focus();
    field("taught").textContent = "";
    assistant.set({ teach: { phrase: inputs.phrase.value.trim(), reply: inputs.reply.value.trim(), instead } });
  }

  function taught({ phrase, outcome }) {
    field("taught").textContent = texts().taught[outcome](phrase);
    ask(outcome === "instead");
    if (outcome === "kept") for (const input of Object.values(inputs)) input.value = "";
  }

  function row({ name, about, taught: isTaught, mistakes }) {
    const words = texts();
    const notes = [isTaught ? words.skillTaught : words.skillFile(name), mistakes ? words.skillMistakes : ""];
    const shown = make("div", { className: "choice" },
      make("span", {}, make("b", { textContent: about || name }), make("small", { textContent: notes.join(" ").trim() })));
    if (isTaught) {
      const button = make("button", { type: "button", textContent: words.forget, onclick: () => assistant.set({ forget: name }) });
      button.setAttribute("aria-label", `${words.forget}: ${about || name}`);
      shown.append(button);
    }
    return shown;
  }

  return { taught, show: (skills) => field("skillList").replaceChildren(...skills.map(row)) };
}

/** Who outside is asked, where they are, and what they are told. */
export function showHelpers(field, { helpers, words }) {
  field("helperText").textContent = helpers.length > 0 ? words.helpersSome : words.helpersNone;
  field("helperList").replaceChildren(...helpers.map(({ kind, name, where, fallback }) => {
    const title = kind === "target" || kind === "command" ? `${words.helperKinds[kind]}: ${name.split(" ").at(-1)}` : words.helperKinds[kind];
    const told = `${words.helperTold[kind]} ${fallback ? words.helperFallback : ""}`.trim();
    return make("p", { className: "choice" }, make("span", {}, make("b", { textContent: title }), make("small", { textContent: `${where}. ${told}` })));
  }));
}
