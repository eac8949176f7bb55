/**
 * What is fuzzed.
 *
 * @module
 */

import type { Choices } from "./_choices.ts";

/** One part of the product, and what it must keep to. */
export interface FuzzTarget {
  /** A short name, for the command line and the table. */
  readonly name: string;
  /** What it needs, opened once for many inputs. */
  readonly open: () => FuzzRun | Promise<FuzzRun>;
  /**
   * Most milliseconds for one input; default 250: a hundred times what the
   * slowest honest input takes, so that only a loop that is quadratic, or does
   * not end, comes near.
   */
  readonly most?: number;
}

/** A target at work. */
export interface FuzzRun {
  /**
   * Makes one input and gives it to the product.
   *
   * @param choices What the input is made of.
   * @returns How many inputs it was; undefined: one.
   * @throws {Error} If a promise is broken.
   */
  run(choices: Choices): void | number | Promise<void | number>;
  /** Ends it. */
  close?(): void | Promise<void>;
}

/** Thrown where a promise is broken. */
export class BrokenPromise extends Error {
  override name = "BrokenPromise";
}

/**
 * Checks a promise.
 *
 * @param holds Whether it is kept.
 * @param what The promise, in words.
 * @throws {BrokenPromise} If it is not.
 */
export function promise(holds: boolean, what: string): asserts holds {
  if (!holds) throw new BrokenPromise(`it is not true that ${what}`);
}

/** The same for bytes that must be equal. */
export function promiseEqual(
  got: Uint8Array,
  expected: Uint8Array,
  what: string,
): void {
  let at = 0;
  const { length } = expected;
  if (got.length === length) {
    while (at < length && got[at] === expected[at]) at++;
  }
  if (at === length && got.length === length) return;
  throw new BrokenPromise(
    `${what}: ${got.length} bytes, not ${length}, unlike from byte ${at}`,
  );
}

/** The same for bytes that may be cut, and no more. */
export function promisePrefix(
  got: Uint8Array,
  whole: Uint8Array,
  what: string,
): void {
  promise(got.length <= whole.length, `${what}: not more than was sent`);
  promiseEqual(got, whole.subarray(0, got.length), what);
}
