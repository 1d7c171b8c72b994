/** What an audio worklet finds around it, for running one in Node. */

export function workletScope(sampleRate) {
  const registered = new Map();
  Object.assign(globalThis, {
    sampleRate,
    currentTime: 0,
    AudioWorkletProcessor: class {
      port = { posted: [], postMessage(message) { this.posted.push(message); } };
    },
    registerProcessor: (name, processor) => registered.set(name, processor),
  });
  return registered;
}

/** Let a processor hear `signal` (Float32Array) in quanta of 128. */
export function hear(processor, signal) {
  for (let start = 0; start < signal.length; start += 128) {
    processor.process([[signal.subarray(start, start + 128)]]);
    globalThis.currentTime += 128 / globalThis.sampleRate;
  }
}

export function takePosted(processor) {
  return processor.port.posted.splice(0);
}
