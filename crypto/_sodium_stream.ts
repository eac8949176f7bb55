/**
 * The stream ciphers of libsodium. Its functions start at a block of 64 bytes;
 * here a stream may be cut anywhere: the keystream of a block that is not used
 * up is kept for the next call.
 *
 * @module
 */

import type { SodiumSymbols } from "./_sodium_library.ts";
import type { StreamState } from "./provider.ts";
import { CipherError } from "./errors.ts";

/** Bytes of a block of Salsa20 and ChaCha20. */
const BLOCK = 64;
/** Blocks that the 32-bit counter of RFC 8439 can count: 256 GiB. */
const IETF_BLOCKS = 2 ** 32;

/** Adds the keystream from block `counter` on. */
type XorBlocks = (
  output: Uint8Array,
  input: Uint8Array,
  length: bigint,
  nonce: Uint8Array,
  counter: bigint,
  key: Uint8Array,
) => number;

/** The same with a counter of 32 bits. */
type XorIetf = (
  output: Uint8Array,
  input: Uint8Array,
  length: bigint,
  nonce: Uint8Array,
  counter: number,
  key: Uint8Array,
) => number;

/** A libsodium stream cipher. */
export interface SodiumStream {
  /** The library's function. */
  readonly xor: XorBlocks;
  /** Blocks before the counter would start again. */
  readonly blocks: number;
}

/**
 * Finds a stream cipher.
 *
 * @param symbols The library's functions.
 * @param cipher The canonical name of the cipher.
 * @returns The cipher; undefined if this library lacks it.
 */
export function findSodiumStream(
  symbols: SodiumSymbols,
  cipher: string,
): SodiumStream | undefined {
  switch (cipher) {
    case "salsa20":
      return wide(symbols.crypto_stream_salsa20_xor_ic as XorBlocks | null);
    case "chacha20":
      return wide(symbols.crypto_stream_chacha20_xor_ic as XorBlocks | null);
    case "xchacha20":
      return wide(symbols.crypto_stream_xchacha20_xor_ic as XorBlocks | null);
    case "chacha20-ietf":
      return ietf(symbols.crypto_stream_chacha20_ietf_xor_ic as XorIetf | null);
    default:
      return undefined;
  }
}

/**
 * Starts one direction.
 *
 * @param stream The cipher.
 * @param key 32 bytes; copied.
 * @param nonce As long as the cipher needs; copied.
 * @param counter The block to start at, for tests.
 * @returns The state.
 */
export function startSodiumStream(
  stream: SodiumStream,
  key: Uint8Array,
  nonce: Uint8Array,
  counter = 0,
): StreamState {
  return new SodiumState(stream, key.slice(), nonce.slice(), counter);
}

function wide(xor: XorBlocks | null): SodiumStream | undefined {
  // A number counts 2^53 blocks exactly, half an exbibyte.
  return xor === null ? undefined : { xor, blocks: Number.MAX_SAFE_INTEGER };
}

function ietf(xor: XorIetf | null): SodiumStream | undefined {
  if (xor === null) return undefined;
  return {
    xor: (output, input, length, nonce, counter, key) =>
      xor(output, input, length, nonce, Number(counter), key),
    blocks: IETF_BLOCKS,
  };
}

class SodiumState implements StreamState {
  readonly #stream: SodiumStream;
  readonly #key: Uint8Array;
  readonly #nonce: Uint8Array;
  /** Keystream of the last block begun. */
  readonly #rest = new Uint8Array(BLOCK);
  /** Bytes of {@linkcode #rest} that are used up. */
  #used = BLOCK;
  /** The next whole block. */
  #counter: number;

  constructor(
    stream: SodiumStream,
    key: Uint8Array,
    nonce: Uint8Array,
    counter: number,
  ) {
    this.#stream = stream;
    this.#key = key;
    this.#nonce = nonce;
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

  /** Whole blocks, straight from input to output. */
  #blocks(input: Uint8Array, output: Uint8Array, length: number): void {
    const { xor, blocks } = this.#stream;
    const next = this.#counter + length / BLOCK;
    // Past its last block the library would abort the process.
    if (next > blocks) {
      throw new CipherError(
        "library_failure",
        "Cannot go on with a stream: its block counter is used up, start a new connection",
      );
    }
    const code = xor(
      output,
      input,
      BigInt(length),
      this.#nonce,
      BigInt(this.#counter),
      this.#key,
    );
    if (code !== 0) {
      throw new CipherError(
        "library_failure",
        `Cannot go on with a stream: libsodium answered ${code}`,
      );
    }
    this.#counter = next;
  }
}
