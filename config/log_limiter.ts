/**
 * Keeps a flood of one kind of line out of the log.
 *
 * @module
 */

import type { Clock } from "../loop/mod.ts";

/** The length of a window, in milliseconds. */
const WINDOW = 1000;

/**
 * Most kinds that are told apart: the program has some hundred templates, and
 * what is not one of them must not fill the memory.
 */
const MAX_KINDS = 512;

/** The kind of all lines beyond those. */
const OTHER = "other lines";

interface Kind {
  windowStart: number;
  written: number;
  held: number;
}

/**
 * Lets a number of lines of each kind through per second, then counts; the
 * count follows as one line, `… and N more`.
 */
export class LogLimiter {
  readonly #clock: Clock;
  readonly #perSecond: number;
  readonly #write: (line: string) => void;
  readonly #kinds = new Map<string, Kind>();

  /**
   * Makes a limiter.
   *
   * @param write Takes the line about those that were held back.
   * @param options The clock, and how many lines of a kind a second may have;
   * default 10.
   */
  constructor(
    write: (line: string) => void,
    options: { readonly clock: Clock; readonly perSecond?: number },
  ) {
    this.#write = write;
    this.#clock = options.clock;
    this.#perSecond = options.perSecond ?? 10;
  }

  /**
   * Asks for one line. Ask before the line is made: that is what a flood
   * costs.
   *
   * @param kind What the line is about, from a small set of constants.
   * @returns Whether to write it.
   */
  allow(kind: string): boolean {
    const isKnown = this.#kinds.has(kind) || this.#kinds.size < MAX_KINDS;
    return this.#allowKnown(isKnown ? kind : OTHER);
  }

  /**
   * Writes the counts of windows that are over. Call it now and then, or the
   * last count waits for the next line of its kind.
   */
  flush(): void {
    const now = this.#clock.now();
    for (const [kind, state] of this.#kinds) {
      if (now - state.windowStart >= WINDOW) this.#close(kind, state);
    }
  }

  #allowKnown(kind: string): boolean {
    const now = this.#clock.now();
    let state = this.#kinds.get(kind);
    if (state === undefined) {
      state = { windowStart: now, written: 0, held: 0 };
      this.#kinds.set(kind, state);
    } else if (now - state.windowStart >= WINDOW) {
      this.#close(kind, state);
      state.windowStart = now;
      state.written = 0;
    }
    if (state.written < this.#perSecond) {
      state.written++;
      return true;
    }
    state.held++;
    return false;
  }

  #close(kind: string, state: Kind): void {
    if (state.held > 0) this.#write(`… and ${state.held} more: ${kind}`);
    state.held = 0;
  }
}
