/**
 * The WebSocket to the device: opens, notices when it died, comes back with patience, and measures round trips.
 */

import { build, parse } from "./protocol.js";
import { RollingStatistics } from "./statistics.js";

const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 8000;
const OPEN_TIMEOUT_MS = 5000;
const IDLE_PING_MS = 5000;
const BUSY_PING_MS = 1000;
const PONG_TIMEOUT_MS = 4000;

/** How long to wait before reconnect attempt 0, 1, 2 …; random in [0, 1) keeps a house full of pages from coming at once. */
export function reconnectDelayMs(attempt, random) {
  return Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** attempt) * (0.5 + random / 2);
}

export const SYSTEM_CLOCK = {
  now: () => performance.now(),
  setTimeout: (callback, delayMs) => setTimeout(callback, delayMs),
  clearTimeout: (timer) => clearTimeout(timer),
};

export class Connection {
  /** "connecting" | "connected" | "reconnecting" | "disconnected" */
  state = "disconnected";
  /** True while a turn is under way: the network is then watched more closely. */
  busy = false;
  reconnects = 0;
  onstate = () => {};
  onmessage = () => {};
  onaudio = () => {};
  onroundtrip = () => {};

  #socket = null;
  #attempt = 0;
  #retryAtMs = null;
  #timer = null; // the next attempt, or the limit for opening
  #pingTimer = null;
  #watcher = 0; // of two overlapping watches only the later goes on
  #pings = new Map(); // number → {sentAtMs, resolve, reject}
  #pingNumber = 0;
  #goodbye = 0; // ms the device asked us to stay away
  #heardAtMs = 0; // when anything last came from the device

  constructor({ url, maxAttempts, WebSocket = globalThis.WebSocket, clock = SYSTEM_CLOCK, random = Math.random }) {
    Object.assign(this, { url, maxAttempts, WebSocket, clock, random });
    this.roundTrips = new RollingStatistics(50);
  }

  get connected() {
    return this.state === "connected";
  }

  get bufferedBytes() {
    return this.#socket?.bufferedAmount ?? 0;
  }

  /** ms until the next attempt; null while none is waited for. */
  get retryInMs() {
    return this.#retryAtMs === null ? null : Math.max(0, this.#retryAtMs - this.clock.now());
  }

  /** Connect, now; also ends any waiting between attempts. If it is connected, make sure that it still is. */
  open() {
    if (this.connected) return this.#watch();
    if (this.state === "connecting") return;
    this.#attempt = 0;
    this.#dial(this.state === "reconnecting" ? "reconnecting" : "connecting");
  }

  close() {
    this.#forget();
    this.#changeTo("disconnected");
  }

  /** Send one control message; false if there is no connection to send it on. Throws ProtocolError for a wrong one. */
  send(type, fields) {
    return this.#write(build(type, fields));
  }

  /** Send PCM of at most 32 KiB; false if there is no connection. */
  sendAudio(pcm) {
    return this.#write(pcm);
  }

  /** One measured round trip in ms. Rejects when the connection is lost before the answer. */
  ping() {
    const number = ++this.#pingNumber;
    const sentAtMs = this.clock.now();
    const answer = new Promise((resolve, reject) => this.#pings.set(number, { sentAtMs, resolve, reject }));
    answer.catch(() => {}); // whoever does not wait for it need not handle it either
    if (!this.send("ping", { timestamp: number })) this.#rejectPings();
    return answer;
  }

  #write(data) {
    if (!this.connected) return false;
    this.#socket.send(data);
    return true;
  }

