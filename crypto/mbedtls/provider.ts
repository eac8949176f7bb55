/**
 * Mbed TLS as a provider, versions 2.7 to 3.6.
 *
 * @module
 */

import { makeProvider } from "../_binding.ts";
import type { CryptoProvider } from "../provider.ts";
import { MbedtlsAead } from "./aead.ts";
import { findCipher, MbedtlsContext } from "./context.ts";
import { loadMbedtls } from "./library.ts";
import { MbedtlsStream } from "./stream.ts";

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
    aead({ cipher }) {
      const info = findCipher(symbols, cipher);
      return info && {
        make: (memory, encrypt) =>
          new MbedtlsAead(new MbedtlsContext(symbols, info, encrypt), memory),
      };
    },
    stream({ cipher }) {
      const info = findCipher(symbols, cipher);
      return info && {
        start: (key, iv, decrypt) =>
          new MbedtlsStream(
            new MbedtlsContext(symbols, info, !decrypt),
            key,
            iv,
          ),
      };
    },
    close: () => library.close(),
  });
}
