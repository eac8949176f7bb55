/**
 * Stream ciphers of OpenSSL: one `EVP_CIPHER_CTX` for each direction of a
 * connection, since the key stream is its state.
 *
 * @module
 */

import type { StreamState } from "../provider.ts";
import {
  type ContextStart,
  newContext,
  opensslError,
  type OpensslLibrary,
  SAME_DIRECTION,
} from "./library.ts";

/** One direction of a connection. */
export class OpensslStream implements StreamState {
  readonly #library: OpensslLibrary;
  #context: Deno.PointerValue;

  /**
   * Sets up the context.
   *
   * @param library The library.
   * @param start What to start with; key and IV are not kept.
   * @throws {CipherError} If OpenSSL refuses.
   */
  constructor(library: OpensslLibrary, start: ContextStart) {
    this.#library = library;
    this.#context = newContext(library, start);
  }

  /**
   * Encrypts or decrypts the next bytes.
   *
   * @param input At least one byte.
   * @param output Takes `input.length` bytes.
   * @throws {CipherError} If OpenSSL refuses.
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
   * @throws {CipherError} If OpenSSL refuses.
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

  /**
   * Makes a block mode give every block at once: with padding, which such a
   * mode has by default, decryption keeps the last one back.
   *
   * @returns The stream itself.
   * @throws {CipherError} If OpenSSL refuses.
   */
  withoutPadding(): this {
    const { symbols } = this.#library;
    if (symbols.EVP_CIPHER_CTX_set_padding(this.#context, 0) !== 1) {
      throw this.#failure();
    }
    return this;
  }

  /** Frees the context. */
  [Symbol.dispose](): void {
    this.#library.symbols.EVP_CIPHER_CTX_free(this.#context);
    this.#context = null;
  }

  #failure(): Error {
    return opensslError(this.#library, "encrypt or decrypt a stream");
  }
}
