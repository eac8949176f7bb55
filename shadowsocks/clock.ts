/**
 * The two clocks of an edition: what time it is, which others set, and how much
 * time has passed, which nobody does.
 *
 * @module
 */

/** Both clocks, injected, so that tests move them. */
export interface EditionClock {
  /** Milliseconds since 1970 (Unix time), by the system's clock. */
  time(): number;
  /** Milliseconds since some fixed moment; never goes back. */
  passed(): number;
}

/** The clocks of the system. */
export const SYSTEM_CLOCK: EditionClock = {
  time: () => Date.now(),
  passed: () => performance.now(),
};
