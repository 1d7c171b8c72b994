/**
 * One AudioContext for microphone and loudspeaker, made on the first press: browsers allow sound only after a gesture.
 */

const workerUrl = (name) => new URL(`../workers/${name}`, import.meta.url);

/** Whether this page may use the audio threads at all: browsers give them only to HTTPS and localhost. */
export function audioIsAllowed() {
  return globalThis.isSecureContext === true && typeof AudioWorkletNode === "function";
}

export function sharedAudioContext() {
  let opening = null;

  async function open() {
    const context = new AudioContext({ latencyHint: "interactive" });
    await Promise.all([
      context.audioWorklet.addModule(workerUrl("audio-streaming-worklet.js")),
      context.audioWorklet.addModule(workerUrl("playback-worklet.js")),
    ]);
    return context;
  }

  /** The running context; phones suspend it behind our back, so every use resumes it. */
  return async function audioContext() {
    opening ??= open().catch((error) => {
      opening = null;
      throw error;
    });
    const context = await opening;
    if (context.state !== "running") await context.resume();
    return context;
  };
}
