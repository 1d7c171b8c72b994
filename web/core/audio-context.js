/**
 * Audio contexts with our code on their audio thread.
 *
 * Microphone and loudspeaker have one each: capture gains from the shortest blocks the sound card has, playback would
 * only begin to crackle with them; and the microphone's goes away with the microphone.
 */

/** Whether this page may use audio threads and microphone: browsers give them only to HTTPS and localhost. */
export function audioIsAllowed() {
  return globalThis.isSecureContext === true && typeof AudioWorkletNode === "function";
}

/** A running context that knows the processor in web/workers/`worker`. latencyHint: as AudioContext takes it. */
export async function openContext(worker, latencyHint) {
  const context = new AudioContext({ latencyHint });
  await context.audioWorklet.addModule(new URL(`../workers/${worker}`, import.meta.url));
  await wake(context);
  return context;
}

/** Phones suspend a context behind our back, and a page without a gesture yet gets a suspended one. */
export async function wake(context) {
  if (context.state !== "running") await context.resume();
}
