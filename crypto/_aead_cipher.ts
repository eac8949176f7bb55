/**
 * What the AEAD ciphers of every library have in common: keys that are copied
 * and wiped, sizes that are checked before native code sees a pointer, and the
 * session key. A library adds an {@linkcode AeadBackend}.
 *
 * @module
 */

import { deriveSessionKey } from "./_hkdf.ts";
import type { CipherMethod } from "./methods.ts";
import type { AeadCipher, AeadKey, AeadSession } from "./provider.ts";

/** Bytes of the tag of every AEAD method (SIP004). */
export const TAG_LENGTH = 16;

/**
 * Seals and opens with a library. All sizes have been checked by the caller,
 * and one key is always one array: a backend with a keyed context may compare
 * identities to know whether it must be keyed again.
 */
export interface AeadBackend extends Disposable {
  /** Writes ciphertext ‖ tag, `plaintext.length + 16` bytes. */
  seal(
    key: Uint8Array,
    nonce: Uint8Array,
    plaintext: Uint8Array,
    sealed: Uint8Array,
  ): void;
  /** Verifies and decrypts; false if the tag is wrong. */
  open(
    key: Uint8Array,
    nonce: Uint8Array,
    sealed: Uint8Array,
    plaintext: Uint8Array,
  ): boolean;
  /** Drops what was made from a key that is not needed any more. */
  forget(key: Uint8Array): void;
}

/**
 * Makes the AEAD cipher of a method.
 *
 * @param method Gives the sizes.
 * @param backend Does the work; the cipher owns it.
 * @returns The cipher.
 */
export function makeAeadCipher(
  method: CipherMethod,
  backend: AeadBackend,
): AeadCipher {
  return new BackedCipher(method, backend);
}

class BackedCipher implements AeadCipher {
  readonly #method: CipherMethod;
  readonly #zeroNonce: Uint8Array;
  #backend: AeadBackend | undefined;

  constructor(method: CipherMethod, backend: AeadBackend) {
    this.#method = method;
    this.#zeroNonce = new Uint8Array(method.nonceLength);
    this.#backend = backend;
  }

  deriveSubkey(master: Uint8Array, salt: Uint8Array): Uint8Array {
    return deriveSessionKey(this.#method, master, salt);
  }

  importKey(key: Uint8Array): AeadKey {
    const { keyLength, nonceLength } = this.#method;
    if (this.#backend === undefined) {
      throw new TypeError("Cannot import a key: the cipher is disposed of");
    }
    if (key.length !== keyLength) {
      throw new RangeError(
        `Cannot import a key: it has ${key.length} bytes, not ${keyLength}`,
      );
    }
    return new BackedKey(this.#backend, key.slice(), nonceLength);
  }

  sealOnce(
    session: AeadSession,
    plaintext: Uint8Array,
    sealed: Uint8Array,
  ): void {
    using key = this.#sessionKey(session);
    key.seal(this.#zeroNonce, plaintext, sealed);
  }

  openOnce(
    session: AeadSession,
    sealed: Uint8Array,
    plaintext: Uint8Array,
  ): boolean {
    using key = this.#sessionKey(session);
    return key.open(this.#zeroNonce, sealed, plaintext);
  }

  #sessionKey({ masterKey, salt }: AeadSession): AeadKey {
    const subkey = this.deriveSubkey(masterKey, salt);
    const key = this.importKey(subkey);
    subkey.fill(0);
    return key;
  }

  [Symbol.dispose](): void {
    this.#backend?.[Symbol.dispose]();
    this.#backend = undefined;
  }
}

class BackedKey implements AeadKey {
  readonly #backend: AeadBackend;
  readonly #nonceLength: number;
  #key: Uint8Array | undefined;

  constructor(backend: AeadBackend, key: Uint8Array, nonceLength: number) {
    this.#backend = backend;
    this.#key = key;
    this.#nonceLength = nonceLength;
  }

  seal(nonce: Uint8Array, plaintext: Uint8Array, sealed: Uint8Array): void {
    const key = this.#checkedKey(nonce);
    if (sealed.length < plaintext.length + TAG_LENGTH) {
      throw new RangeError(
        `Cannot seal: no room for ${plaintext.length} bytes and the tag in ${sealed.length}`,
      );
    }
    this.#backend.seal(key, nonce, plaintext, sealed);
  }

  open(
    nonce: Uint8Array,
    sealed: Uint8Array,
    plaintext: Uint8Array,
  ): boolean {
    const key = this.#checkedKey(nonce);
    if (sealed.length < TAG_LENGTH) return false;
    if (plaintext.length < sealed.length - TAG_LENGTH) {
      throw new RangeError(
        `Cannot open: no room for ${
          sealed.length - TAG_LENGTH
        } bytes in ${plaintext.length}`,
      );
    }
    return this.#backend.open(key, nonce, sealed, plaintext);
  }

  [Symbol.dispose](): void {
    if (this.#key === undefined) return;
    this.#backend.forget(this.#key);
    this.#key.fill(0);
    this.#key = undefined;
  }

  /** Zero bytes must never serve as a key, so a disposed key throws. */
  #checkedKey(nonce: Uint8Array): Uint8Array {
    if (this.#key === undefined) {
      throw new TypeError("Cannot use a key: it is disposed of");
    }
    if (nonce.length !== this.#nonceLength) {
      throw new RangeError(
        `Cannot use a nonce: it has ${nonce.length} bytes, not ${this.#nonceLength}`,
      );
    }
    return this.#key;
  }
}
