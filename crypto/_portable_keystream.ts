/**
 * Salsa20 and the ChaCha20 family by noble-ciphers.
 *
 * @module
 */

import { type Keystream, KeystreamState } from "./_keystream.ts";
import {
  chacha20,
  chacha20orig,
  salsa20,
  xchacha20,
  type XorStream,
} from "./_noble.ts";
import type { StreamState } from "./provider.ts";

/** noble's counter has 32 bits in all of them, and never its last value. */
const BLOCKS = 2 ** 32 - 1;

const CIPHERS: ReadonlyMap<string, XorStream> = new Map<string, XorStream>([
  ["salsa20", salsa20],
  ["chacha20", chacha20orig],
  ["chacha20-ietf", chacha20],
  ["xchacha20", xchacha20],
]);

/**
 * Starts one direction.
 *
 * @param cipher The canonical name of the cipher.
 * @param key 32 bytes; copied.
 * @param nonce As long as the cipher needs; copied.
 * @returns The state; undefined if the cipher is of another family.
 */
export function startPortableKeystream(
  cipher: string,
  key: Uint8Array,
  nonce: Uint8Array,
): StreamState | undefined {
  const xor = CIPHERS.get(cipher);
  if (xor === undefined) return undefined;
  return new KeystreamState(new NobleKeystream(xor, key, nonce));
}

class NobleKeystream implements Keystream {
  readonly blocks = BLOCKS;
  readonly #xor: XorStream;
  readonly #key: Uint8Array;
  readonly #nonce: Uint8Array;

  constructor(xor: XorStream, key: Uint8Array, nonce: Uint8Array) {
    this.#xor = xor;
    this.#key = key.slice();
    this.#nonce = nonce.slice();
  }

  xor(
    input: Uint8Array,
    output: Uint8Array,
    length: number,
    counter: number,
  ): void {
    this.#xor(
      this.#key,
      this.#nonce,
      input.subarray(0, length),
      output.subarray(0, length),
      counter,
    );
  }

  [Symbol.dispose](): void {
    this.#key.fill(0);
  }
}
