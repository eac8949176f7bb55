/**
 * A set of salts in memory that threads and processes share.
 *
 * ```text
 * bucket   64 tags of 4 bytes ‖ 64 checks of 1 byte       320 bytes
 * ```
 *
 * The first word of a hash chooses the bucket with its highest bits and gives
 * the check with its lowest, the second word is the tag. A bucket is a ring:
 * free slots (tag 0) are neighbours, a salt takes the first of them, and the
 * slot behind is freed before, so that the oldest salt of the bucket is
 * forgotten. All who add the same salt at once try for the same slot, which
 * one of them gets.
 *
 * Every step leaves a bucket that can be used, so it does no harm when a
 * process is killed between two, and whatever stands in the memory at first
 * can only make salts forgotten.
 *
 * @module
 */

import type { SaltSet } from "./salt_set.ts";

/** The answer of a search that has found its salt. */
const KNOWN = -1;

/** Slots of a bucket. */
const SLOTS = 64;
const SLOT_MASK = SLOTS - 1;
/** Words of a bucket's tags and checks. */
const BUCKET_WORDS = SLOTS + SLOTS / 4;
/** Bytes of a bucket. */
export const BUCKET_BYTES: number = BUCKET_WORDS * 4;

/**
 * A set of a fixed size. While it gets 32 salts for each of its buckets, fewer
 * than one in a million of them is forgotten, which takes 63 more in its own
 * bucket (Poisson); on average a salt stays for twice as many. A fresh salt is taken for a known one
 * with a probability of 63 / (2³² × 255) at most: one in 17 thousand million.
 */
export class RingSaltSet implements SaltSet {
  readonly #tags: Int32Array;
  readonly #checks: Uint8Array;
  readonly #shift: number;
  readonly #onChange: ((start: number, end: number) => void) | undefined;

  /**
   * Lays a set over memory.
   *
   * @param memory The buckets; their number is a power of two.
   * @param onChange Told which bytes of the whole buffer have changed.
   */
  constructor(
    memory: Uint8Array,
    onChange?: (start: number, end: number) => void,
  ) {
    const { buffer, byteOffset, byteLength } = memory;
    this.#tags = new Int32Array(buffer, byteOffset, byteLength / 4);
    this.#checks = memory;
    this.#onChange = onChange;
    this.#shift = 31 - Math.log2(byteLength / BUCKET_BYTES);
  }

  has(first: number, second: number): boolean {
    const start = this.#startOf(first);
    return this.#find(start, tagOf(second), checkOf(first)) === KNOWN;
  }

  add(first: number, second: number): boolean {
    const start = this.#startOf(first);
    const tag = tagOf(second);
    const check = checkOf(first);
    const tags = this.#tags;
    const checks = this.#checks;
    for (;;) {
      const slot = this.#find(start, tag, check);
      if (slot === KNOWN) return false;
      // The slot behind becomes free, unless another has just taken it.
      const behind = (slot + 1) & SLOT_MASK;
      const oldest = tags[start + behind]!;
      if (oldest !== 0) {
        // Before the tag: a check of 0 goes with every tag of its slot.
        checks[checkAt(start, behind)] = 0;
        Atomics.compareExchange(tags, start + behind, oldest, 0);
      }
      if (Atomics.compareExchange(tags, start + slot, 0, tag) === 0) {
        checks[checkAt(start, slot)] = check;
        if (this.#onChange !== undefined) {
          const changed = checks.byteOffset + start * 4;
          this.#onChange(changed, changed + BUCKET_BYTES);
        }
        return true;
      }
      // Another was faster, who may have added the same salt.
    }
  }

  /** The bucket by the highest bits; in two shifts, for one of 32 is of 0. */
  #startOf(first: number): number {
    return (first >>> 1 >>> this.#shift) * BUCKET_WORDS;
  }

  /** `KNOWN`, or the free slot whose neighbour before is taken. */
  #find(start: number, tag: number, check: number): number {
    const tags = this.#tags;
    let slot = -1;
    let before = tags[start + SLOT_MASK]!;
    for (let at = start; at < start + SLOTS; at++) {
      const each = tags[at]!;
      if (each === tag) {
        const known = this.#checks[checkAt(start, at - start)];
        if (known === check || known === 0) return KNOWN;
      }
      if (each === 0 && before !== 0) slot = at - start;
      before = each;
    }
    if (slot >= 0) return slot;
    // All are free; or none is, which only foreign memory shows.
    if (before !== 0) Atomics.store(tags, start, 0);
    return 0;
  }
}

/** Where the check of a slot is, in bytes. */
function checkAt(start: number, slot: number): number {
  return (start + SLOTS) * 4 + slot;
}

/** Never 0, which marks a free slot. */
function tagOf(second: number): number {
  return second | 0 || 1;
}

/** Never 0, which marks a check that is not written yet. */
function checkOf(first: number): number {
  return (first & 0xff) || 1;
}
