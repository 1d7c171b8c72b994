/**
 * The turns that are not answered yet, and how they survive a short drop of the connection: what the device has not
 * understood yet is said to it again, whole; what does not come back in time ends with a reason.
 */

import { ProtocolError } from "./protocol.js";
import { PATIENCE_MS } from "./turn.js";

export class OpenTurns {
  /** (turn, code, message): a turn ended without an answer. */
  onfail = () => {};

  #turns = new Map();
  #patience = null;

  constructor({ connection, clock }) {
    this.connection = connection;
    this.clock = clock;
  }

  get size() {
    return this.#turns.size;
  }

  get(id) {
    return this.#turns.get(id);
  }

  add(turn) {
    this.#turns.set(turn.id, turn);
    this.connection.watchClosely(true);
  }

  /** The turn is over. */
  close(turn, outcome) {
    turn.outcome = outcome;
    this.#turns.delete(turn.id);
    if (this.size > 0) return;
    this.stopWaiting();
    this.connection.watchClosely(false);
  }

  fail(turn, code, message) {
    this.close(turn, "failed");
    this.onfail(turn, code, message);
  }

  /** Send a message of an open turn. Without a connection it waits: `connected` will send the turn as a whole. */
  send(turn, type, fields) {
    if (turn.outcome !== "open") return;
    try {
      if (!this.connection.send(type, { id: turn.id, ...fields })) this.#waitForConnection();
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.fail(turn, error.code, error.message);
    }
  }

  connected() {
    for (const turn of this.#turns.values()) turn.sendAgain(this.connection);
  }

  /** The connection dropped and will be tried again. */
  dropped() {
    for (const turn of [...this.#turns.values()]) if (!turn.canBeSentAgain) this.fail(turn, "answer_lost");
    if (this.size > 0) this.#waitForConnection();
  }

  failAll(code) {
    for (const turn of [...this.#turns.values()]) this.fail(turn, code);
  }

  /** The device speaks about a turn of ours: we are understood again. */
  stopWaiting() {
    this.clock.clearTimeout(this.#patience);
    this.#patience = null;
  }

  #waitForConnection() {
    if (this.connection.state === "disconnected") this.connection.open();
    this.#patience ??= this.clock.setTimeout(() => this.failAll("connection_lost"), PATIENCE_MS);
  }
}
