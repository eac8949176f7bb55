/**
 * Mbed TLS as a provider, versions 2.7 to 3.6.
 *
 * @module
 */

import {
  type AeadBackend,
  makeAeadCipher,
  TAG_LENGTH,
} from "./_aead_cipher.ts";
import { makeMbedtlsAead } from "./_mbedtls_aead.ts";
import {
  loadMbedtls,
  type MbedtlsLibrary,
  mbedtlsVersion,
} from "./_mbedtls_library.ts";
import {
  findMbedtlsStream,
  type MbedtlsStream,
  startMbedtlsStream,
} from "./_mbedtls_stream.ts";
import { makeStreamCipher } from "./_stream_cipher.ts";
import { CipherError } from "./errors.ts";
import type { CipherMethod } from "./methods.ts";
import type { AeadCipher, CryptoProvider, StreamCipher } from "./provider.ts";

/**
 * Opens Mbed TLS.
 *
 * @param path A file chosen by the user; nothing else is then tried.
 * @returns The provider; dispose of its ciphers first.
 * @throws {CipherError} If it cannot be loaded.
 */
export function openMbedtls(path?: string): CryptoProvider {
  return new MbedtlsProvider(loadMbedtls(path));
}

class MbedtlsProvider implements CryptoProvider {
  readonly name = "mbedtls";
  readonly version: string;
  readonly #library: MbedtlsLibrary;
  #open = true;

  constructor(library: MbedtlsLibrary) {
    this.#library = library;
    this.version = `Mbed TLS ${mbedtlsVersion(library.symbols)}`;
  }

  supports(method: CipherMethod): boolean {
    const { symbols } = this.#library;
    switch (method.kind) {
      case "aead": {
        using backend = makeMbedtlsAead(symbols, method.cipher);
        return backend !== undefined && works(method, backend);
      }
      case "stream": {
        const stream = findMbedtlsStream(symbols, method.cipher);
        return stream !== undefined && starts(method, stream);
      }
      case "table":
        return false;
      default:
        return method.kind satisfies never;
    }
  }

  aead(method: CipherMethod): AeadCipher {
    const backend = method.kind === "aead"
      ? makeMbedtlsAead(this.#library.symbols, method.cipher)
      : undefined;
    if (backend === undefined) throw this.#unsupported(method);
    return makeAeadCipher(method, backend);
  }

  stream(method: CipherMethod): StreamCipher {
    const stream = method.kind === "stream"
      ? findMbedtlsStream(this.#library.symbols, method.cipher)
      : undefined;
    if (stream === undefined) throw this.#unsupported(method);
    return makeStreamCipher(
      method,
      (key, iv, decrypt) => startMbedtlsStream(stream, key, iv, decrypt),
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

/** A build may know the name of a cipher and still refuse its key size. */
function works(method: CipherMethod, backend: AeadBackend): boolean {
  try {
    backend.seal(
      { bytes: new Uint8Array(method.keyLength) },
      new Uint8Array(method.nonceLength),
      new Uint8Array(0),
      new Uint8Array(TAG_LENGTH),
    );
    return true;
  } catch {
    return false;
  }
}

function starts(method: CipherMethod, stream: MbedtlsStream): boolean {
  const key = new Uint8Array(method.keyLength);
  const iv = new Uint8Array(method.saltLength);
  try {
    startMbedtlsStream(stream, key, iv, false)[Symbol.dispose]();
    return true;
  } catch {
    return false;
  }
}