  #dial(state) {
    this.#forget();
    let socket;
    try {
      socket = new this.WebSocket(this.url);
    } catch (error) {
      this.#changeTo("disconnected", { reason: error.message });
      return;
    }
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.#opened();
    socket.onclose = (event) => this.#lost(event.code, event.reason);
    socket.onmessage = (event) => this.#receive(event.data);
    this.#timer = this.clock.setTimeout(() => this.#lost(0, "no answer"), OPEN_TIMEOUT_MS);
    this.#changeTo(state);
  }

  #opened() {
    this.clock.clearTimeout(this.#timer);
    if (this.state === "reconnecting") this.reconnects += 1;
    this.#attempt = 0;
    this.#goodbye = 0;
    this.#changeTo("connected");
    this.#watch();
  }

  #receive(data) {
    this.#heardAtMs = this.clock.now();
    if (typeof data !== "string") return this.onaudio(data);
    let message;
    try {
      message = parse(data);
    } catch (error) {
      console.warn(`ignored a message from the device: ${error.message}`);
      return;
    }
    if (message.type === "pong") this.#pong(message.timestamp);
    if (message.type === "goodbye") this.#goodbye = message.reconnect_after_ms ?? 0;
    this.onmessage(message);
  }

  #pong(number) {
    const waiting = this.#pings.get(number);
    if (!waiting) return;
    this.#pings.delete(number);
    const roundTripMs = this.clock.now() - waiting.sentAtMs;
    this.roundTrips.add(roundTripMs);
    this.onroundtrip(roundTripMs);
    waiting.resolve(roundTripMs);
  }

  /**
   * Ping again and again. A dead network does not close a socket for minutes; silence after a ping tells it in seconds.
   * Anything that comes is a sign of life: on a slow network the pong waits behind seconds of sound.
   */
  #watch() {
    const watcher = ++this.#watcher;
    this.clock.clearTimeout(this.#pingTimer);
    let limit = null;
    const lookAfter = (delayMs) => {
      limit = this.clock.setTimeout(() => {
        const quietMs = this.clock.now() - this.#heardAtMs;
        if (quietMs >= PONG_TIMEOUT_MS) this.#lost(0, "no answer to a ping");
        else lookAfter(PONG_TIMEOUT_MS - quietMs);
      }, delayMs);
    };
    lookAfter(PONG_TIMEOUT_MS);
    this.ping().then(
      () => {
        this.clock.clearTimeout(limit);
        if (watcher !== this.#watcher || !this.connected) return;
        this.#pingTimer = this.clock.setTimeout(() => this.#watch(), this.busy ? BUSY_PING_MS : IDLE_PING_MS);
      },
      () => this.clock.clearTimeout(limit),
    );
  }

  /** A turn began: look at the network now instead of in a few seconds. */
  watchClosely(busy) {
    const began = busy && !this.busy;
    this.busy = busy;
    if (began && this.connected) this.#watch();
  }

  #lost(code, reason) {
    this.#forget();
    if (this.#attempt >= this.maxAttempts()) {
      this.#changeTo("disconnected", { code, reason });
      return;
    }
    const backOffMs = reconnectDelayMs(this.#attempt, this.random());
    const delayMs = Math.max(backOffMs, this.#goodbye * (1 + this.random() / 4));
    this.#attempt += 1;
    this.#retryAtMs = this.clock.now() + delayMs;
    this.#timer = this.clock.setTimeout(() => this.#dial("reconnecting"), delayMs);
    this.#changeTo("reconnecting", { code, reason, delayMs });
  }

  #forget() {
    this.#retryAtMs = null;
    this.clock.clearTimeout(this.#timer);
    this.clock.clearTimeout(this.#pingTimer);
    const socket = this.#socket;
    this.#socket = null;
    if (socket) {
      socket.onopen = socket.onclose = socket.onmessage = null;
      socket.close();
    }
    this.#rejectPings();
  }

  #rejectPings() {
    for (const { reject } of this.#pings.values()) reject(new Error("the connection was lost before the answer"));
    this.#pings.clear();
  }

  #changeTo(state, details = {}) {
    const before = this.state;
    this.state = state;
    if (state !== before || details.delayMs !== undefined) this.onstate(state, details);
  }
}
