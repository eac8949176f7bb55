/**
 * The stream ciphers of Mbed TLS: AES and Camellia in the modes that a build
 * has, and in old versions Blowfish and RC4.
 *
 * @module
 */

import type { StreamState } from "../provider.ts";
import type { MbedtlsContext } from "./context.ts";
import { checkMbedtls } from "./library.ts";

/** One direction of a connection. */
export class MbedtlsStream implements StreamState {
  readonly #context: MbedtlsContext;

  /**
   * Starts the direction.
   *
   * @param context Becomes the stream's own.
   * @param key The key in the cipher's own form; not kept.
   * @param iv The IV in the cipher's own form; may be empty.
   * @throws {CipherError} If the library refuses.
   */
  constructor(context: MbedtlsContext, key: Uint8Array, iv: Uint8Array) {
    const { symbols, pointer } = context;
    this.#context = context;
    context.start(key);
    const code =
      (iv.length === 0
        ? 0
        : symbols.mbedtls_cipher_set_iv(pointer, iv, BigInt(iv.length))) ||
      symbols.mbedtls_cipher_reset(pointer);
    if (code !== 0) this[Symbol.dispose]();
    checkMbedtls("set an IV", code);
  }

  /**
   * Encrypts or decrypts the next bytes.
   *
   * @param input At least one byte.
   * @param output Takes `input.length` bytes.
   * @throws {CipherError} If the library refuses.
   */
  update(input: Uint8Array, output: Uint8Array): void {
    const { symbols, pointer, written } = this.#context;
    const code = symbols.mbedtls_cipher_update(
      pointer,
      input,
      BigInt(input.length),
      output,
      written.pointer,
    );
    checkMbedtls("go on with a stream", code);
  }

  /** Frees the context. */
  [Symbol.dispose](): void {
    this.#context[Symbol.dispose]();
  }
}
