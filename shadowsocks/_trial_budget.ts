/**
 * How much time strangers' packets may take: whoever sends them need not even
 * say truly where they come from. Time is what is counted, since a try takes 1
 * µs or 40, as the library, the method and the packet's length have it.
 *
 * @module
 */

import type { EditionClock } from "./clock.ts";

/** Milliseconds of a burst, and of each second: a tenth of one processor. */
const MOST = 100;
const SHARE = 0.1;

/** Time that is left for strangers' packets. */
export class TrialBudget {
  readonly #clock: Pick<EditionClock, "passed">;
  /** Milliseconds; the last search may have taken more than there was. */
  #left = MOST;
  #at: number;

  /**
   * Makes a full budget.
   *
   * @param clock Tells how much time has passed.
   */
  constructor(clock: Pick<EditionClock, "passed">) {
    this.#clock = clock;
    this.#at = clock.passed();
  }

  /**
   * Begins a search, if there is time for one; {@linkcode stop} ends it.
   *
   * @returns Whether there is.
   */
  start(): boolean {
    const now = this.#clock.passed();
    const gained = (now - this.#at) * SHARE;
    this.#left = Math.min(MOST, this.#left + gained);
    this.#at = now;
    return this.#left > 0;
  }

  /** Counts the time since {@linkcode start}. */
  stop(): void {
    const now = this.#clock.passed();
    this.#left -= now - this.#at;
    this.#at = now;
  }
}
