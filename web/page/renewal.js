/**
 * A page older than the device loads itself anew: once, and only while nobody is using it.
 */

import { SYSTEM_CLOCK } from "../core/connection.js";

const KEY = "stimme.renewed";
/** So long nothing may have happened before. */
const STILL_MS = 5000;

export class Renewal {
  #newer = null;
  #timer = null;

  /** mine: this page's version. isBusy: () → whether somebody is using it. reload: loads it anew. */
  constructor({ mine, isBusy, reload, storage = globalThis.sessionStorage, clock = SYSTEM_CLOCK }) {
    Object.assign(this, { mine, isBusy, reload, storage, clock });
  }

  /** The device says which page it has. */
  offered(version) {
    this.#newer = this.mine && version && version !== this.mine ? version : null;
    this.happened();
  }

  /** Somebody did something, or something was said. */
  happened() {
    this.clock.clearTimeout(this.#timer);
    if (this.#newer) this.#timer = this.clock.setTimeout(() => (this.isBusy() ? this.happened() : this.#renew()), STILL_MS);
  }

  #renew() {
    try {
      if (this.storage.getItem(KEY) === this.#newer) return; // it did not help: what lies between keeps the old page
      this.storage.setItem(KEY, this.#newer);
    } catch {
      return; // without a memory it might go on for ever
    }
    this.reload();
  }
}
