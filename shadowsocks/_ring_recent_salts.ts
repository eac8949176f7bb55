/**
 * The salts of the 2022 edition in memory that threads and processes share.
 *
 * ```text
 * bucket   31 tags ‖ hint ‖ 31 second words ‖ – ‖ 31 third ‖ – ‖ 31 fourth ‖ –
 * ```
 *
 * All are words of 4 bytes: the four of a salt's hash, none of them 0. The
 * highest bits of the first choose the bucket, and it is the tag. A bucket is a
 * ring, as that of a `RingSaltSet` is, and is written by the same steps: free
 * slots (tag 0) are neighbours, a salt takes the first of them, and the slot
 * behind is freed before, so that the oldest salt of the bucket is forgotten.
 * All who add the same salt at once try for the same slot, which one of them
 * gets.
 *
 * No time stands here, so no clock can forget a salt, neither one that is set
 * nor one that begins anew with the process: a salt goes when thirty others
 * have come into its bucket.
 *
 * @module
 */

import type { ExactSaltSet } from "./recent_salts.ts";

/** Slots of a bucket. */
const SLOTS = 31;
const LAST = SLOTS - 1;
/** Words from a slot's tag to its second word, and so on. */
const PLANE = 32;
const BUCKET_WORDS = 4 * PLANE;
/** Bytes of a bucket. */
export const RECENT_BUCKET_BYTES: number = BUCKET_WORDS * 4;

/**
 * A set of a fixed size. Of the last ten and a half salts for each bucket fewer
 * than one in a million is forgotten (Poisson); on average a salt stays for
 * thrice as many.
 */
export class RingRecentSalts implements ExactSaltSet {
  readonly #words: Int32Array;
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
    this.#words = new Int32Array(buffer, byteOffset, byteLength / 4);
    this.#scale = byteLength / RECENT_BUCKET_BYTES / 0x1_0000_0000;
    this.#onChange = onChange;
  }

  /**
   * Adds a salt, in one step with the look whether it is new.
   *
   * @param hash Four words of its hash.
   * @returns False if it was there.
   */
  add(hash: Int32Array): boolean {
    const words = this.#words;
    const start = this.#startOf(hash);
    const tag = wordOf(hash, 0);
    for (;;) {
      // The slot comes before the look for the salt: whoever adds the salt
      // after that look takes this slot, and the exchange below fails. What
      // the slot behind holds is read before too, so that no newer salt is
      // freed.
      const slot = this.#firstFree(start);
      const behind = slot === LAST ? 0 : slot + 1;
      const oldest = words[start + behind]!;
      if (this.#has(start, tag, hash)) return false;
      // The slot behind becomes free, unless another has just taken it.
      if (oldest !== 0) {
        // Before the tag: words of 0 go with every salt of its tag.
        this.#setRest(start + behind, 0, 0, 0);
        Atomics.compareExchange(words, start + behind, oldest, 0);
      }
      if (Atomics.compareExchange(words, start + slot, 0, tag) === 0) {
        this.#setRest(
          start + slot,
          wordOf(hash, 1),
          wordOf(hash, 2),
          wordOf(hash, 3),
        );
        // The hint, where the next look for a free slot begins.
        words[start + SLOTS] = behind;
        if (this.#onChange !== undefined) {
          const changed = words.byteOffset + start * 4;
          this.#onChange(changed, changed + RECENT_BUCKET_BYTES);
        }
        return true;
      }
      // Another was faster, who may have added the same salt.
    }
  }

  /**
   * Tells whether a salt is known.
   *
   * @param hash Four words of its hash.
   */
  has(hash: Int32Array): boolean {
    return this.#has(this.#startOf(hash), wordOf(hash, 0), hash);
  }

  #startOf(hash: Int32Array): number {
    return ((hash[0]! >>> 0) * this.#scale | 0) * BUCKET_WORDS;
  }

  #has(start: number, tag: number, hash: Int32Array): boolean {
    const words = this.#words;
    for (let at = start; at < start + SLOTS; at++) {
      if (
        words[at] === tag && this.#isSame(at, 1, hash) &&
        this.#isSame(at, 2, hash) && this.#isSame(at, 3, hash)
      ) return true;
    }
    return false;
  }

  /** Whether a word is that of the salt, or not written yet. */
  #isSame(at: number, i: number, hash: Int32Array): boolean {
    const known = this.#words[at + i * PLANE]!;
    return known === 0 || known === wordOf(hash, i);
  }

  #setRest(at: number, second: number, third: number, fourth: number): void {
    const words = this.#words;
    words[at + PLANE] = second;
    words[at + 2 * PLANE] = third;
    words[at + 3 * PLANE] = fourth;
  }

  /** The free slot whose neighbour before is taken. */
  #firstFree(start: number): number {
    const words = this.#words;
    const hint = words[start + SLOTS]!;
    if (hint >= 0 && hint < SLOTS && this.#isFirstFree(start, hint)) {
      return hint;
    }
    for (let slot = 0; slot < SLOTS; slot++) {
      if (this.#isFirstFree(start, slot)) return slot;
    }
    // None is free, which only foreign memory shows; else all were, and whoever
    // adds the first salt at this moment takes slot 0 too.
    if (!words.subarray(start, start + SLOTS).includes(0)) {
      Atomics.store(words, start, 0);
    }
    return 0;
  }

  #isFirstFree(start: number, slot: number): boolean {
    const words = this.#words;
    return words[start + slot] === 0 &&
      words[start + (slot === 0 ? LAST : slot - 1)] !== 0;
  }
}

/** Never 0, which marks what is free or not written yet. */
function wordOf(hash: Int32Array, i: number): number {
  return hash[i] || 1;
}
