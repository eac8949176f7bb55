/**
 * What the AEAD ciphers of every library have in common: keys that are copied
 * and wiped, sizes that are checked before native code sees a pointer, and the
 * session key. A library adds an {@linkcode AeadBackend}.
 *
 * @module
 */

import { FIXED_LENGTH } from "./_ffi.ts";
import { type DeriveSubkey, portableHkdf } from "./_hkdf.ts";
import { KeyStore } from "./_key_store.ts";
import type { CipherMethod } from "./methods.ts";
import type { AeadCipher, AeadKey, AeadPart, AeadSession } from "./provider.ts";

/** Bytes of the tag of every AEAD method (SIP004). */
export const TAG_LENGTH = 16;

/** A key as a library gets it. */
export interface SecretKey {
  /** Its bytes, to be read during the call only; a new view each time. */
  readonly bytes: Uint8Array;
  /** For the backend: what it keeps ready to seal with the key. */
  sealer?: unknown;
  /** For the backend: what it keeps ready to open with the key. */
  opener?: unknown;
}

/**
 * Seals and opens with a library. All sizes have been checked by the caller,
 * and one key is always one object: a backend with a keyed context may compare
 * identities to know whether it must be keyed again.
 */
export interface AeadBackend extends Disposable {
  /** Writes ciphertext ‖ tag, `plaintext.length + 16` bytes. */
  seal(
    key: SecretKey,
    nonce: Uint8Array,
    plaintext: Uint8Array,
    sealed: Uint8Array,
  ): void;
  /** Verifies and decrypts; false if the tag is wrong. */
  open(
    key: SecretKey,
    nonce: Uint8Array,
    sealed: Uint8Array,
    plaintext: Uint8Array,
  ): boolean;
  /** `seal` for parts of long buffers, if it can do that any faster. */
  sealPart?(key: SecretKey, nonce: Uint8Array, part: AeadPart): void;
  /** `open` for parts of long buffers, if it can do that any faster. */
  openPart?(key: SecretKey, nonce: Uint8Array, part: AeadPart): boolean;
  /** Drops what was made from a key that is not needed any more. */
  forget(key: SecretKey): void;
}

/**
 * Makes the AEAD cipher of a method.
 *
 * @param method Gives the sizes.
 * @param backend Does the work; the cipher owns it.
 * @param derive The library's way to a session key, if it has one.
 * @returns The cipher.
 */
export function makeAeadCipher(
  method: CipherMethod,
  backend: AeadBackend,
  derive: DeriveSubkey = portableHkdf,
): AeadCipher {
  return new BackedCipher(method, backend, derive);
}

/** What the keys of a cipher share. */
interface Shared {
  readonly backend: AeadBackend;
  readonly keys: KeyStore;
  readonly nonceLength: number;
}

class BackedCipher implements AeadCipher {
  readonly #method: CipherMethod;
  readonly #derive: DeriveSubkey;
  readonly #zeroNonce: Uint8Array;
  readonly #shared: Shared;
  #disposed = false;

  constructor(
    method: CipherMethod,
    backend: AeadBackend,
    derive: DeriveSubkey,
  ) {
    const { keyLength, nonceLength } = method;
    this.#method = method;
    this.#derive = derive;
    this.#zeroNonce = new Uint8Array(nonceLength);
    this.#shared = { backend, keys: new KeyStore(keyLength), nonceLength };
  }

