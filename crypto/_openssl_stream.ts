/**
 * Stream ciphers of OpenSSL: one `EVP_CIPHER_CTX` for each direction of a
 * connection, since the key stream is its state.
 *
 * @module
 */

import { opensslError, type OpensslLibrary } from "./_openssl_library.ts";
import type { StreamState } from "./provider.ts";

/** The value of `enc` that leaves the direction as it is. */
const SAME_DIRECTION = -1;

/** What is needed to start a stream. */
export interface OpensslStreamStart {
  /** The library. */
  readonly library: OpensslLibrary;
  /** `EVP_CIPHER *`. */
  readonly cipher: Deno.PointerObject;
  /** The key in the cipher's own form. */
  readonly key: Uint8Array;
  /** The IV in the cipher's own form; may be empty. */
  readonly iv: Uint8Array;
  /** Which direction. */
  readonly decrypt: boolean;
}

/** One direction of a connection. */
export class OpensslStream implements StreamState {
  readonly #library: OpensslLibrary;
  #context: Deno.PointerValue;

  /**
   * Sets up the context.
   *
   * @param start What to start with; key and IV are not kept.
   * @throws {CipherError} If OpenSSL refuses.
   */
  constructor(start: OpensslStreamStart) {
    const { library, cipher, key, iv, decrypt } = start;
    const { symbols } = library;
    const context = symbols.EVP_CIPHER_CTX_new();
    this.#library = library;
    this.#context = context;
    const ready = context !== null && symbols.EVP_CipherInit_ex(
          context,
          cipher,
          null,
          key,
          iv.length === 0 ? null : iv,
          decrypt ? 0 : 1,
        ) === 1;
    if (!ready) {
      const error = opensslError(library, "start a stream cipher");
      this[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * Encrypts or decrypts the next bytes.
   *
   * @param input At least one byte.
   * @param output Takes `input.length` bytes.
   */
  update(input: Uint8Array, output: Uint8Array): void {
    const done = this.#library.symbols.update(
      this.#context,
      output,
      this.#library.written.pointer,
      input,
      input.length,
    );
    if (done !== 1) throw this.#failure();
  }

  /**
   * Goes on from another IV, with the same key.
   *
   * @param iv As long as the one at the start.
   */
  restart(iv: Uint8Array): void {
    const done = this.#library.symbols.startKeyed(
      this.#context,
      null,
      null,
      null,
      iv,
      SAME_DIRECTION,
    );
    if (done !== 1) throw this.#failure();
  }

  /** Frees the context. */
  [Symbol.dispose](): void {
    const context = this.#context;
    this.#context = null;
    if (context !== null) this.#library.symbols.EVP_CIPHER_CTX_free(context);
  }

  #failure(): Error {
    return opensslError(this.#library, "encrypt or decrypt a stream");
  }
}
