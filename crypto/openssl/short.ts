/**
 * Short messages of AES-256-GCM by libsodium, beside OpenSSL. Measured on an
 * AMD EPYC with OpenSSL 3.0.19 and libsodium 1.0.18: for 64 bytes OpenSSL needs
 * four calls, which look up parameters by their names, 240 ns; libsodium needs
 * one, 70 ns. Over half a kilobyte OpenSSL is the faster, for whole chunks two
 * and a half times.
 *
 * @module
 */

import type { MakeBackend } from "../_aead_context.ts";
import { oncePerPath } from "../_ffi.ts";
import { CipherError } from "../errors.ts";
import { findSodiumGcm } from "../sodium/aead.ts";
import { loadSodiumGcm, type SodiumGcmSymbols } from "../sodium/library.ts";

/** Most bytes that libsodium is asked for: with more, it is not surely quicker. */
const SHORT_LENGTH = 400;

/** Loaded for good: the ciphers that use it may do so at any time. */
const findSodium: (path?: string) => SodiumGcmSymbols | undefined = oncePerPath(
  (path) => {
    try {
      return loadSodiumGcm(path);
    } catch (error) {
      if (error instanceof CipherError) return undefined;
      throw error;
    }
  },
);

/**
 * Gives the short messages of AES-256-GCM to libsodium.
 *
 * @param long Makes the backends of OpenSSL.
 * @param path A file of libsodium chosen by the user; undefined looks in the
 * usual places.
 * @returns What makes both together; undefined if libsodium is not there, is
 * too old, or the processor has no instructions for the cipher.
 */
export function withShortGcm(
  long: MakeBackend,
  path: string | undefined,
): MakeBackend | undefined {
  const symbols = findSodium(path);
  return symbols && findSodiumGcm(symbols, { above: SHORT_LENGTH, make: long });
}
