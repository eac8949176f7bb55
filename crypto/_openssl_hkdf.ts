/**
 * The session key of SIP007, HKDF-SHA1 (RFC 5869) with the info text
 * "ss-subkey", out of OpenSSL's HMAC. OpenSSL's own HKDF looks its digest up
 * again on every use and takes twice as long; this takes about 3 µs.
 *
 * @module
 */

import { cString } from "./_ffi.ts";
import { opensslError, type OpensslLibrary } from "./_openssl_library.ts";

/** Bytes of a SHA-1 digest. */
const HASH_LENGTH = 20;

/** SIP007: the `info` input of HKDF. */
const INFO = new TextEncoder().encode("ss-subkey");

/** HKDF-SHA1 with one HMAC context that is used again and again. */
export class OpensslHkdf implements Disposable {
  readonly #library: OpensslLibrary;
  #context: Deno.PointerValue;
  readonly #pseudoRandomKey = new Uint8Array(HASH_LENGTH);
  /** T(n-1) ‖ info ‖ n: the input of one step of the expansion. */
  readonly #step = new Uint8Array(HASH_LENGTH + INFO.length + 1);
  /** The same without T(0), which is empty. */
  readonly #firstStep = this.#step.subarray(HASH_LENGTH);

  /**
   * @param library The library.
   * @throws {CipherError} If it has no SHA-1.
   */
  constructor(library: OpensslLibrary) {
    const { symbols } = library;
    this.#library = library;
    this.#context = symbols.HMAC_CTX_new();
    this.#step.set(INFO, HASH_LENGTH);
    // Fetched: else the digest is looked up again at every key.
    const digest = symbols.EVP_MD_fetch === null
      ? symbols.EVP_sha1()
      : symbols.EVP_MD_fetch(null, cString("SHA1"), null);
    const key = this.#pseudoRandomKey;
    if (
      this.#context === null || digest === null ||
      symbols.HMAC_Init_ex(this.#context, key, key.length, digest, null) !== 1
    ) {
      const error = opensslError(library, "set up HMAC-SHA1");
      this[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * Derives a subkey.
   *
   * @param master The input key.
   * @param salt The salt of the session.
   * @param length Bytes of the subkey, at most 255 × 20.
   * @returns The subkey.
   */
  derive(
    master: Uint8Array,
    salt: Uint8Array,
    length: number,
  ): Uint8Array<ArrayBuffer> {
    const step = this.#step;
    const key = this.#pseudoRandomKey;
    const subkey = new Uint8Array(length);
    this.#mac(salt, master, key);
    for (let at = 0, counter = 1; at < length; at += HASH_LENGTH, counter++) {
      step[step.length - 1] = counter;
      const first = at === 0;
      // The key stays from step to step; the output lands where the next
      // step wants it.
      this.#mac(first ? key : null, first ? this.#firstStep : step, step);
      subkey.set(step.subarray(0, Math.min(HASH_LENGTH, length - at)), at);
    }
    key.fill(0);
    step.fill(0, 0, HASH_LENGTH);
    return subkey;
  }

  #mac(key: Uint8Array | null, data: Uint8Array, out: Uint8Array): void {
    const { symbols } = this.#library;
    const context = this.#context;
    if (context === null) throw new Error("OpensslHkdf is disposed of");
    if (
      symbols.HMAC_Init_ex(
          context,
          key as BufferSource | null,
          key?.length ?? 0,
          null,
          null,
        ) !== 1 ||
      symbols.HMAC_Update(
          context,
          data as BufferSource,
          BigInt(data.length),
        ) !== 1 ||
      symbols.HMAC_Final(context, out as BufferSource, null) !== 1
    ) throw opensslError(this.#library, "compute HMAC-SHA1");
  }

  /** Frees the context. */
  [Symbol.dispose](): void {
    if (this.#context !== null) {
      this.#library.symbols.HMAC_CTX_free(this.#context);
    }
    this.#context = null;
  }
}
