/**
 * Salsa20 and the ChaCha20 family by noble-ciphers.
 *
 * @module
 */

import { chacha20, chacha20orig, xchacha20 } from "@noble/ciphers/chacha.js";
import { salsa20 } from "@noble/ciphers/salsa.js";
import type { Keystream } from "../_keystream.ts";

/** noble's counter has 32 bits in all of them, and never its last value. */
const BLOCKS = 2 ** 32 - 1;

/** By canonical name. In noble's, `orig` is the nonce of 8 bytes. */
const CIPHERS: ReadonlyMap<string, typeof chacha20> = new Map([
  ["salsa20", salsa20],
  ["chacha20", chacha20orig],
  ["chacha20-ietf", chacha20],
  ["xchacha20", xchacha20],
]);

/**
 * Finds a stream cipher.
 *
 * @param cipher The canonical name of the cipher.
 * @returns The cipher; undefined if it is of another family.
 */
export function findPortableKeystream(cipher: string): Keystream | undefined {
  const xor = CIPHERS.get(cipher);
  return xor && {
    blocks: BLOCKS,
    xor(key, nonce, input, output, length, counter): void {
      const from = input.subarray(0, length);
      xor(key, nonce, from, output.subarray(0, length), counter);
    },
  };
}
