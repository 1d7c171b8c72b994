/**
 * The turns of this visit: which are open, what the device says about each, and how they survive a short drop of the
 * connection. What the device has not understood yet is said to it again, whole; what does not come back in time ends
 * with a reason.
 */

import { ProtocolError } from "./protocol.js";
import { PATIENCE_MS, Turn } from "./turn.js";

/** Errors that end no turn: what was heard so far is decoded, what was answered can be read. */
const REMARKS = ["audio_too_long", "no_voice"];

/** A random UUID. Browsers keep crypto.randomUUID from pages that did not come over https:// or from localhost. */
export function randomId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export class Conversation {
  /** A turn changed. */
  onturn = () => {};
  /** (turn, code, message): a turn ended without an answer. */
  onfail = () => {};
  /** (code, message): something to know that ended no turn. */
  onremark = () => {};
  /** The turn begun last; what it replies is what may sound. */
  newest = null;
  lastAnswered = null;

  #open = new Map();
  #announced = null; // id of the latest announcement
  #patience = null;

  /** newId: () → text that is one turn's for ever, also to a device that was restarted. */
  constructor({ connection, clock, newId = randomId }) {
    Object.assign(this, { connection, clock, newId });
  }

  /** Whether an answer is awaited. */
  get isWaiting() {
    return this.#open.size > 0;
  }

  isOpen(turn) {
    return this.#open.has(turn.id);
  }

  /** A new turn, not sent yet. kind: "voice" | "text". */
  begin(kind, language, text) {
    this.newest = new Turn({ id: this.newId(), kind, language, text });
    return this.newest;
  }

  /** The device has begun this turn by itself, under its own id: somebody went on after an end that was none. */
  adopt(turn, id) {
    turn.id = id;
    this.newest = turn;
    this.#open.set(id, turn);
    this.connection.watchClosely(true);
    this.onturn(turn);
  }

  /** Begin to ask: from here on the turn survives drops. */
  open(turn, type, fields) {
    this.#open.set(turn.id, turn);
    this.connection.watchClosely(true);
    this.send(turn, type, fields);
    this.onturn(turn);
  }

  /** Send a message of an open turn. Without a connection it waits: `connected` will send the turn as a whole. */
  send(turn, type, fields) {
    if (!this.isOpen(turn)) return;
    try {
      if (!this.connection.send(type, { id: turn.id, ...fields })) this.#waitForConnection();
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#fail(turn, error.code, error.message);
    }
  }

  cancel(turn) {
    this.send(turn, "cancel");
    this.#close(turn, "cancelled");
    this.onturn(turn);
  }

  connected() {
    for (const turn of this.#open.values()) turn.sendAgain(this.connection);
  }

  /** The connection dropped and will be tried again. */
  dropped() {
    if (this.isWaiting) this.#waitForConnection();
  }

  /** The device will not be reached. */
  lost() {
    for (const turn of [...this.#open.values()]) this.#fail(turn, "connection_lost");
  }

  /** Whether a reply with this id may sound: of the newest question only, or an announcement. */
  mayHear(id) {
    return id === this.newest?.id || id === this.#announced;
  }

  /** A message from the device. */
  receive(message) {
    const turn = this.#open.get(message.id);
    if (turn) this.#stopWaiting();
    if (message.type === "announce") this.#announced = message.id;
    else if (message.type === "error") this.#refused(message, turn);
    else if (turn) this.#advance(turn, message);
    else if (message.type === "more" && message.id === this.lastAnswered?.id) {
      this.lastAnswered.reply = message.text;
      this.onturn(this.lastAnswered);
    } else if (message.type === "speech_end" && message.id === this.lastAnswered?.id) {
      this.lastAnswered.measured(message);
      this.onturn(this.lastAnswered);
    }
  }

  #advance(turn, message) {
    if (message.type === "queued") turn.place = message.place;
    else if (message.type === "received") turn.received(message);
    else if (message.type === "paused") turn.paused(message, this.clock.now());
    else if (message.type === "partial") turn.partial(message);
    else if (message.type === "final") turn.understood(message, this.clock.now());
    else if (message.type === "answer") {
      turn.answered(message, this.clock.now());
      this.lastAnswered = turn;
      this.#close(turn, "answered");
    } else return;
    this.onturn(turn);
  }

  #refused({ code, message }, turn) {
    if (code === "already_started") return; // the utterance goes on
    if (turn && !REMARKS.includes(code)) this.#fail(turn, code, message);
    else this.onremark(code, message);
  }

  #fail(turn, code, message) {
    this.#close(turn, "failed");
    this.onfail(turn, code, message);
  }

  #close(turn, outcome) {
    turn.close(outcome);
    this.#open.delete(turn.id);
    if (this.isWaiting) return;
    this.#stopWaiting();
    this.connection.watchClosely(false);
  }

  #waitForConnection() {
    if (this.connection.state === "disconnected") this.connection.open();
    this.#patience ??= this.clock.setTimeout(() => this.lost(), PATIENCE_MS);
  }

  #stopWaiting() {
    this.clock.clearTimeout(this.#patience);
    this.#patience = null;
  }
}
