/**
 * Salts that have been seen: what comes under one of them again is a replay,
 * or our own words sent back.
 *
 * @module
 */

import type { SaltHash } from "./_salt_hash.ts";
import type { SaltSet } from "./salt_set.ts";

/** Shorter ones repeat by chance, or are absent: they are not kept. */
const MIN_LENGTH = 8;

/** Salts of one kind, of those who have the key and our own. */
export interface SaltPair {
  /** Salts of messages that came and were authentic. */
  readonly seen: SaltSet;
  /**
   * Salts of messages that were sent. They are kept apart, since it may be a
   * stranger who has us send.
   */
  readonly own: SaltSet;
}

/** What one side of a key remembers, of connections or of packets. */
export class SaltFilter {
  readonly #hash: SaltHash;
  readonly #seen: SaltSet;
  readonly #own: SaltSet;

  /**
   * Makes a filter.
   *
   * @param hash The hash of the key; not shared by two calls at once.
   * @param pair Where the salts are kept, which other filters may share.
   */
  constructor(hash: SaltHash, { seen, own }: SaltPair) {
    this.#hash = hash;
    this.#seen = seen;
    this.#own = own;
  }

  /**
   * Adds the salt of a message that is authentic, in one step with the look
   * whether it is new.
   *
   * @param salt The salt or IV.
   * @returns False if it was there: a replay, or our own.
   */
  add(salt: Uint8Array): boolean {
    if (salt.length < MIN_LENGTH) return true;
    const hash = this.#hash;
    hash.update(salt);
    const { first, second } = hash;
    return !this.#own.has(first, second) && this.#seen.add(first, second);
  }

  /**
   * Adds a salt of our own.
   *
   * @param salt The salt or IV.
   */
  addOwn(salt: Uint8Array): void {
    if (salt.length < MIN_LENGTH) return;
    const hash = this.#hash;
    hash.update(salt);
    this.#own.add(hash.first, hash.second);
  }
}
