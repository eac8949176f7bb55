/**
 * The two passes that make CFB of ECB and CBC. Their contexts keep nothing of
 * a stream from one call to the next, so all streams of a key share them.
 *
 * @module
 */

import { opensslError, type OpensslLibrary } from "./_openssl_library.ts";

/** Bytes of an AES block. */
export const BLOCK = 16;

/** The value of `enc` that leaves the direction as it is. */
const SAME_DIRECTION = -1;

/** What CFB is made of. */
export interface CfbParts {
  /** The library. */
  readonly library: OpensslLibrary;
  /** `EVP_CIPHER *` of the block cipher in ECB mode. */
  readonly ecb: Deno.PointerObject;
  /** `EVP_CIPHER *` of the block cipher in CBC mode. */
  readonly cbc: Deno.PointerObject;
}

/** A key, with a context for each mode and direction. */
export class CfbPasses implements Disposable {
  readonly #library: OpensslLibrary;
  readonly #key: Uint8Array;
  readonly #contexts: Deno.PointerObject[] = [];
  readonly #ecbEncrypt: Deno.PointerObject;
  readonly #ecbDecrypt: Deno.PointerObject;
  readonly #cbcEncrypt: Deno.PointerObject;
  readonly #cbcDecrypt: Deno.PointerObject;
  readonly #iv = new Uint8Array(BLOCK);
  #users = 1;

  /**
   * Sets up the contexts, for one user.
   *
   * @param parts The library and the modes.
   * @param key The key; copied.
   * @throws {CipherError} If OpenSSL refuses.
   */
  constructor(parts: CfbParts, key: Uint8Array) {
    const { library, ecb, cbc } = parts;
    this.#library = library;
    this.#key = key.slice();
    try {
      this.#ecbEncrypt = this.#context(ecb, 1);
      this.#ecbDecrypt = this.#context(ecb, 0);
      this.#cbcEncrypt = this.#context(cbc, 1);
      this.#cbcDecrypt = this.#context(cbc, 0);
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * Tells whether it is this key.
   *
   * @param key Any key.
   */
  equals(key: Uint8Array): boolean {
    const own = this.#key;
    if (key.length !== own.length) return false;
    for (let at = 0; at < own.length; at++) {
      if (key[at] !== own[at]) return false;
    }
    return true;
  }

  /** Gives it to one user more, who is to dispose of it too. */
  share(): this {
    this.#users++;
    return this;
  }

  /**
   * Decrypts whole blocks but the first, of which what comes out has no
   * meaning: it needs the block before it.
   *
   * @param input Whole blocks.
   * @param output As long.
   */
  decrypt(input: Uint8Array, output: Uint8Array): void {
    this.#update(this.#ecbEncrypt, input, output);
    this.#update(this.#cbcDecrypt, output, output);
  }

  /**
   * Encrypts whole blocks.
   *
   * @param previous The block of ciphertext before them.
   * @param input Whole blocks.
   * @param output As long.
   */
  encrypt(
    previous: Uint8Array,
    input: Uint8Array,
    output: Uint8Array,
  ): void {
    const iv = this.#iv;
    this.#update(this.#ecbEncrypt, previous, iv);
    const started = this.#library.symbols.startKeyed(
      this.#cbcEncrypt,
      null,
      null,
      null,
      iv,
      SAME_DIRECTION,
    );
    if (started !== 1) throw this.#failure();
    this.#update(this.#cbcEncrypt, input, output);
    this.#update(this.#ecbDecrypt, output, output);
  }

  /** Takes one user away; without any, frees the contexts. */
  [Symbol.dispose](): void {
    if (--this.#users > 0) return;
    this.#key.fill(0);
    for (const context of this.#contexts.splice(0)) {
      this.#library.symbols.EVP_CIPHER_CTX_free(context);
    }
  }

  #context(cipher: Deno.PointerObject, encrypt: 0 | 1): Deno.PointerObject {
    const { symbols } = this.#library;
    const context = symbols.EVP_CIPHER_CTX_new();
    if (context === null) throw this.#failure();
    this.#contexts.push(context);
    const ready = symbols.EVP_CipherInit_ex(
          context,
          cipher,
          null,
          this.#key,
          this.#iv,
          encrypt,
        ) === 1 &&
      // With padding, decryption would keep the last block back.
      symbols.EVP_CIPHER_CTX_set_padding(context, 0) === 1;
    if (!ready) throw this.#failure();
    return context;
  }

  #update(
    context: Deno.PointerObject,
    input: Uint8Array,
    output: Uint8Array,
  ): void {
    const { symbols, written } = this.#library;
    const { length } = input;
    if (symbols.update(context, output, written.pointer, input, length) !== 1) {
      throw this.#failure();
    }
  }

  #failure(): Error {
    return opensslError(this.#library, "encrypt or decrypt a stream");
  }
}
