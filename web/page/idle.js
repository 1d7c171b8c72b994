/**
 * Notices that nobody is there any more, and that somebody is there again. Pure but for its clock.
 */

import { SYSTEM_CLOCK } from "../core/connection.js";

export class Idle {
  isIdle = false;
  #timer = null;

  /** afterMs: () → how long nothing may happen, or null for never. onchange(isIdle): it is now. isBusy: () → not now. */
  constructor({ afterMs, isBusy, onchange, clock = SYSTEM_CLOCK }) {
    Object.assign(this, { afterMs, isBusy, onchange, clock });
  }

  /** Something happened. Also to be called when `afterMs` may have changed. */
  happened() {
    this.#set(false);
    this.clock.clearTimeout(this.#timer);
    const afterMs = this.afterMs();
    if (afterMs !== null) this.#timer = this.clock.setTimeout(() => (this.isBusy() ? this.happened() : this.#set(true)), afterMs);
  }

  #set(isIdle) {
    if (isIdle === this.isIdle) return;
    this.isIdle = isIdle;
    this.onchange(isIdle);
  }
}
