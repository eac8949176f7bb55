/**
 * The stream ciphers of libsodium: Salsa20 and the ChaCha20 family.
 *
 * @module
 */

import type { Keystream } from "../_keystream.ts";
import { checkSodium, type SodiumSymbols } from "./library.ts";

/**
 * Blocks that the 32-bit counter of RFC 8439 can count, 256 GiB; past them
 * libsodium aborts the process.
 */
const IETF_BLOCKS = 2 ** 32;
/** For a 64-bit counter: what a number counts exactly, half an exbibyte. */
const WIDE_BLOCKS = Number.MAX_SAFE_INTEGER;

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
): Keystream | undefined {
  switch (cipher) {
    case "salsa20":
      return keystream(symbols.crypto_stream_salsa20_xor_ic, WIDE_BLOCKS);
    case "chacha20":
      return keystream(symbols.crypto_stream_chacha20_xor_ic, WIDE_BLOCKS);
    case "xchacha20":
      return keystream(symbols.crypto_stream_xchacha20_xor_ic, WIDE_BLOCKS);
    case "chacha20-ietf":
      return keystream(symbols.crypto_stream_chacha20_ietf_xor_ic, IETF_BLOCKS);
    default:
      return undefined;
  }
}

function keystream(
  call: SodiumSymbols["crypto_stream_salsa20_xor_ic"],
  blocks: number,
): Keystream | undefined {
  if (call === null) return undefined;
  return {
    blocks,
    xor(key, nonce, input, output, length, counter): void {
      const first = BigInt(counter);
      const code = call(output, input, BigInt(length), nonce, first, key);
      checkSodium("go on with a stream", code);
    },
  };
}
