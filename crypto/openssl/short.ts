/**
 * Short messages of AES-256-GCM by libsodium, beside OpenSSL. Measured on an
 * AMD EPYC with OpenSSL 3.0.19 and libsodium 1.0.18: for 64 bytes OpenSSL needs
 * four calls, which look up parameters by their names, 240 ns; libsodium needs
 * one, 70 ns. Over half a kilobyte OpenSSL is the faster, for whole chunks two
 * and a half times.
 *
 * @module
 */

import type { AeadBackend, MakeBackend } from "../_aead_context.ts";
import { oncePerPath } from "../_ffi.ts";
import { CipherError } from "../errors.ts";
import type { AeadPart } from "../provider.ts";
import { findSodiumAead } from "../sodium/aead.ts";
import { loadSodium } from "../sodium/library.ts";

/** The canonical name of the cipher. */
export const SHORT_CIPHER = "aes-256-gcm";
/** Most bytes of plaintext that libsodium is asked for. */
const SHORT_LENGTH = 400;

/**
 * Looks for libsodium, which then stays loaded: the ciphers that use it may do
 * so at any time.
 *
 * @param path A file chosen by the user; undefined looks in the usual places.
 * @returns What makes its backends; undefined if the library is not there, is
 * too old, or the processor has no instructions for the cipher.
 */
export const findShortGcm: (path?: string) => MakeBackend | undefined =
  oncePerPath((path) => {
    try {
      return findSodiumAead(loadSodium(path).symbols, SHORT_CIPHER);
    } catch (error) {
      if (error instanceof CipherError) return undefined;
      throw error;
    }
  });

/**
 * Lets one library do the short messages, and another one the long ones.
 *
 * @param short Makes the backends of short messages.
 * @param long Makes those of others.
 * @returns What makes both together.
 */
export function shortFirst(short: MakeBackend, long: MakeBackend): MakeBackend {
  return (memory, encrypt) =>
    new ShortFirst(short(memory, encrypt), long(memory, encrypt));
}

class ShortFirst implements AeadBackend {
  readonly #short: AeadBackend;
  readonly #long: AeadBackend;

  constructor(short: AeadBackend, long: AeadBackend) {
    this.#short = short;
    this.#long = long;
  }

  seal(part: AeadPart): void {
    if (part.length <= SHORT_LENGTH) this.#short.seal(part);
    else this.#long.seal(part);
  }

  open(part: AeadPart): boolean {
    return part.length <= SHORT_LENGTH
      ? this.#short.open(part)
      : this.#long.open(part);
  }

  forget(): void {
    this.#short.forget();
    this.#long.forget();
  }

  [Symbol.dispose](): void {
    this.#short[Symbol.dispose]();
    this.#long[Symbol.dispose]();
  }
}
