/**
 * A set of salts in memory that threads and processes share.
 *
 * ```text
 * bucket   31 tags of 4 bytes ‖ 31 checks of 1 byte ‖ hint 1 ‖ unused 4
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

/** Slots of a bucket. */
const SLOTS = 31;
const LAST = SLOTS - 1;
/** Words of a bucket: tags, then checks and the next slot in a byte each. */
const BUCKET_WORDS = 40;
/** Bytes of a bucket. */
export const BUCKET_BYTES: number = BUCKET_WORDS * 4;

/**
 * A set of a fixed size. Of its last salts, ten and a half for each bucket,
 * fewer than one in a million is forgotten, which takes 30 more in its own
 * bucket (Poisson); on average a salt stays for thrice as many. A fresh salt is
 * taken for a known one with a probability of 30 / (2³² × 255) at most: one in
 * 36 thousand million.
 */
export class RingSaltSet implements SaltSet {
  readonly #tags: Int32Array;
  readonly #checks: Uint8Array;
  /** Buckets for each of the 2³² values of a word. */
  readonly #scale: number;
  readonly #onChange: ((start: number, end: number) => void) | undefined;

  /**
   * Lays a set over memory.
   *
   * @param memory The buckets.
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
    this.#scale = byteLength / BUCKET_BYTES / 0x1_0000_0000;
  }

  has(first: number, second: number): boolean {
    return this.#isIn(this.#startOf(first), tagOf(second), checkOf(first));
  }

  add(first: number, second: number): boolean {
    const start = this.#startOf(first);
    const tag = tagOf(second);
    const check = checkOf(first);
    const tags = this.#tags;
    const checks = this.#checks;
    for (;;) {
      // The slot comes before the look for the salt: whoever adds the salt after
      // that look takes this slot, and the exchange below fails. What the slot
      // behind holds is read before too, so that no newer salt is freed.
      const slot = this.#firstFree(start);
      const behind = slot === LAST ? 0 : slot + 1;
      const oldest = tags[start + behind]!;
      if (this.#isIn(start, tag, check)) return false;
      // The slot behind becomes free, unless another has just taken it.
      if (oldest !== 0) {
        // Before the tag: a check of 0 goes with every tag of its slot.
        checks[checkAt(start, behind)] = 0;
        Atomics.compareExchange(tags, start + behind, oldest, 0);
      }
      if (Atomics.compareExchange(tags, start + slot, 0, tag) === 0) {
        checks[checkAt(start, slot)] = check;
        // The hint, where the next look for a free slot begins.
        checks[checkAt(start, SLOTS)] = behind;
        if (this.#onChange !== undefined) {
          const changed = checks.byteOffset + start * 4;
          this.#onChange(changed, changed + BUCKET_BYTES);
        }
        return true;
      }
      // Another was faster, who may have added the same salt.
    }
  }

  /** The highest bits of the word count most. */
  #startOf(first: number): number {
    return ((first >>> 0) * this.#scale | 0) * BUCKET_WORDS;
  }

  /** The free slot whose neighbour before is taken. */
  #firstFree(start: number): number {
    const tags = this.#tags;
    const hint = this.#checks[checkAt(start, SLOTS)]!;
    if (hint < SLOTS && isFirstFree(tags, start, hint)) return hint;
    for (let slot = 0; slot < SLOTS; slot++) {
      if (isFirstFree(tags, start, slot)) return slot;
    }
    // None is free, which only foreign memory shows; else all were, and whoever
    // adds the first salt at this moment takes slot 0 too.
    const all = tags.subarray(start, start + SLOTS);
    if (!all.includes(0)) Atomics.store(tags, start, 0);
    return 0;
  }

  /** Whether a bucket has a tag whose check is the salt's, or not written yet. */
  #isIn(start: number, tag: number, check: number): boolean {
    const tags = this.#tags;
    for (let slot = 0; slot < SLOTS; slot++) {
      if (tags[start + slot] !== tag) continue;
      const known = this.#checks[checkAt(start, slot)];
      if (known === check || known === 0) return true;
    }
    return false;
  }
}

function isFirstFree(tags: Int32Array, start: number, slot: number): boolean {
  return tags[start + slot] === 0 &&
    tags[start + (slot === 0 ? LAST : slot - 1)] !== 0;
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
