// Who was paired: named, given a role, revoked; and a code for the next one.

import { chooseLanguage, get, post } from "/entrance/common.js";

const TEXTS = {
  en: { talk: "may talk", configure: "may set things", owner: "owner", revoke: "Revoke", you: "this one", rename: "Rename" },
  de: { talk: "darf sprechen", configure: "darf einstellen", owner: "Eigentümer", revoke: "Entziehen", you: "dieser hier", rename: "Umbenennen" },
};

const element = (id) => document.getElementById(id);
let texts = TEXTS.en;

function made(name, fields = {}, ...children) {
  const node = Object.assign(document.createElement(name), fields);
  node.append(...children);
  return node;
}

async function change(path, fields) {
  const [status, answer] = await post(path, fields);
  element("error").textContent = status === 200 ? "" : (answer.error ?? `${status}`);
  await list();
}

function row(place) {
  const role = made("select", { onchange: () => change("/paired/change", { id: place.id, role: role.value }) },
    ...["talk", "configure", "owner"].map((one) => made("option", { value: one, textContent: texts[one], selected: one === place.role })));
  role.setAttribute("aria-label", place.name);
  const name = made("input", { value: place.name, maxLength: 40, onchange: () => change("/paired/change", { id: place.id, name: name.value }) });
  name.setAttribute("aria-label", texts.rename);
  const revoke = made("button", { type: "button", className: "quiet", textContent: texts.revoke, onclick: () => change("/paired/revoke", { id: place.id }) });
  return made("tr", {}, made("td", {}, name, made("br"), made("small", { textContent: `${place.kind}${place.you ? `, ${texts.you}` : ""}` })),
    made("td", {}, role), made("td", {}, revoke));
}

async function list() {
  const answer = await get("/paired");
  element("refused").hidden = answer !== null;
  element("places").replaceChildren(...(answer?.paired ?? []).map(row));
}

element("open").addEventListener("click", async () => {
  const [status, fields] = await post("/pair/open", {});
  element("code").textContent = status === 200 ? fields.code : `${fields.seconds ?? ""} s`;
});

chooseLanguage();
texts = TEXTS[document.documentElement.lang];
await list();