  deriveSubkey(master: Uint8Array, salt: Uint8Array): Uint8Array {
    this.#checkSession(master, salt);
    const subkey = new Uint8Array(this.#method.keyLength);
    this.#derive(master, salt, subkey);
    return subkey;
  }

  importKey(key: Uint8Array): AeadKey {
    const { keyLength } = this.#method;
    if (key.length !== keyLength) {
      throw new RangeError(
        `Cannot import a key: it has ${key.length} bytes, not ${keyLength}`,
      );
    }
    const slot = this.#reserve();
    this.#shared.keys.bytes(slot).set(key);
    return new BackedKey(this.#shared, slot);
  }

  sessionKey({ masterKey, salt }: AeadSession): AeadKey {
    this.#checkSession(masterKey, salt);
    const slot = this.#reserve();
    const { keys } = this.#shared;
    try {
      this.#derive(masterKey, salt, keys.bytes(slot));
    } catch (error) {
      keys.release(slot);
      throw error;
    }
    return new BackedKey(this.#shared, slot);
  }

  sealOnce(session: AeadSession, part: AeadPart): void {
    using key = this.sessionKey(session);
    key.sealPart(this.#zeroNonce, part);
  }

  openOnce(session: AeadSession, part: AeadPart): boolean {
    using key = this.sessionKey(session);
    return key.openPart(this.#zeroNonce, part);
  }

  [Symbol.dispose](): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#shared.backend[Symbol.dispose]();
    this.#shared.keys[Symbol.dispose]();
  }

  #reserve(): number {
    if (this.#disposed) {
      throw new TypeError("Cannot import a key: the cipher is disposed of");
    }
    return this.#shared.keys.reserve();
  }

  #checkSession(master: Uint8Array, salt: Uint8Array): void {
    const { keyLength, saltLength } = this.#method;
    if (master.length === keyLength && salt.length === saltLength) return;
    throw new RangeError(
      "Cannot derive a session key: master key and salt have " +
        `${master.length} and ${salt.length} bytes, not ${keyLength} and ${saltLength}`,
    );
  }
}

/** The slot of a key that is disposed of. */
const NO_SLOT = -1;

class BackedKey implements AeadKey, SecretKey {
  sealer: unknown = undefined;
  opener: unknown = undefined;
  readonly #shared: Shared;
  #slot: number;

  constructor(shared: Shared, slot: number) {
    this.#shared = shared;
    this.#slot = slot;
  }

  get bytes(): Uint8Array {
    return this.#shared.keys.bytes(this.#slot);
  }

  seal(nonce: Uint8Array, plaintext: Uint8Array, sealed: Uint8Array): void {
    this.#check(nonce);
    if (sealed.length < plaintext.length + TAG_LENGTH) {
      throw new RangeError(
        `Cannot seal: no room for ${plaintext.length} bytes and the tag in ${sealed.length}`,
      );
    }
    this.#shared.backend.seal(this, nonce, plaintext, sealed);
  }

  open(
    nonce: Uint8Array,
    sealed: Uint8Array,
    plaintext: Uint8Array,
  ): boolean {
    this.#check(nonce);
    if (sealed.length < TAG_LENGTH) return false;
    if (plaintext.length < sealed.length - TAG_LENGTH) {
      throw new RangeError(
        `Cannot open: no room for ${
          sealed.length - TAG_LENGTH
        } bytes in ${plaintext.length}`,
      );
    }
    return this.#shared.backend.open(this, nonce, sealed, plaintext);
  }

  sealPart(nonce: Uint8Array, part: AeadPart): void {
    const { backend } = this.#shared;
    checkSealPart(part);
    if (backend.sealPart !== undefined && areFixed(part)) {
      this.#check(nonce);
      backend.sealPart(this, nonce, part);
      return;
    }
    const { input, start, length, output, at } = part;
    this.seal(
      nonce,
      input.subarray(start, start + length),
      output.subarray(at, at + length + TAG_LENGTH),
    );
  }

  openPart(nonce: Uint8Array, part: AeadPart): boolean {
    const { backend } = this.#shared;
    checkOpenPart(part);
    if (backend.openPart !== undefined && areFixed(part)) {
      this.#check(nonce);
      return backend.openPart(this, nonce, part);
    }
    const { input, start, length, output, at } = part;
    return this.open(
      nonce,
      input.subarray(start, start + length + TAG_LENGTH),
      output.subarray(at, at + length),
    );
  }

  [Symbol.dispose](): void {
    if (this.#slot === NO_SLOT) return;
    this.#shared.backend.forget(this);
    this.#shared.keys.release(this.#slot);
    this.#slot = NO_SLOT;
  }

  /** Zero bytes must never serve as a key, so a disposed key throws. */
  #check(nonce: Uint8Array): void {
    if (this.#slot === NO_SLOT) {
      throw new TypeError("Cannot use a key: it is disposed of");
    }
    const { nonceLength } = this.#shared;
    if (nonce.length !== nonceLength) {
      throw new RangeError(
        `Cannot use a nonce: it has ${nonce.length} bytes, not ${nonceLength}`,
      );
    }
  }
}

/**
 * Whether native code may be given the addresses of a part.
 *
 * @param part Its range has been checked.
 */
export function areFixed({ input, output }: AeadPart): boolean {
  return input.length >= FIXED_LENGTH && output.length >= FIXED_LENGTH;
}

/**
 * Makes sure that a part to be sealed lies in its buffers: native code gets an
 * address, and trusts the length that comes with it.
 *
 * @throws {RangeError} If it does not.
 */
export function checkSealPart(part: AeadPart): void {
  const { input, start, length, output, at } = part;
  const end = start + length;
  if (
    !isInside(input, start, end) ||
    !isInside(output, at, at + length + TAG_LENGTH)
  ) throw notInside("seal", length);
}

/**
 * The same for a part to be opened.
 *
 * @throws {RangeError} If it does not.
 */
export function checkOpenPart(part: AeadPart): void {
  const { input, start, length, output, at } = part;
  if (
    !isInside(input, start, start + length + TAG_LENGTH) ||
    !isInside(output, at, at + length)
  ) throw notInside("open", length);
}

function isInside(bytes: Uint8Array, start: number, end: number): boolean {
  // So written that a NaN is refused too.
  return start >= 0 && start <= end && end <= bytes.length;
}

function notInside(action: string, length: number): RangeError {
  return new RangeError(
    `Cannot ${action}: ${length} bytes and the tag are not inside the buffers`,
  );
}
