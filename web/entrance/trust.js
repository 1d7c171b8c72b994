// Tells the way to HTTPS, and notices by itself when the certificate is trusted.

import { chooseLanguage, each } from "/entrance/common.js";

const LOOK_MS = 2000;

export function platform(agent = navigator.userAgent, touchPoints = navigator.maxTouchPoints) {
  if (/firefox|fxios/i.test(agent) && !/iphone|ipad/i.test(agent)) return "firefox";
  if (/iphone|ipad|ipod/i.test(agent) || (/macintosh/i.test(agent) && touchPoints > 1)) return "ios";
  if (/android/i.test(agent)) return "android";
  if (/windows/i.test(agent)) return "windows";
  return /macintosh|mac os/i.test(agent) ? "macos" : "linux";
}

function bare(host) {
  return host.replace(/^\[|\]$/g, "").toLowerCase();
}

async function isTrusted(origin) {
  try {
    await fetch(`${origin}/trusted`, { mode: "no-cors", cache: "no-store", credentials: "omit" });
    return true;
  } catch {
    return false;
  }
}

async function start() {
  chooseLanguage();
  const trust = await (await fetch("/trust.json")).json();
  // The name by which this browser got here works for it; the .local name may not (older Androids do not know any).
  const known = trust.names.map(bare).includes(bare(location.hostname));
  const host = known ? location.hostname : trust.names[0];
  const origin = `https://${host}${trust.port === 443 ? "" : `:${trust.port}`}`;
  each(".here", (element) => (element.textContent = location.origin));
  each(".there", (element) => (element.textContent = origin));
  each(".name", (element) => (element.textContent = `Stimme ${trust.name}`));
  each(".there-link", (element) => (element.href = `${origin}/`));
  document.getElementById("words").textContent = trust.words.join(" · ");
  document.getElementById("fingerprint").textContent = `SHA-256 ${trust.fingerprint}`;
  each(`details[data-platform="${platform()}"]`, (element) => {
    element.open = true;
    element.parentElement.insertBefore(element, element.parentElement.querySelector("details"));
  });
  while (!(await isTrusted(origin))) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  document.getElementById("state").dataset.state = "trusted";
}

start();
