/**
 * The page itself, kept in the browser for the times when the device is away: it then says so, and comes back by itself.
 *
 * Its address is asked at the device every time, so it is never older than what the device has; all that it loads stands
 * below /~VERSION/ and is the same for ever. Nothing else is kept.
 */

const PREFIX = "stimme-";
/** A network that is there but does not answer is no network. */
const PATIENCE_MS = 4000;
/** What the page loads besides what it names. */
const LATER = ["page/rest.js", "workers/audio-streaming-worklet.js", "workers/playback-worklet.js", "workers/resampler.js"];

addEventListener("install", (event) => {
  skipWaiting();
  event.waitUntil(fetch("/", { cache: "no-cache" }).then(keep));
});

addEventListener("activate", (event) => event.waitUntil(clients.claim()));

addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return;
  if (request.mode === "navigate" && pathname === "/") event.respondWith(page(event));
  else if (pathname.startsWith("/~")) event.respondWith(caches.match(request).then((kept) => kept ?? fetch(request)));
});

/** As the device has it; as it was last, if the device is away. */
async function page(event) {
  const answer = fetch(event.request);
  event.waitUntil(answer.then((response) => keep(response.clone())).catch(() => {}));
  const late = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS));
  const response = await Promise.race([answer, late]).catch(() => undefined);
  if (response && response.status < 500) return response.clone();
  return (await caches.match("/")) ?? answer;
}

/** Keep the page and all that it loads, under its version, and forget the older ones. What is no such page is not kept. */
async function keep(response) {
  const html = response.ok ? await response.text() : "";
  const version = /"\/~([0-9a-f]+)\/app\.js"/.exec(html)?.[1];
  if (!version) return;
  const cache = await caches.open(PREFIX + version);
  if (!(await cache.match("/"))) {
    const parts = [...html.matchAll(/(?:href|src)="(\/~[^"]+)"/g)].map(([, path]) => path);
    await cache.addAll([...new Set([...parts, ...LATER.map((name) => `/~${version}/${name}`)])]);
    await cache.put("/", new Response(html, { headers: response.headers }));
  }
  for (const name of await caches.keys()) {
    if (name.startsWith(PREFIX) && name !== PREFIX + version) await caches.delete(name);
  }
}
