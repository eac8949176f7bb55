/**
 * The hash of salts: keyed, so that whoever may choose salts cannot choose
 * where they are kept, nor make those of another key look known.
 *
 * Chaskey of eight rounds (Mouha and others, "Chaskey: An Efficient MAC
 * Algorithm for 32-bit Microcontrollers", SAC 2014), a permutation of four
 * words of 32 bits, chained over the blocks of a salt. Salts of one key have
 * one length, so no padding is needed.
 *
 * @module
 */

import { md5 } from "../crypto/mod.ts";

/** Bytes of a block. */
const BLOCK = 16;
const ROUNDS = 8;

/** Whose salts: those that a client sends are no news to the client alone. */
export type Side = "client" | "server";

/** Hashes the salts of one key, on one side. */
export class SaltHash {
  /** 32 bits of the hash, signed; of the salt last hashed. */
  first = 0;
  /** 32 others. */
  second = 0;
  /** 32 others, for a mark that only those who have the secret know. */
  mark = 0;
  readonly #before: Int32Array;
  readonly #after: Int32Array;

  /**
   * Makes the hash of a key.
   *
   * @param secret Chosen at random, and the same wherever hashes are compared.
   * @param masterKey The key whose salts they are.
   * @param side Who has the key.
   */
  constructor(secret: Uint8Array, masterKey: Uint8Array, side: Side) {
    // MD5 since it is loaded in any case: it only keeps the key from showing.
    const part = (label: string): Int32Array =>
      new Int32Array(
        md5(new TextEncoder().encode(label), md5(secret, masterKey)).buffer,
      );
    this.#before = part(`${side} 1`);
    this.#after = part(`${side} 2`);
  }

  /**
   * Hashes the first bytes of a salt into `first`, `second` and `mark`.
   *
   * @param salt The salt or IV.
   * @param end How many bytes, a multiple of four. Default: all.
   */
  update(salt: Uint8Array, end: number = salt.length): void {
    const before = this.#before;
    let a = before[0]!;
    let b = before[1]!;
    let c = before[2]!;
    let d = before[3]!;
    for (let at = 0; at < end; at += BLOCK) {
      a ^= wordAt(salt, at);
      if (at + 4 < end) b ^= wordAt(salt, at + 4);
      if (at + 8 < end) c ^= wordAt(salt, at + 8);
      if (at + 12 < end) d ^= wordAt(salt, at + 12);
      for (let round = 0; round < ROUNDS; round++) {
        a = a + b | 0;
        b = (b << 5 | b >>> 27) ^ a;
        a = a << 16 | a >>> 16;
        c = c + d | 0;
        d = (d << 8 | d >>> 24) ^ c;
        c = c + b | 0;
        b = (b << 7 | b >>> 25) ^ c;
        c = c << 16 | c >>> 16;
        a = a + d | 0;
        d = (d << 13 | d >>> 19) ^ a;
      }
    }
    this.first = a ^ this.#after[0]!;
    this.second = b ^ this.#after[1]!;
    this.mark = c ^ this.#after[2]!;
  }
}

/** Four bytes, little endian. */
function wordAt(bytes: Uint8Array, at: number): number {
  return bytes[at]! | bytes[at + 1]! << 8 | bytes[at + 2]! << 16 |
    bytes[at + 3]! << 24;
}
