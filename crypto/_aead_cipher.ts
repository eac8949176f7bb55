/**
 * What the AEAD ciphers of every library have in common: keys that are copied
 * and wiped, sizes that are checked before native code sees an address, and
 * the session key. A library adds an {@linkcode AeadBackend}.
 *
 * @module
 */

import {
  type AeadContext,
  type ContextOwner,
  ContextPool,
  forgetKey,
  type MakeBackend,
  TAG_LENGTH,
} from "./_aead_context.ts";
import { type DeriveSubkey, portableHkdf } from "./_hkdf.ts";
import { KeyStore } from "./_key_store.ts";
import type { CipherMethod } from "./methods.ts";
import type { AeadCipher, AeadKey, AeadPart, AeadSession } from "./provider.ts";

/** What a library gives of an AEAD cipher. */
export interface AeadBinding {
  /** Does the work. */
  readonly make: MakeBackend;
  /** The library's way to a session key; undefined: it has none. */
  readonly derive?: DeriveSubkey | undefined;
}

/**
 * Makes the AEAD cipher of a method.
 *
 * @param method Gives the sizes.
 * @param binding Does the work.
 * @returns The cipher.
 */
export function makeAeadCipher(
  method: CipherMethod,
  binding: AeadBinding,
): AeadCipher {
  return new BoundCipher(method, binding);
}

/** What the keys of a cipher share. */
interface Shared {
  readonly sealers: ContextPool;
  readonly openers: ContextPool;
  readonly keys: KeyStore;
  readonly nonceLength: number;
}

class BoundCipher implements AeadCipher {
  readonly #method: CipherMethod;
  readonly #derive: DeriveSubkey;
  readonly #zeroNonce: Uint8Array;
  readonly #shared: Shared;
  #disposed = false;

  constructor(method: CipherMethod, binding: AeadBinding) {
    const { keyLength, nonceLength } = method;
    const { make, derive = portableHkdf } = binding;
    this.#method = method;
    this.#derive = derive;
    this.#zeroNonce = new Uint8Array(nonceLength);
    this.#shared = {
      sealers: new ContextPool(method, make, true),
      openers: new ContextPool(method, make, false),
      keys: new KeyStore(keyLength),
      nonceLength,
    };
  }

  importKey(key: Uint8Array): AeadKey {
    const { keyLength } = this.#method;
    if (key.length !== keyLength) {
      throw new RangeError(
        `Cannot import a key: it has ${key.length} bytes, not ${keyLength}`,
      );
    }
    return this.#newKey((bytes) => bytes.set(key));
  }

  sessionKey(session: AeadSession): AeadKey {
    return this.#newKey((bytes) => this.#deriveInto(session, bytes));
  }

  sealOnce(session: AeadSession, part: AeadPart): void {
    checkPart("seal", part, 0, TAG_LENGTH);
    const context = this.#shared.sealers.single;
    try {
      this.#deriveInto(session, context.memory.key.bytes);
      seal(context, this.#zeroNonce, part);
    } finally {
      forgetKey(context);
    }
  }

  openOnce(session: AeadSession, part: AeadPart): boolean {
    checkPart("open", part, TAG_LENGTH, 0);
    const context = this.#shared.openers.single;
    try {
      this.#deriveInto(session, context.memory.key.bytes);
      return open(context, this.#zeroNonce, part);
    } finally {
      forgetKey(context);
    }
  }

  [Symbol.dispose](): void {
    if (this.#disposed) return;
    this.#disposed = true;
    const { sealers, openers, keys } = this.#shared;
    sealers[Symbol.dispose]();
    openers[Symbol.dispose]();
    keys[Symbol.dispose]();
  }

  #newKey(fill: (bytes: Uint8Array) => void): AeadKey {
    if (this.#disposed) {
      throw new TypeError("Cannot import a key: the cipher is disposed of");
    }
    const { keys } = this.#shared;
    const slot = keys.reserve();
    try {
      fill(keys.bytes(slot));
    } catch (error) {
      keys.release(slot);
      throw error;
    }
    return new BoundKey(this.#shared, slot);
  }

  #deriveInto({ masterKey, salt }: AeadSession, key: Uint8Array): void {
    const { keyLength, saltLength } = this.#method;
    if (masterKey.length !== keyLength || salt.length !== saltLength) {
      throw new RangeError(
        "Cannot derive a session key: master key and salt have " +
          `${masterKey.length} and ${salt.length} bytes, not ${keyLength} and ${saltLength}`,
      );
    }
    this.#derive(masterKey, salt, key);
  }
}

/** The slot of a key that is disposed of. */
const NO_SLOT = -1;

class BoundKey implements AeadKey, ContextOwner {
  sealer: AeadContext | undefined = undefined;
  opener: AeadContext | undefined = undefined;
  readonly #shared: Shared;
  #slot: number;

  constructor(shared: Shared, slot: number) {
    this.#shared = shared;
    this.#slot = slot;
  }

  get bytes(): Uint8Array {
    return this.#shared.keys.bytes(this.#slot);
  }

  sealPart(nonce: Uint8Array, part: AeadPart): void {
    checkPart("seal", part, 0, TAG_LENGTH);
    this.#check(nonce);
    seal(this.sealer ??= this.#shared.sealers.take(this), nonce, part);
  }

  openPart(nonce: Uint8Array, part: AeadPart): boolean {
    checkPart("open", part, TAG_LENGTH, 0);
    this.#check(nonce);
    return open(this.opener ??= this.#shared.openers.take(this), nonce, part);
  }

  [Symbol.dispose](): void {
    if (this.#slot === NO_SLOT) return;
    const { sealer, opener } = this;
    if (sealer !== undefined) this.#shared.sealers.giveBack(sealer);
    if (opener !== undefined) this.#shared.openers.giveBack(opener);
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

function seal(context: AeadContext, nonce: Uint8Array, part: AeadPart): void {
  putNonce(context, nonce);
  context.backend.seal(part);
}

function open(
  context: AeadContext,
  nonce: Uint8Array,
  part: AeadPart,
): boolean {
  putNonce(context, nonce);
  if (context.backend.open(part)) return true;
  // A library may have written before it saw the tag.
  part.output.fill(0, part.at, part.at + part.length);
  return false;
}

function putNonce({ memory }: AeadContext, nonce: Uint8Array): void {
  // For the 8 to 24 bytes of a nonce a loop is quicker than `set`.
  const { bytes } = memory.nonce;
  for (let i = 0; i < bytes.length; i++) bytes[i] = nonce[i]!;
}

/**
 * Makes sure that a part lies in its buffers: native code gets an address, and
 * trusts the length that comes with it. `before` and `after` are the bytes of
 * the tag in what is read and in what is written.
 */
function checkPart(
  action: string,
  { input, start, length, output, at }: AeadPart,
  before: number,
  after: number,
): void {
  if (
    isInside(input, start, start + length, before) &&
    isInside(output, at, at + length, after)
  ) return;
  throw new RangeError(
    `Cannot ${action}: ${length} bytes and the tag are not inside the buffers`,
  );
}

function isInside(
  bytes: Uint8Array,
  start: number,
  end: number,
  tag: number,
): boolean {
  // Every comparison with NaN is false, so that a NaN is refused too.
  return start >= 0 && start <= end && end + tag <= bytes.length;
}
