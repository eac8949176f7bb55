/**
 * The stream ciphers of Mbed TLS through its generic interface: AES and
 * Camellia in the modes that a build has, and in old versions Blowfish and RC4.
 *
 * @module
 */

import { cString } from "./_ffi.ts";
import { checkMbedtls, type MbedtlsSymbols } from "./_mbedtls_library.ts";
import { md5 } from "./key.ts";
import type { StreamState } from "./provider.ts";

/**
 * Room for a mbedtls_cipher_context_t, which has about 100 bytes; what depends
 * on the cipher is behind a pointer.
 */
const CONTEXT_SIZE = 512;
/** MBEDTLS_DECRYPT and MBEDTLS_ENCRYPT. */
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

/** A stream cipher of this library. */
export interface MbedtlsStream {
  /** The canonical name of the cipher. */
  readonly cipher: string;
  /** The library's functions. */
  readonly functions: MbedtlsSymbols;
  /** const mbedtls_cipher_info_t *. */
  readonly info: Deno.PointerObject;
}

/**
 * Finds a stream cipher.
 *
 * @param symbols The library's functions.
 * @param cipher The canonical name of the cipher.
 * @returns The cipher; undefined if this library lacks it.
 */
export function findMbedtlsStream(
  symbols: MbedtlsSymbols,
  cipher: string,
): MbedtlsStream | undefined {
  const name = CIPHER_NAMES.get(cipher);
  if (name === undefined) return undefined;
  const info = symbols.mbedtls_cipher_info_from_string(cString(name));
  if (info === null) return undefined;
  return { cipher, functions: symbols, info };
}

/**
 * Starts one direction.
 *
 * @param stream The cipher.
 * @param key The key; read during the call only.
 * @param iv The IV; read during the call only.
 * @param decrypt Which direction.
 * @returns The state, which has native memory.
 * @throws {CipherError} If the library refuses.
 */
export function startMbedtlsStream(
  stream: MbedtlsStream,
  key: Uint8Array,
  iv: Uint8Array,
  decrypt: boolean,
): StreamState {
  if (stream.cipher !== "rc4-md5") {
    return new MbedtlsState(stream, { key, iv, decrypt });
  }
  const mixed = md5(key, iv);
  const state = new MbedtlsState(stream, {
    key: mixed,
    iv: new Uint8Array(0),
    decrypt,
  });
  mixed.fill(0);
  return state;
}

class MbedtlsState implements StreamState {
  readonly #functions: MbedtlsSymbols;
  readonly #context = new Uint8Array(CONTEXT_SIZE);
  /** size_t *olen; these modes always write as much as they read. */
  readonly #written = new Uint8Array(8);

  constructor(
    stream: MbedtlsStream,
    options: { key: Uint8Array; iv: Uint8Array; decrypt: boolean },
  ) {
    const { key, iv, decrypt } = options;
    const context = this.#context;
    const functions = stream.functions;
    this.#functions = functions;
    functions.mbedtls_cipher_init(context);
    try {
      checkMbedtls(
        "set up a cipher",
        functions.mbedtls_cipher_setup(context, stream.info),
      );
      checkMbedtls(
        "set a key",
        functions.mbedtls_cipher_setkey(
          context,
          key,
          key.length * 8,
          decrypt ? DECRYPT : ENCRYPT,
        ),
      );
      if (iv.length > 0) {
        checkMbedtls(
          "set an IV",
          functions.mbedtls_cipher_set_iv(context, iv, BigInt(iv.length)),
        );
      }
      checkMbedtls(
        "start a stream",
        functions.mbedtls_cipher_reset(context),
      );
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  update(input: Uint8Array, output: Uint8Array): void {
    checkMbedtls(
      "go on with a stream",
      this.#functions.mbedtls_cipher_update(
        this.#context,
        input,
        BigInt(input.length),
        output,
        this.#written,
      ),
    );
  }

  [Symbol.dispose](): void {
    this.#functions.mbedtls_cipher_free(this.#context);
  }
}
