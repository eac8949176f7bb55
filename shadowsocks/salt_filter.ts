/**
 * Salts that have been seen: what comes under one of them again is a replay,
 * or our own words sent back.
 *
 * An exact set of 52-bit prefixes, so a fresh random salt is refused with a
 * probability of 2⁻³² at a million entries. Two generations: when the younger
 * is full, the older is forgotten. 16 to 32 bytes an entry.
 *
 * @module
 */

/** Most salts of a generation; the last half a million are surely known. */
const CAPACITY = 1 << 19;
/** Slots of a generation at first; it grows while it is more than half full. */
const FIRST_SLOTS = 1 << 10;
/** Shorter ones repeat by chance, or are absent: they are not kept. */
const MIN_LENGTH = 8;

/** Options of {@linkcode SaltFilter}. */
export interface SaltFilterOptions {
  /** Most salts of a generation. Default: half a million. */
  readonly capacity?: number;
}

/** The salts of one key. Only those of authentic messages should be added. */
export class SaltFilter {
  readonly #capacity: number;
  #young = new Generation();
  #old = new Generation();

  /**
   * Makes an empty filter.
   *
   * @param options How much it remembers.
   */
  constructor(options: SaltFilterOptions = {}) {
    this.#capacity = options.capacity ?? CAPACITY;
  }

  /**
   * Adds a salt, in one step with the look whether it is new.
   *
   * @param salt The salt or IV.
   * @returns False if it was there: a replay.
   */
  add(salt: Uint8Array): boolean {
    if (salt.length < MIN_LENGTH) return true;
    const low = (salt[0]! << 24 | salt[1]! << 16 | salt[2]! << 8 | salt[3]!) >>>
      0;
    const high = salt[4]! << 12 | salt[5]! << 4 | salt[6]! >>> 4;
    // Never 0, which marks a free slot.
    const key = high * 0x1_0000_0000 + low + 1;
    if (this.#old.has(key, low)) return false;
    if (!this.#young.add(key, low)) return false;
    if (this.#young.size >= this.#capacity) {
      const forgotten = this.#old;
      this.#old = this.#young;
      this.#young = forgotten;
      forgotten.clear();
    }
    return true;
  }
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
