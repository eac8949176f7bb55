/**
 * A stream over a cipher that makes its keystream in blocks of 64 bytes, as
 * Salsa20 and ChaCha20 do. A stream may be cut anywhere: the keystream of a
 * block that is not used up is kept for the next call.
 *
 * @module
 */

import { CipherError } from "./errors.ts";
import type { StreamState } from "./provider.ts";

/** Bytes of a block of Salsa20 and ChaCha20. */
const BLOCK = 64;

/** A cipher that makes a keystream in blocks. */
export interface Keystream {
  /**
   * Blocks before the counter would start again. A stream ends there with an
   * error: to go on would repeat the keystream.
   */
  readonly blocks: number;
  /** Adds the keystream to whole blocks. */
  readonly xor: XorBlocks;
}

/**
 * Adds the keystream of a key and a nonce to `length` bytes of `input`, a
 * multiple of 64, from block number `counter` on. `output` may be `input`.
 */
export type XorBlocks = (
  key: Uint8Array,
  nonce: Uint8Array,
  input: Uint8Array,
  output: Uint8Array,
  length: number,
  counter: number,
) => void;

/**
 * Starts a stream at the beginning of a block.
 *
 * @param keystream The cipher.
 * @param key As long as the cipher's; copied.
 * @param nonce As long as the cipher's; copied.
 * @param counter The block to start with.
 * @returns The stream; it throws a `CipherError` when the counter is used up.
 */
export function startKeystream(
  keystream: Keystream,
  key: Uint8Array,
  nonce: Uint8Array,
  counter: number = 0,
): StreamState {
  return new KeystreamState(keystream, key, nonce, counter);
}

/** The position in the keystream of a key and a nonce. */
class KeystreamState implements StreamState {
  readonly #keystream: Keystream;
  readonly #key: Uint8Array;
  readonly #nonce: Uint8Array;
  /** Keystream of the last block begun. */
  readonly #rest = new Uint8Array(BLOCK);
  /** Bytes of the rest that are used up. */
  #used = BLOCK;
  /** The next whole block. */
  #counter: number;

  constructor(
    keystream: Keystream,
    key: Uint8Array,
    nonce: Uint8Array,
    counter: number,
  ) {
    this.#keystream = keystream;
    this.#key = key.slice();
    this.#nonce = nonce.slice();
    this.#counter = counter;
  }

  update(input: Uint8Array, output: Uint8Array): void {
    const length = input.length;
    let at = this.#fromRest(input, output, 0);
    const whole = length - at - (length - at) % BLOCK;
    if (whole > 0) {
      this.#blocks(
        at === 0 ? input : input.subarray(at),
        at === 0 ? output : output.subarray(at),
        whole,
      );
      at += whole;
    }
    if (at === length) return;
    this.#rest.fill(0);
    this.#blocks(this.#rest, this.#rest, BLOCK);
    this.#used = 0;
    this.#fromRest(input, output, at);
  }

  [Symbol.dispose](): void {
    this.#key.fill(0);
    this.#rest.fill(0);
  }

  /** Uses the rest of a block; returns where the input goes on. */
  #fromRest(input: Uint8Array, output: Uint8Array, from: number): number {
    const rest = this.#rest;
    const end = Math.min(input.length, from + BLOCK - this.#used);
    let used = this.#used;
    for (let at = from; at < end; at++) {
      output[at] = input[at]! ^ rest[used++]!;
    }
    this.#used = used;
    return end;
  }

  #blocks(input: Uint8Array, output: Uint8Array, length: number): void {
    const { blocks, xor } = this.#keystream;
    const next = this.#counter + length / BLOCK;
    if (next > blocks) {
      throw new CipherError(
        "library_failure",
        "Cannot go on with a stream: its block counter is used up; start a new connection",
      );
    }
    xor(this.#key, this.#nonce, input, output, length, this.#counter);
    this.#counter = next;
  }
}
