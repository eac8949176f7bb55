/**
 * A clock that tests move.
 *
 * @module
 */

import type { Clock } from "./clock.ts";

/** A clock that stands still until it is told to move. */
export class FakeClock implements Clock {
  #now: number;

  /**
   * Makes a clock.
   *
   * @param start The first reading, in milliseconds.
   */
  constructor(start = 0) {
    this.#now = start;
  }

  /** The present reading in milliseconds. */
  now(): number {
    return this.#now;
  }

  /** Moves the clock forward by `milliseconds`. */
  advance(milliseconds: number): void {
    this.#now += milliseconds;
  }
}
