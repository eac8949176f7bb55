/**
 * libsodium as a provider: the ChaCha20 and Salsa20 families, and AES-256-GCM
 * where the processor has instructions for it.
 *
 * @module
 */

import { makeProvider } from "../_binding.ts";
import { oncePerPath, readCString } from "../_ffi.ts";
import type { DeriveSubkey } from "../_hkdf.ts";
import { startKeystream } from "../_keystream.ts";
import { CipherError } from "../errors.ts";
import { makeOpensslHkdf } from "../openssl/hkdf.ts";
import { loadOpenssl } from "../openssl/library.ts";
import type { CryptoProvider } from "../provider.ts";
import { findSodiumAead } from "./aead.ts";
import { loadSodium } from "./library.ts";
import { findSodiumStream } from "./stream.ts";

/**
 * Session keys by OpenSSL where it is there: libsodium has no SHA-1, and what
 * serves else takes three times as long, see `_hkdf.ts`.
 */
const findHkdf: (path?: string) => DeriveSubkey | undefined = oncePerPath(
  (path) => {
    try {
      return makeOpensslHkdf(loadOpenssl(path).symbols);
    } catch (error) {
      if (error instanceof CipherError) return undefined;
      throw error;
    }
  },
);

/**
 * Opens libsodium.
 *
 * @param path A file chosen by the user; nothing else is then tried.
 * @param libopenssl A file of OpenSSL chosen by the user, for session keys.
 * @returns The provider; dispose of its ciphers first.
 * @throws {CipherError} If it cannot be loaded.
 */
export function openSodium(
  path?: string,
  libopenssl?: string,
): CryptoProvider {
  const library = loadSodium(path);
  const { symbols } = library;
  return makeProvider({
    name: "sodium",
    version: `libsodium ${readCString(symbols.sodium_version_string())}`,
    aead: ({ cipher }) => {
      const make = findSodiumAead(symbols, cipher);
      return make && { make, derive: findHkdf(libopenssl) };
    },
    stream: ({ cipher }) => {
      const stream = findSodiumStream(symbols, cipher);
      return stream &&
        { start: (key, iv) => startKeystream(stream, key, iv) };
    },
    close: () => library.close(),
  });
}
