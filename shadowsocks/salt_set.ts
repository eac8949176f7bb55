/**
 * Sets of salts, known by 64 bits of a keyed hash. A set has a bound: what it
 * heard of first is forgotten first.
 *
 * @module
 */

/** What is remembered of salts. */
export interface SaltSet {
  /**
   * Tells whether a salt is known.
   *
   * @param first 32 bits of its hash.
   * @param second 32 others.
   */
  has(first: number, second: number): boolean;
  /**
   * Adds a salt, in one step with the look whether it is new.
   *
   * @param first 32 bits of its hash.
   * @param second 32 others.
   * @returns False if it was there.
   */
  add(first: number, second: number): boolean;
}

/** Slots of a generation at first; it grows while it is more than half full. */
const FIRST_SLOTS = 1 << 10;

/** Of the first word, what a double has room for beside the second: 20 bits. */
const FIRST_MASK = 0xf_ffff;

/**
 * A set in the memory of one loop, which grows with what is in it: 16 to 32
 * bytes a salt. It has two generations: when the younger is full, the older is
 * forgotten. It compares 52 bits of the hash exactly, so a fresh salt is taken
 * for a known one with a probability of 2⁻³² at a million.
 */
export class GrowingSaltSet implements SaltSet {
  readonly #capacity: number;
  #young: Generation | undefined;
  #old: Generation | undefined;

  /**
   * Makes an empty set.
   *
   * @param capacity Salts of a generation: the last ones that are surely known.
   */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  has(first: number, second: number): boolean {
    const key = keyOf(first, second);
    return this.#young?.has(key, second) === true ||
      this.#old?.has(key, second) === true;
  }

  add(first: number, second: number): boolean {
    const key = keyOf(first, second);
    if (this.#old?.has(key, second) === true) return false;
    const young = this.#young ??= new Generation();
    if (!young.add(key, second)) return false;
    if (young.size >= this.#capacity) {
      const forgotten = this.#old;
      this.#old = young;
      this.#young = forgotten;
      forgotten?.clear();
    }
    return true;
  }
}

/** Never 0, which marks a free slot. */
function keyOf(first: number, second: number): number {
  return (first & FIRST_MASK) * 0x1_0000_0000 + (second >>> 0) + 1;
}

/** A set of numbers in one array, with linear probing. */
class Generation {
  size = 0;
  #slots = new Float64Array(FIRST_SLOTS);

  has(key: number, hash: number): boolean {
    return this.#slots[this.#find(key, hash)] === key;
  }

  add(key: number, hash: number): boolean {
    const at = this.#find(key, hash);
    if (this.#slots[at] === key) return false;
    this.#slots[at] = key;
    this.size++;
    if (this.size * 2 > this.#slots.length) this.#grow();
    return true;
  }

  /** Forgets all; the array, which has grown, serves the next ones. */
  clear(): void {
    this.#slots.fill(0);
    this.size = 0;
  }

  /** Where the key is, or the free slot where it belongs. */
  #find(key: number, hash: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let at = hash & mask;
    while (slots[at] !== 0 && slots[at] !== key) at = (at + 1) & mask;
    return at;
  }

  #grow(): void {
    const keys = this.#slots;
    this.#slots = new Float64Array(keys.length * 2);
    for (const key of keys) {
      if (key === 0) continue;
      this.#slots[this.#find(key, (key - 1) % 0x1_0000_0000)] = key;
    }
  }
}

/** A set that knows nothing: every salt is new. */
export const NO_SALTS: SaltSet = Object.freeze({
  has: () => false,
  add: () => true,
});
