/**
 * The stream ciphers of libsodium: Salsa20 and the ChaCha20 family.
 *
 * @module
 */

import { type Keystream, KeystreamState } from "./_keystream.ts";
import type { SodiumSymbols } from "./_sodium_library.ts";
import { CipherError } from "./errors.ts";
import type { StreamState } from "./provider.ts";

/**
 * Blocks that the 32-bit counter of RFC 8439 can count, 256 GiB; past them
 * libsodium aborts the process.
 */
const IETF_BLOCKS = 2 ** 32;
/** For a 64-bit counter: what a number counts exactly, half an exbibyte. */
const WIDE_BLOCKS = Number.MAX_SAFE_INTEGER;

/** crypto_stream_*_xor_ic. */
export type XorBlocks<Counter> = (
  output: Uint8Array,
  input: Uint8Array,
  length: bigint,
  nonce: Uint8Array,
  counter: Counter,
  key: Uint8Array,
) => number;

/** A libsodium stream cipher. */
export interface SodiumStream {
  /** The library's function. */
  readonly xor: XorBlocks<bigint>;
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
      return wide(symbols.crypto_stream_salsa20_xor_ic);
    case "chacha20":
      return wide(symbols.crypto_stream_chacha20_xor_ic);
    case "xchacha20":
      return wide(symbols.crypto_stream_xchacha20_xor_ic);
    case "chacha20-ietf":
      return ietf(symbols.crypto_stream_chacha20_ietf_xor_ic);
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
 * @returns The state.
 */
export function startSodiumStream(
  stream: SodiumStream,
  key: Uint8Array,
  nonce: Uint8Array,
): StreamState {
  return new KeystreamState(new SodiumKeystream(stream, key, nonce));
}

type Wide = XorBlocks<bigint>;
type Ietf = XorBlocks<number>;

function wide(xor: Wide | null): SodiumStream | undefined {
  return xor === null ? undefined : { xor, blocks: WIDE_BLOCKS };
}

function ietf(xor: Ietf | null): SodiumStream | undefined {
  if (xor === null) return undefined;
  return {
    xor: (output, input, length, nonce, counter, key) =>
      xor(output, input, length, nonce, Number(counter), key),
    blocks: IETF_BLOCKS,
  };
}

/** The keystream of one direction. */
export class SodiumKeystream implements Keystream {
  /** Blocks before the counter would start again. */
  readonly blocks: number;
  readonly #xor: XorBlocks<bigint>;
  readonly #key: Uint8Array;
  readonly #nonce: Uint8Array;

  /**
   * Copies the key and the nonce.
   *
   * @param stream The cipher.
   * @param key 32 bytes; copied.
   * @param nonce As long as the cipher needs; copied.
   */
  constructor(stream: SodiumStream, key: Uint8Array, nonce: Uint8Array) {
    this.blocks = stream.blocks;
    this.#xor = stream.xor;
    this.#key = key.slice();
    this.#nonce = nonce.slice();
  }

  /**
   * Adds the keystream to whole blocks.
   *
   * @param input At least `length` bytes.
   * @param output At least `length` bytes; may be `input`.
   * @param length A multiple of 64.
   * @param counter The number of the first block.
   * @throws {CipherError} If the library refuses.
   */
  xor(
    input: Uint8Array,
    output: Uint8Array,
    length: number,
    counter: number,
  ): void {
    const code = this.#xor(
      output,
      input,
      BigInt(length),
      this.#nonce,
      BigInt(counter),
      this.#key,
    );
    if (code === 0) return;
    throw new CipherError(
      "library_failure",
      `Cannot go on with a stream: libsodium answered ${code}`,
    );
  }

  /** Wipes the key. */
  [Symbol.dispose](): void {
    this.#key.fill(0);
  }
}
