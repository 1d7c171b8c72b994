/**
 * Audio contexts with our code on their audio thread.
 *
 * Microphone and loudspeaker have one each: capture gains from the shortest blocks the sound card has, playback would
 * only begin to crackle with them; and the microphone's goes away with the microphone.
 */

const CLOCK_PATIENCE_MS = 3000;

/** Whether this page may use audio threads and microphone: browsers give them only to HTTPS and localhost. */
export function audioIsAllowed() {
  return globalThis.isSecureContext === true && typeof AudioWorkletNode === "function";
}

/** A context, not yet awake, that knows the processor in web/workers/`worker`. latencyHint: as AudioContext takes it. */
export async function openContext(worker, latencyHint) {
  const context = new AudioContext({ latencyHint });
  await context.audioWorklet.addModule(new URL(`../workers/${worker}`, import.meta.url));
  return context;
}

/** Phones suspend a context behind our back, and a page without a gesture yet gets a suspended one. */
export async function wake(context) {
  if (context.state !== "running") await context.resume();
}

/** `wake`, but an audio clock that does not start is an error: Firefox has none where no sound output exists. */
export async function wakeOrFail(context) {
  const patience = new Promise((_, reject) => {
    setTimeout(() => reject(new DOMException("the audio clock does not start", "TimeoutError")), CLOCK_PATIENCE_MS);
  });
  await Promise.race([wake(context), patience]);
}

/** Load the audio threads' code into the browser's cache, so that the first press waits for no network. Never throws. */
export async function loadWorkers() {
  const names = ["audio-streaming-worklet.js", "playback-worklet.js", "resampler.js"];
  await Promise.allSettled(names.map((name) => fetch(new URL(`../workers/${name}`, import.meta.url))));
}
