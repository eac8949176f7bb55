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

/**
 * Most addresses of a flood that are known, for each kind; of more, the one
 * that was quiet longest is forgotten, and is new when it comes again.
 */
const MAX_ADDRESSES = 4096;
/**
 * Most lines a second of a kind about addresses that are new. Sources of UDP
 * can be forged: each of them would fill the disk with a line.
 */
const MAX_NEW_ADDRESSES = 1000;

/** The kind of all lines beyond those. */
const OTHER = "other lines";

interface Kind {
  windowStart: number;
  written: number;
  held: number;
  /** Addresses that had a line, the last one to come last; while it floods. */
  addresses: Set<string> | undefined;
  /** Lines of this window about addresses that were new. */
  writtenNew: number;
}

/**
 * Lets a number of lines of each kind through per second, then counts; the
 * count follows as one line, `… and N more`. The first line about an address
 * goes through all the same: others must not be able to hide it.
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
   * @param addressOf Gives the IP address that the line is about, if it is
   * about one; asked while the kind floods only.
   * @returns Whether to write it.
   */
  allow(kind: string, addressOf?: () => string | undefined): boolean {
    const isKnown = this.#kinds.has(kind) || this.#kinds.size < MAX_KINDS;
    return this.#allowKnown(isKnown ? kind : OTHER, addressOf);
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

  #allowKnown(
    kind: string,
    addressOf: (() => string | undefined) | undefined,
  ): boolean {
    const now = this.#clock.now();
    let state = this.#kinds.get(kind);
    if (state === undefined) {
      state = {
        windowStart: now,
        written: 0,
        held: 0,
        addresses: undefined,
        writtenNew: 0,
      };
      this.#kinds.set(kind, state);
    } else if (now - state.windowStart >= WINDOW) {
      this.#close(kind, state);
      state.windowStart = now;
      state.written = state.writtenNew = 0;
    }
    if (state.written < this.#perSecond) {
      state.written++;
      if (state.addresses !== undefined) isNew(state.addresses, addressOf);
      return true;
    }
    state.addresses ??= new Set();
    if (
      isNew(state.addresses, addressOf) && state.writtenNew < MAX_NEW_ADDRESSES
    ) {
      state.writtenNew++;
      return true;
    }
    state.held++;
    return false;
  }

  #close(kind: string, state: Kind): void {
    if (state.held > 0) this.#write(`… and ${state.held} more: ${kind}`);
    else state.addresses = undefined;
    state.held = 0;
  }
}

/** Whether a line is about an address that had none; then it has one now. */
function isNew(
  addresses: Set<string>,
  addressOf: (() => string | undefined) | undefined,
): boolean {
  const address = addressOf?.();
  if (address === undefined) return false;
  const isKnown = addresses.delete(address);
  addresses.add(address);
  if (addresses.size > MAX_ADDRESSES) {
    const [quiet] = addresses;
    if (quiet !== undefined) addresses.delete(quiet);
  }
  return !isKnown;
}
