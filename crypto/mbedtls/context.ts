/**
 * Contexts of Mbed TLS's generic interface, which serves message and stream
 * ciphers alike.
 *
 * @module
 */

import { cString, NativeBuffer } from "../_ffi.ts";
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
    [`aes-${bits}-gcm`, `AES-${bits}-GCM`],
    [`aes-${bits}-cfb`, `AES-${bits}-CFB128`],
    [`aes-${bits}-ofb`, `AES-${bits}-OFB`],
    [`aes-${bits}-ctr`, `AES-${bits}-CTR`],
    [`camellia-${bits}-cfb`, `CAMELLIA-${bits}-CFB128`],
  ]),
  ["chacha20-ietf-poly1305", "CHACHA20-POLY1305"],
  ["bf-cfb", "BLOWFISH-CFB64"],
  ["rc4", "ARC4-128"],
  ["rc4-md5", "ARC4-128"],
]);

/**
 * Finds a cipher.
 *
 * @param symbols The library's functions.
 * @param cipher The canonical name of the cipher.
 * @returns `const mbedtls_cipher_info_t *`; undefined if this library lacks
 * it.
 */
export function findCipher(
  symbols: MbedtlsSymbols,
  cipher: string,
): Deno.PointerObject | undefined {
  const name = CIPHER_NAMES.get(cipher);
  if (name === undefined) return undefined;
  return symbols.mbedtls_cipher_info_from_string(cString(name)) ?? undefined;
}

/** One `mbedtls_cipher_context_t`; may be started again once disposed of. */
export class MbedtlsContext implements Disposable {
  /** The library's functions. */
  readonly symbols: MbedtlsSymbols;
  /** `size_t *olen`: these ciphers always write as much as they read. */
  readonly written: NativeBuffer = new NativeBuffer(8);
  readonly #info: Deno.PointerObject;
  readonly #operation: number;
  readonly #memory = new NativeBuffer(CONTEXT_SIZE);
  #started = false;

  /**
   * Reserves the memory.
   *
   * @param symbols The library's functions.
   * @param info `const mbedtls_cipher_info_t *`.
   * @param encrypt Which direction.
   */
  constructor(
    symbols: MbedtlsSymbols,
    info: Deno.PointerObject,
    encrypt: boolean,
  ) {
    this.symbols = symbols;
    this.#info = info;
    this.#operation = encrypt ? ENCRYPT : DECRYPT;
  }

  /** `mbedtls_cipher_context_t *` */
  get pointer(): Deno.PointerObject {
    return this.#memory.pointer;
  }

  /** Whether it has a key. */
  get started(): boolean {
    return this.#started;
  }

  /**
   * Sets up the context.
   *
   * @param key The key in the cipher's own form; not kept.
   * @throws {CipherError} If the library refuses.
   */
  start(key: Uint8Array): void {
    const { symbols, pointer } = this;
    symbols.mbedtls_cipher_init(pointer);
    this.#started = true;
    const code = symbols.mbedtls_cipher_setup(pointer, this.#info) ||
      symbols.mbedtls_cipher_setkey(
        pointer,
        key,
        key.length * 8,
        this.#operation,
      );
    if (code !== 0) this[Symbol.dispose]();
    checkMbedtls("set a key", code);
  }

  /** Wipes the key and frees what the context has made of it. */
  [Symbol.dispose](): void {
    if (!this.#started) return;
    this.#started = false;
    this.symbols.mbedtls_cipher_free(this.pointer);
  }
}
