/**
 * A provider made of what a library's folder gives: the question whether it
 * has a cipher, and the refusal where it has not, are the same for all.
 *
 * @module
 */

import { type AeadBinding, makeAeadCipher } from "./_aead_cipher.ts";
import { makeStreamCipher, type StreamBinding } from "./_stream_cipher.ts";
import { CipherError } from "./errors.ts";
import type { CipherMethod } from "./methods.ts";
import type {
  AeadCipher,
  BlockCipher,
  CryptoProvider,
  StreamCipher,
} from "./provider.ts";

/** What a library's folder gives. */
export interface Binding {
  /** See {@linkcode CryptoProvider.name}. */
  readonly name: string;
  /** See {@linkcode CryptoProvider.version}. */
  readonly version: string;
  /** Binds an AEAD method; undefined: the library does not have it. */
  aead(method: CipherMethod): AeadBinding | undefined;
  /** Binds another method; undefined: the library does not have it. */
  stream(method: CipherMethod): StreamBinding | undefined;
  /**
   * Binds AES of single blocks; undefined or absent: the library does not have
   * it.
   */
  blocks?(keyLength: number): Promise<BlockCipher | undefined>;
  /** Unloads the library; called once, after its ciphers are disposed of. */
  close(): void;
}

/**
 * Makes a provider.
 *
 * @param binding The library.
 * @returns The provider.
 */
export function makeProvider(binding: Binding): CryptoProvider {
  return new BoundProvider(binding);
}

class BoundProvider implements CryptoProvider {
  readonly name: string;
  readonly version: string;
  readonly #binding: Binding;
  /** Whether a cipher works, by its canonical name. */
  readonly #supported = new Map<string, boolean>();
  #open = true;

  constructor(binding: Binding) {
    this.name = binding.name;
    this.version = binding.version;
    this.#binding = binding;
  }

  supports(method: CipherMethod): boolean {
    let works = this.#supported.get(method.cipher);
    if (works === undefined) {
      works = this.#works(method);
      this.#supported.set(method.cipher, works);
    }
    return works;
  }

  aead(method: CipherMethod): AeadCipher {
    const binding = method.kind === "aead"
      ? this.#binding.aead(method)
      : undefined;
    if (binding === undefined) throw this.#unsupported(method);
    return makeAeadCipher(method, binding);
  }

  stream(method: CipherMethod): StreamCipher {
    const binding = method.kind === "aead"
      ? undefined
      : this.#binding.stream(method);
    if (binding === undefined) throw this.#unsupported(method);
    return makeStreamCipher(method, binding);
  }

  async blocks(keyLength: number): Promise<BlockCipher> {
    const found = await this.#binding.blocks?.(keyLength);
    if (found !== undefined) return found;
    return (await import("./portable/block.ts")).portableBlocks(keyLength);
  }

  [Symbol.dispose](): void {
    if (!this.#open) return;
    this.#open = false;
    this.#binding.close();
  }

  /**
   * Uses the cipher once: a library may know a name and still refuse, for its
   * key size, the processor or the system's rules.
   */
  #works(method: CipherMethod): boolean {
    const { keyLength, saltLength, nonceLength, tagLength } = method;
    const key = new Uint8Array(keyLength);
    const some = new Uint8Array(1 + tagLength);
    try {
      if (method.kind === "aead") {
        using cipher = this.aead(method);
        using ready = cipher.importKey(key);
        const part = { input: some, start: 0, length: 1, output: some, at: 0 };
        ready.sealPart(new Uint8Array(nonceLength), part);
      } else {
        using cipher = this.stream(method);
        // To start with a table takes tens of milliseconds and cannot fail.
        if (method.kind === "table") return true;
        using state = cipher.start(key, new Uint8Array(saltLength));
        state.update(some, some.slice());
      }
      return true;
    } catch (error) {
      if (error instanceof CipherError) return false;
      throw error;
    }
  }

  #unsupported(method: CipherMethod): CipherError {
    return new CipherError(
      "not_supported",
      `Cannot use ${method.name}: ${this.version} does not have it here`,
    );
  }
}
