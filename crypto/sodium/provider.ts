/**
 * libsodium as a provider: the ChaCha20 and Salsa20 families, and AES-256-GCM
 * where the processor has instructions for it.
 *
 * @module
 */

import { makeProvider } from "../_binding.ts";
import { readCString } from "../_ffi.ts";
import { startKeystream } from "../_keystream.ts";
import type { CryptoProvider } from "../provider.ts";
import { findSodiumAead } from "./aead.ts";
import { loadSodium } from "./library.ts";
import { findSodiumStream } from "./stream.ts";

/**
 * Opens libsodium.
 *
 * @param path A file chosen by the user; nothing else is then tried.
 * @returns The provider; dispose of its ciphers first.
 * @throws {CipherError} If it cannot be loaded.
 */
export function openSodium(path?: string): CryptoProvider {
  const library = loadSodium(path);
  const { symbols } = library;
  return makeProvider({
    name: "sodium",
    version: `libsodium ${readCString(symbols.sodium_version_string())}`,
    aead: ({ cipher }) => {
      const make = findSodiumAead(symbols, cipher);
      return make && { make };
    },
    stream: ({ cipher }) => {
      const stream = findSodiumStream(symbols, cipher);
      return stream &&
        { start: (key, iv) => startKeystream(stream, key, iv) };
    },
    close: () => library.close(),
  });
}
