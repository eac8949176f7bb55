/**
 * What an input of the fuzzer is made of: a list of choices. The generator of a
 * target asks for one after the other; from a seed they are random, and the
 * same list gives the same input again. So one way of making a list shorter and
 * its numbers smaller makes every kind of input smaller, whatever its
 * structure.
 *
 * @module
 */

import { mutate, randomOf, seededBytes } from "../support/mod.ts";

/** Bytes that are chosen one by one; more come from a seed in one choice. */
const FEW_BYTES = 64;

/** The choices of one input. */
export class Choices {
  /** Those that were made so far. */
  readonly taken: number[] = [];
  readonly #random: ((limit: number) => number) | undefined;
  readonly #given: readonly number[];

  /**
   * Begins.
   *
   * @param source A seed; or the choices of another input, behind whose end
   * every choice is 0.
   */
  constructor(source: number | readonly number[]) {
    this.#random = typeof source === "number" ? randomOf(source) : undefined;
    this.#given = typeof source === "number" ? [] : source;
  }

  /** Chooses a whole number in `[0, limit)`; 0 is the plainest. */
  below(limit: number): number {
    if (limit <= 1) return 0;
    const { taken } = this;
    const choice = this.#random?.(limit) ??
      (this.#given[taken.length] ?? 0) % limit;
    taken.push(choice);
    return choice;
  }

  /** Chooses true once in `times`. */
  once(times: number): boolean {
    return this.below(times) === times - 1;
  }

  /** Chooses one; the first is the plainest. */
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  /** Chooses a length: mostly short, at times up to `most`. */
  length(most: number): number {
    switch (this.below(16)) {
      case 15:
        return this.below(most + 1);
      case 14:
        return this.below(Math.min(most, 4096) + 1);
      default:
        return this.below(Math.min(most, 80) + 1);
    }
  }

  /** Chooses bytes. */
  bytes(length: number): Uint8Array {
    if (length > FEW_BYTES) return seededBytes(length, this.below(2 ** 30));
    return Uint8Array.from({ length }, () => this.below(256));
  }

  /** Chooses text of printable ASCII. */
  text(length: number): string {
    const bytes = this.bytes(length).map((byte) => 0x21 + byte % 94);
    return String.fromCharCode(...bytes);
  }

  /** Changes bytes so many times; the list is that of `mutate`. */
  mutated(bytes: Uint8Array, times: number): Uint8Array {
    let changed = bytes;
    for (let i = 0; i < times; i++) {
      changed = mutate(changed, (limit) => this.below(limit));
    }
    return changed;
  }

  /** Cuts bytes into pieces as a network may: whole, in a few, byte by byte. */
  pieces(bytes: Uint8Array): Uint8Array[] {
    const { length } = bytes;
    const way = this.below(8);
    if (way < 3 || length === 0) return [bytes];
    if (way === 7 && length < 2000) {
      return Array.from(bytes, (_, i) => bytes.subarray(i, i + 1));
    }
    const pieces: Uint8Array[] = [];
    let at = 0;
    for (let left = 1 + this.below(6); left > 0 && at < length; left--) {
      const end = at + 1 + this.below(length - at);
      pieces.push(bytes.subarray(at, end));
      at = end;
    }
    if (at < length) pieces.push(bytes.subarray(at));
    return pieces;
  }
}
