/**
 * The provider that needs no native library: what the runtime's node:crypto
 * has, and noble-ciphers for the rest. It is the last choice: right, and much
 * slower than a library. The `table` method, which no library has, is here too.
 *
 * @module
 */

import { type AeadBackend, makeAeadCipher } from "./_aead_cipher.ts";
import { makePortableAead } from "./_portable_aead.ts";
import { startPortableAes } from "./_portable_aes.ts";
import { startPortableKeystream } from "./_portable_keystream.ts";
import { Rc4 } from "./_rc4.ts";
import { makeStreamCipher } from "./_stream_cipher.ts";
import { CipherError } from "./errors.ts";
import { md5 } from "./key.ts";
import type { CipherMethod } from "./methods.ts";
import type {
  AeadCipher,
  CryptoProvider,
  StreamCipher,
  StreamState,
} from "./provider.ts";
import { makeTableCipher } from "./table.ts";

/**
 * Opens the portable provider.
 *
 * @returns The provider, which is always there.
 */
export function openPortable(): CryptoProvider {
  return new PortableProvider();
}

class PortableProvider implements CryptoProvider {
  readonly name = "portable";
  readonly version = `portable (Deno ${Deno.version.deno})`;
  /** Whether a cipher works, by its canonical name. */
  readonly #supported = new Map<string, boolean>();

  supports(method: CipherMethod): boolean {
    const known = this.#supported.get(method.cipher);
    if (known !== undefined) return known;
    const works = tries(method);
    this.#supported.set(method.cipher, works);
    return works;
  }

  aead(method: CipherMethod): AeadCipher {
    const backend = method.kind === "aead"
      ? makePortableAead(method.cipher)
      : undefined;
    if (backend === undefined) throw unsupported(method);
    return makeAeadCipher(method, backend);
  }

  stream(method: CipherMethod): StreamCipher {
    if (method.kind === "table") return makeTableCipher();
    if (method.kind !== "stream" || !this.supports(method)) {
      throw unsupported(method);
    }
    return makeStreamCipher(method, (key, iv, decrypt) => {
      const state = startStream(method.cipher, { key, iv, decrypt });
      if (state === undefined) throw unsupported(method);
      return state;
    });
  }

  [Symbol.dispose](): void {}
}

function tries(method: CipherMethod): boolean {
  const { cipher, keyLength, saltLength } = method;
  switch (method.kind) {
    case "aead": {
      using backend: AeadBackend | undefined = makePortableAead(cipher);
      return backend !== undefined;
    }
    case "stream":
      try {
        using state = startStream(cipher, {
          key: new Uint8Array(keyLength),
          iv: new Uint8Array(saltLength),
          decrypt: false,
        });
        return state !== undefined;
      } catch {
        return false; // node:crypto does not know the algorithm
      }
    case "table":
      return true;
    default:
      return method.kind satisfies never;
  }
}

function startStream(
  cipher: string,
  start: { key: Uint8Array; iv: Uint8Array; decrypt: boolean },
): StreamState | undefined {
  if (cipher === "rc4") return new Rc4(start.key);
  if (cipher === "rc4-md5") return new Rc4(md5(start.key, start.iv));
  return startPortableAes(cipher, start) ??
    startPortableKeystream(cipher, start.key, start.iv);
}

function unsupported(method: CipherMethod): CipherError {
  return new CipherError(
    "not_supported",
    `Cannot use ${method.name}: it needs a native library, such as OpenSSL`,
  );
}
