/**
 * BLAKE3 as the 2022 edition uses it (BLAKE3 specification of 2020, sections
 * 2.3 and 6): the hash, and the derivation of keys. Loaded only where a method
 * of that edition is used.
 *
 * Measured with noble-hashes 2.4 on Deno 2.9, x86-64: to derive a key from the
 * context takes 5 µs, three compressions and their objects; from a state that
 * has the context in it already 1.1 µs.
 *
 * @module
 */

import { blake3 } from "@noble/hashes/blake3.js";

/** Bytes of a hash, and of the longest key that is derived here. */
const HASH_LENGTH = 32;

/**
 * Hashes a message.
 *
 * @param message Any length.
 * @returns 32 bytes.
 */
export function blake3Hash(message: Uint8Array): Uint8Array {
  return blake3(message);
}

/**
 * `derive_key` with one context. Calls may not overlap, which synchronous ones
 * do not.
 */
export class KeyDerivation {
  /** Has the context in it, and is never changed. */
  readonly #prepared: ReturnType<typeof blake3.create>;
  /** Becomes a copy of it for each derivation, which wipes it. */
  readonly #working: ReturnType<typeof blake3.create>;
  readonly #derived = new Uint8Array(HASH_LENGTH);

  /**
   * Prepares a context.
   *
   * @param context Says what the keys are for; the same text for the same use.
   */
  constructor(context: string) {
    const bytes = new TextEncoder().encode(context);
    this.#prepared = blake3.create({ context: bytes, dkLen: HASH_LENGTH });
    this.#working = this.#prepared.clone();
  }

  /**
   * Derives a key from two pieces in a row.
   *
   * @param first The first bytes of the key material.
   * @param second The bytes after them.
   * @param key Takes the key: its own length, at most 32 bytes.
   */
  derive(first: Uint8Array, second: Uint8Array, key: Uint8Array): void {
    const derived = this.#derived;
    this.#prepared._cloneInto(this.#working);
    this.#working.update(first).update(second).digestInto(derived);
    for (let i = 0; i < key.length; i++) key[i] = derived[i]!;
    derived.fill(0);
  }
}
