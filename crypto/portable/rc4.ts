/**
 * RC4, for `rc4` and `rc4-md5` where no library has it: OpenSSL 3 keeps it in
 * a module that many systems do not install, and no maintained library for
 * JavaScript offers it any more. It is the one cipher written out here; the
 * test vectors are those of RFC 6229. RC4 is broken: it is here so that old
 * peers can be reached, not to protect anything.
 *
 * @module
 */

import type { StreamState } from "../provider.ts";

/** One running RC4 key stream; encrypting and decrypting are the same. */
export class Rc4 implements StreamState {
  /** The permutation. */
  readonly #state = new Uint8Array(256);
  #i = 0;
  #j = 0;

  /**
   * Sets up the permutation.
   *
   * @param key 1 to 256 bytes; not kept.
   */
  constructor(key: Uint8Array) {
    const state = this.#state;
    for (let i = 0; i < 256; i++) state[i] = i;
    let j = 0;
    for (let i = 0; i < 256; i++) {
      const value = state[i]!;
      j = (j + value + key[i % key.length]!) & 0xff;
      state[i] = state[j]!;
      state[j] = value;
    }
  }

  /**
   * Adds the key stream to the next bytes.
   *
   * @param input Any length.
   * @param output Takes `input.length` bytes.
   */
  update(input: Uint8Array, output: Uint8Array): void {
    const state = this.#state;
    let i = this.#i;
    let j = this.#j;
    for (let at = 0; at < input.length; at++) {
      i = (i + 1) & 0xff;
      const a = state[i]!;
      j = (j + a) & 0xff;
      const b = state[j]!;
      state[i] = b;
      state[j] = a;
      output[at] = input[at]! ^ state[(a + b) & 0xff]!;
    }
    this.#i = i;
    this.#j = j;
  }

  /** Wipes the state. */
  [Symbol.dispose](): void {
    this.#state.fill(0);
  }
}
