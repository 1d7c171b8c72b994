// What the entrance pages share.

export function each(selector, then) {
  document.querySelectorAll(selector).forEach(then);
}

/** German for Germans, English for everybody else; the style sheet hides the other. */
export function chooseLanguage() {
  document.documentElement.lang = navigator.language.toLowerCase().startsWith("de") ? "de" : "en";
}

/** [status, the answer's JSON or {}] */
export async function post(path, fields) {
  const response = await fetch(path, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(fields), cache: "no-store",
  });
  return [response.status, await response.json().catch(() => ({}))];
}

export async function get(path) {
  const response = await fetch(path, { cache: "no-store" });
  return response.ok ? response.json() : null;
}
