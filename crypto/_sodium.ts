/**
 * libsodium as a provider: the ChaCha20 and Salsa20 families, and AES-256-GCM
 * where the processor has instructions for it.
 *
 * @module
 */

import { makeAeadCipher } from "./_aead_cipher.ts";
import { makeSodiumAead } from "./_sodium_aead.ts";
import {
  loadSodium,
  type SodiumLibrary,
  sodiumVersion,
} from "./_sodium_library.ts";
import { findSodiumStream, startSodiumStream } from "./_sodium_stream.ts";
import { makeStreamCipher } from "./_stream_cipher.ts";
import { CipherError } from "./errors.ts";
import type { CipherMethod } from "./methods.ts";
import type { AeadCipher, CryptoProvider, StreamCipher } from "./provider.ts";

/**
 * Opens libsodium.
 *
 * @param path A file chosen by the user; nothing else is then tried.
 * @returns The provider; dispose of its ciphers first.
 * @throws {CipherError} If it cannot be loaded.
 */
export function openSodium(path?: string): CryptoProvider {
  return new SodiumProvider(loadSodium(path));
}

class SodiumProvider implements CryptoProvider {
  readonly name = "sodium";
  readonly version: string;
  readonly #library: SodiumLibrary;
  #open = true;

  constructor(library: SodiumLibrary) {
    this.#library = library;
    this.version = `libsodium ${sodiumVersion(library.symbols)}`;
  }

  supports(method: CipherMethod): boolean {
    const { symbols } = this.#library;
    switch (method.kind) {
      case "aead": {
        using backend = makeSodiumAead(symbols, method.cipher);
        return backend !== undefined;
      }
      case "stream":
        return findSodiumStream(symbols, method.cipher) !== undefined;
      case "table":
        return false;
      default:
        return method.kind satisfies never;
    }
  }

  aead(method: CipherMethod): AeadCipher {
    const backend = method.kind === "aead"
      ? makeSodiumAead(this.#library.symbols, method.cipher)
      : undefined;
    if (backend === undefined) throw this.#unsupported(method);
    return makeAeadCipher(method, backend);
  }

  stream(method: CipherMethod): StreamCipher {
    const stream = method.kind === "stream"
      ? findSodiumStream(this.#library.symbols, method.cipher)
      : undefined;
    if (stream === undefined) throw this.#unsupported(method);
    return makeStreamCipher(
      method,
      (key, iv) => startSodiumStream(stream, key, iv),
    );
  }

  [Symbol.dispose](): void {
    if (!this.#open) return;
    this.#open = false;
    this.#library.close();
  }

  #unsupported(method: CipherMethod): CipherError {
    return new CipherError(
      "not_supported",
      `Cannot use ${method.name}: ${this.version} does not have it here`,
    );
  }
}
