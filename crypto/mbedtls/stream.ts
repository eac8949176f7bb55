/**
 * The stream ciphers of Mbed TLS through its generic interface: AES and
 * Camellia in the modes that a build has, and in old versions Blowfish and RC4.
 *
 * @module
 */

import { cString } from "../_ffi.ts";
import type { StreamStart } from "../_stream_cipher.ts";
import type { StreamState } from "../provider.ts";
import { checkMbedtls, type MbedtlsSymbols } from "./library.ts";

/**
 * Room for a mbedtls_cipher_context_t, which has about 100 bytes; what depends
 * on the cipher is behind a pointer.
 */
const CONTEXT_SIZE = 512;
/** mbedtls/cipher.h: MBEDTLS_DECRYPT and MBEDTLS_ENCRYPT. */
const DECRYPT = 0;
const ENCRYPT = 1;

/** The library's names of our ciphers. */
const CIPHER_NAMES: ReadonlyMap<string, string> = new Map([
  ...[128, 192, 256].flatMap((bits): [string, string][] => [
    [`aes-${bits}-cfb`, `AES-${bits}-CFB128`],
    [`aes-${bits}-ofb`, `AES-${bits}-OFB`],
    [`aes-${bits}-ctr`, `AES-${bits}-CTR`],
    [`camellia-${bits}-cfb`, `CAMELLIA-${bits}-CFB128`],
  ]),
  ["bf-cfb", "BLOWFISH-CFB64"],
  ["rc4", "ARC4-128"],
  ["rc4-md5", "ARC4-128"],
]);

/**
 * Finds a stream cipher.
 *
 * @param symbols The library's functions.
 * @param cipher The canonical name of the cipher.
 * @returns What starts it; undefined if this library lacks it.
 */
export function findMbedtlsStream(
  symbols: MbedtlsSymbols,
  cipher: string,
): StreamStart | undefined {
  const name = CIPHER_NAMES.get(cipher);
  if (name === undefined) return undefined;
  // const mbedtls_cipher_info_t *
  const info = symbols.mbedtls_cipher_info_from_string(cString(name));
  if (info === null) return undefined;
  return (key, iv, decrypt) => {
    const state = new MbedtlsStream(symbols);
    try {
      state.start(info, key, iv, decrypt ? DECRYPT : ENCRYPT);
    } catch (error) {
      state[Symbol.dispose]();
      throw error;
    }
    return state;
  };
}

class MbedtlsStream implements StreamState {
  readonly #symbols: MbedtlsSymbols;
  readonly #context = new Uint8Array(CONTEXT_SIZE);
  /** size_t *olen; these modes always write as much as they read. */
  readonly #written = new Uint8Array(8);

  constructor(symbols: MbedtlsSymbols) {
    this.#symbols = symbols;
    symbols.mbedtls_cipher_init(this.#context);
  }

  start(
    info: Deno.PointerObject,
    key: Uint8Array,
    iv: Uint8Array,
    operation: number,
  ): void {
    const symbols = this.#symbols;
    const context = this.#context;
    checkMbedtls(
      "set up a cipher",
      symbols.mbedtls_cipher_setup(context, info),
    );
    checkMbedtls(
      "set a key",
      symbols.mbedtls_cipher_setkey(context, key, key.length * 8, operation),
    );
    if (iv.length > 0) {
      checkMbedtls(
        "set an IV",
        symbols.mbedtls_cipher_set_iv(context, iv, BigInt(iv.length)),
      );
    }
    checkMbedtls("start a stream", symbols.mbedtls_cipher_reset(context));
  }

  update(input: Uint8Array, output: Uint8Array): void {
    const code = this.#symbols.mbedtls_cipher_update(
      this.#context,
      input,
      BigInt(input.length),
      output,
      this.#written,
    );
    checkMbedtls("go on with a stream", code);
  }

  [Symbol.dispose](): void {
    this.#symbols.mbedtls_cipher_free(this.#context);
  }
}
