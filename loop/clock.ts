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
