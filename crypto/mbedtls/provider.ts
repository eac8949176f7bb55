/**
 * Mbed TLS as a provider, versions 2.7 to 3.6.
 *
 * @module
 */

import { makeProvider } from "../_binding.ts";
import type { CryptoProvider } from "../provider.ts";
import { findMbedtlsAead } from "./aead.ts";
import { loadMbedtls } from "./library.ts";
import { findMbedtlsStream } from "./stream.ts";

/**
 * Opens Mbed TLS.
 *
 * @param path A file chosen by the user; nothing else is then tried.
 * @returns The provider; dispose of its ciphers first.
 * @throws {CipherError} If it cannot be loaded.
 */
export function openMbedtls(path?: string): CryptoProvider {
  const library = loadMbedtls(path);
  const { symbols } = library;
  const number = symbols.mbedtls_version_get_number(); // 0xMMNNPP00
  const version = [number >>> 24, number >>> 16 & 255, number >>> 8 & 255];
  return makeProvider({
    name: "mbedtls",
    version: `Mbed TLS ${version.join(".")}`,
    aead: ({ cipher }) => {
      const make = findMbedtlsAead(symbols, cipher);
      return make && { make };
    },
    stream: ({ cipher }) => {
      const start = findMbedtlsStream(symbols, cipher);
      return start && { start };
    },
    close: () => library.close(),
  });
}
