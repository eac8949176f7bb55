/**
 * The salts of the 2022 edition (SIP022, section 3.1.4): kept for 61 seconds
 * and longer, exactly. What comes under one of them again is a replay.
 *
 * A salt is known by 128 bits of a keyed hash: a fresh one is taken for another
 * as seldom as two salts of 16 bytes are drawn alike. When there are more than
 * a set has room for, the oldest are forgotten; a fresh one is never refused.
 *
 * @module
 */

import { SaltHash, type Side } from "./_salt_hash.ts";

/**
 * Milliseconds for which salts are kept: the 60 s of SIP022, and one since times
 * are whole seconds. A client whose clock is 30 s ahead of ours is right from
 * the first millisecond of one second of ours to the last one of the sixtieth
 * after it.
 */
const KEPT = 61_000;

/** What is remembered of salts, by four words of their hash. */
export interface ExactSaltSet {
  /**
   * Tells whether a salt is known.
   *
   * @param hash Four words of 32 bits.
   */
  has(hash: Int32Array): boolean;
  /**
   * Adds a salt, in one step with the look whether it is new.
   *
   * @param hash Four words of 32 bits.
   * @returns False if it was there.
   */
  add(hash: Int32Array): boolean;
}

/** A set that knows nothing: every salt is new. */
export const NO_RECENT_SALTS: ExactSaltSet = Object.freeze({
  has: () => false,
  add: () => true,
});

/** The salts of one key, on one side. */
export class RecentSalts {
  readonly #first: SaltHash | undefined;
  readonly #second: SaltHash | undefined;
  readonly #set: ExactSaltSet;
  /** Scratch for the hash of a salt. */
  readonly #hash = new Int32Array(4);

  /**
   * Makes the memory of a key.
   *
   * @param secret Keys the hashes, the same for all that share the set;
   * undefined: every salt is new.
   * @param owner The key, and who has it.
   * @param set Where the salts are kept, which other keys may share.
   */
  constructor(
    secret: Uint8Array | undefined,
    owner: { readonly masterKey: Uint8Array; readonly side: Side },
    set: ExactSaltSet,
  ) {
    const { masterKey, side } = owner;
    const longer = new Uint8Array(masterKey.length + 1);
    longer.set(masterKey);
    this.#first = secret && new SaltHash(secret, masterKey, side);
    this.#second = secret && new SaltHash(secret, longer, side);
    longer.fill(0);
    this.#set = set;
  }

  /**
   * Adds the salt of a message that is authentic and of now, in one step with
   * the look whether it is new.
   *
   * @param salt The salt.
   * @returns False if it was there: a replay.
   */
  add(salt: Uint8Array): boolean {
    const hash = this.#hashOf(salt);
    return hash === undefined || this.#set.add(hash);
  }

  /**
   * Tells whether a salt is known, without a step to add it.
   *
   * @param salt The salt.
   */
  has(salt: Uint8Array): boolean {
    const hash = this.#hashOf(salt);
    return hash !== undefined && this.#set.has(hash);
  }

  #hashOf(salt: Uint8Array): Int32Array | undefined {
    const first = this.#first;
    const second = this.#second;
    const hash = this.#hash;
    if (first === undefined || second === undefined) return undefined;
    first.update(salt);
    second.update(salt);
    hash[0] = first.first;
    hash[1] = first.second;
    hash[2] = second.first;
    hash[3] = second.second;
    return hash;
  }
}

/** Entries of a generation at first; it grows while it is more than half full. */
const FIRST_ENTRIES = 1 << 8;
/** Words of an entry. */
const WORDS = 4;

/** What a {@linkcode GrowingRecentSalts} is made with. */
export interface GrowingOptions {
  /** Salts of a generation: the last ones that are surely known. */
  readonly capacity: number;
  /** Milliseconds since some fixed moment; never goes back. */
  readonly passed: () => number;
}

/**
 * A set in the memory of one loop, which grows and shrinks with what is in it:
 * 32 to 64 bytes a salt. It has two generations: when the younger has had its
 * time, or is full, the older is forgotten.
 */
export class GrowingRecentSalts implements ExactSaltSet {
  readonly #capacity: number;
  readonly #passed: () => number;
  #young = new Generation();
  #old = new Generation();
  /** When the younger began. */
  #began = -Infinity;

  /**
   * Makes an empty set.
   *
   * @param options How much it holds, and the clock.
   */
  constructor({ capacity, passed }: GrowingOptions) {
    this.#capacity = capacity;
    this.#passed = passed;
  }

  /**
   * Adds a salt, in one step with the look whether it is new.
   *
   * @param hash Four words of its hash.
   * @returns False if it was there.
   */
  add(hash: Int32Array): boolean {
    const now = this.#passed();
    if (this.#young.size >= this.#capacity || now - this.#began >= KEPT) {
      this.#old = this.#young;
      this.#young = new Generation();
      this.#began = now;
    }
    return !this.#old.has(hash) && this.#young.add(hash);
  }

  /**
   * Tells whether a salt is known.
   *
   * @param hash Four words of its hash.
   */
  has(hash: Int32Array): boolean {
    return this.#old.has(hash) || this.#young.has(hash);
  }
}

/** A set of hashes in one array, with linear probing; all zero: a free entry. */
class Generation {
  size = 0;
  #words = new Int32Array(FIRST_ENTRIES * WORDS);

  has(hash: Int32Array): boolean {
    return this.size > 0 && !this.#isFree(this.#find(hash, 0));
  }

  add(hash: Int32Array): boolean {
    const at = this.#find(hash, 0);
    if (!this.#isFree(at)) return false;
    this.#words.set(hash, at);
    this.size++;
    if (this.size * 2 * WORDS > this.#words.length) this.#grow();
    return true;
  }

  /** Where the hash that stands at `from` is, or the free entry for it. */
  #find(hash: Int32Array, from: number): number {
    const words = this.#words;
    const mask = words.length - 1;
    let at = hash[from]! * WORDS & mask;
    while (!this.#isFree(at) && !isSame(words, at, hash, from)) {
      at = (at + WORDS) & mask;
    }
    return at;
  }

  #isFree(at: number): boolean {
    const words = this.#words;
    return (words[at]! | words[at + 1]! | words[at + 2]! | words[at + 3]!) ===
      0;
  }

  #grow(): void {
    const before = this.#words;
    this.#words = new Int32Array(before.length * 2);
    for (let from = 0; from < before.length; from += WORDS) {
      const hash = before.subarray(from, from + WORDS);
      if ((hash[0]! | hash[1]! | hash[2]! | hash[3]!) === 0) continue;
      this.#words.set(hash, this.#find(before, from));
    }
  }
}

function isSame(
  words: Int32Array,
  at: number,
  hash: Int32Array,
  from: number,
): boolean {
  return words[at] === hash[from] && words[at + 1] === hash[from + 1] &&
    words[at + 2] === hash[from + 2] && words[at + 3] === hash[from + 3];
}
