// A new browser: types the code that the device says, and is known from then on.

import { chooseLanguage, get, post } from "/entrance/common.js";

const TEXTS = {
  en: { wrong_code: "That is not the code, or it is over two minutes old.", locked: "Too many wrong codes. Try again in {seconds} s.",
        other: "That did not work. Try again." },
  de: { wrong_code: "Das ist nicht der Code, oder er ist älter als zwei Minuten.", locked: "Zu viele falsche Codes. Noch {seconds} s warten.",
        other: "Das ging nicht. Versuchen Sie es noch einmal." },
};

const element = (id) => document.getElementById(id);

function show(error, fields = {}) {
  const texts = TEXTS[document.documentElement.lang];
  element("error").textContent = (texts[error] ?? texts.other).replace("{seconds}", fields.seconds ?? "");
}

/** A first guess; the person will know better. */
function guessedName() {
  const agent = navigator.userAgent;
  const device = /iphone/i.test(agent) ? "iPhone" : /ipad/i.test(agent) ? "iPad" : /android/i.test(agent) ? "Android"
    : /windows/i.test(agent) ? "Windows" : /mac/i.test(agent) ? "Mac" : "Linux";
  return /firefox/i.test(agent) ? `Firefox, ${device}` : /edg/i.test(agent) ? `Edge, ${device}`
    : /chrom/i.test(agent) ? `Chrome, ${device}` : device;
}

async function look() {
  const me = await get("/me");
  if (me === null) return;
  if (me.role !== "anybody") {
    // Paired already: a strict cookie does not come along when another site, or our own over HTTP, leads here.
    location.replace("/");
    return;
  }
  element("how-request").hidden = !me.may_request || me.code;
  element("how-ask").hidden = me.may_request || me.code;
}

element("request").addEventListener("click", async () => {
  const [status, fields] = await post("/pair/request", {});
  if (status !== 200) show(fields.error, fields);
  await look();
  element("code").focus();
});

element("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  element("error").textContent = "";
  const [status, fields] = await post("/pair", { code: element("code").value.trim(), name: element("name").value });
  if (status === 200) location.replace("/");
  else show(fields.error, fields);
});

chooseLanguage();
element("name").value = guessedName();
await look();
setInterval(look, 5000);
