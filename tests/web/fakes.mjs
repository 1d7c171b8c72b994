/** Stand-ins for what only a browser has: a clock that moves when told, sockets, a microphone, a loudspeaker. */

export class FakeClock {
  nowMs = 0;
  #timers = new Map();
  #next = 1;

  now = () => this.nowMs;
  setTimeout = (callback, delayMs) => {
    this.#timers.set(this.#next, { callback, atMs: this.nowMs + delayMs });
    return this.#next++;
  };
  clearTimeout = (timer) => this.#timers.delete(timer);

  /** Let time pass; what is due happens in order, and promises settle in between. */
  async pass(durationMs) {
    const untilMs = this.nowMs + durationMs;
    for (;;) {
      await settle();
      const due = [...this.#timers].filter(([, { atMs }]) => atMs <= untilMs).sort((a, b) => a[1].atMs - b[1].atMs)[0];
      if (!due) break;
      this.#timers.delete(due[0]);
      this.nowMs = due[1].atMs;
      due[1].callback();
    }
    this.nowMs = untilMs;
  }
}

export const settle = () => new Promise((resolve) => setImmediate(resolve));

/** A network of one device: `sockets` are all that were ever opened, the device answers pings while `answersPings`. */
export class FakeNetwork {
  sockets = [];
  reachable = true;
  answersPings = true;

  get WebSocket() {
    const network = this;
    return class {
      sent = [];
      bufferedAmount = 0;
      constructor(url) {
        this.url = url;
        network.sockets.push(this);
        queueMicrotask(() => (network.reachable ? this.onopen?.() : this.onclose?.({ code: 1006, reason: "" })));
      }
      send(data) {
        if (typeof data !== "string") return void this.sent.push(data);
        const message = JSON.parse(data);
        if (message.type !== "ping") this.sent.push(message);
        else if (network.answersPings) queueMicrotask(() => this.say({ type: "pong", timestamp: message.timestamp }));
      }
      say(message) {
        this.onmessage?.({ data: JSON.stringify(message) });
      }
      close() {}
    };
  }

  get socket() {
    return this.sockets.at(-1);
  }

  drop({ reachable = this.reachable, code = 1006 } = {}) {
    this.reachable = reachable;
    this.socket.onclose?.({ code, reason: "" });
  }

  /** Everything sent over the latest socket since the last call: messages, and PCM as its number of bytes. */
  taken() {
    return this.socket.sent.splice(0).map((data) => (data.type ? data : data.byteLength));
  }
}

export class FakeMicrophone {
  open = false;
  recording = false;
  inputLatencyMs = null;
  refusal = null;
  gate = Promise.resolve();
  flushGate = Promise.resolve();
  configured = 0;

  async prepare() {
    await this.gate;
    if (this.refusal) throw this.refusal;
    this.open = true;
    this.onopen();
  }
  start() {
    this.recording = true;
  }
  async stop() {
    this.recording = false;
    await this.flushGate;
  }
  configure() {
    this.configured += 1;
  }
  close(details = { lost: false }) {
    this.open = false;
    this.onclose(details);
  }
  say(bytes) {
    this.onchunk({ audioData: new ArrayBuffer(bytes), peak: 0.5, rms: 0.2, firstSampleMs: 0, lastSampleMs: 32 });
  }
}

export class FakeLoudspeaker {
  replyRate = null;
  isOpen = true;
  underruns = 0;
  volume = 1;
  heard = [];
  async open() {
    this.replyRate = 48000;
    return true;
  }
  begin(id, sampleRate) {
    this.heard.push(`begin ${id} at ${sampleRate}`);
  }
  write(pcm) {
    this.heard.push(pcm.byteLength);
  }
  end() {
    this.heard.push("end");
  }
  flush() {
    this.heard.push("flush");
  }
}
