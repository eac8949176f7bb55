/**
 * The clock of the loop: monotonic, and injected, so that tests move it.
 *
 * @module
 */

/** A monotonic clock. */
export interface Clock {
  /** Milliseconds since some fixed moment; never goes back. */
  now(): number;
}

/** The system's monotonic clock. */
export const MONOTONIC_CLOCK: Clock = { now: () => performance.now() };

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
