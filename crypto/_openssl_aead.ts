/**
 * AEAD ciphers of OpenSSL. The native contexts belong to the cipher, not to
 * its connections: a few for each direction, keyed when another key is used
 * and else only given the next nonce.
 *
 * @module
 */

import {
  type AeadBackend,
  areFixed,
  checkOpenPart,
  checkSealPart,
  makeAeadCipher,
  type SecretKey,
} from "./_aead_cipher.ts";
import type { DeriveSubkey } from "./_hkdf.ts";
import {
  AeadContext,
  ContextPool,
  type OpensslAeadParts,
} from "./_openssl_context.ts";
import type { CipherMethod } from "./methods.ts";
import type { AeadCipher, AeadKey, AeadPart, AeadSession } from "./provider.ts";

/** An AEAD cipher of OpenSSL. */
export class OpensslAeadCipher implements AeadCipher {
  readonly #cipher: AeadCipher;
  readonly #backend: OpensslAead;
  readonly #derive: DeriveSubkey | undefined;

  /**
   * Sets up the contexts.
   *
   * @param method Gives the sizes.
   * @param parts The library and what is taken from it.
   * @throws {CipherError} If OpenSSL does not give a context.
   */
  constructor(method: CipherMethod, parts: OpensslAeadParts) {
    this.#backend = new OpensslAead(method, parts);
    this.#cipher = makeAeadCipher(method, this.#backend, parts.derive);
    this.#derive = parts.derive;
  }

  /**
   * Derives a session key.
   *
   * @param master The master key.
   * @param salt The session's salt.
   * @returns The subkey.
   */
  deriveSubkey(master: Uint8Array, salt: Uint8Array): Uint8Array {
    return this.#cipher.deriveSubkey(master, salt);
  }

  /**
   * Makes a key ready.
   *
   * @param key Copied.
   * @returns The key.
   */
  importKey(key: Uint8Array): AeadKey {
    return this.#cipher.importKey(key);
  }

  /**
   * Makes the key of one direction of a connection.
   *
   * @param session Master key and salt.
   * @returns The key.
   */
  sessionKey(session: AeadSession): AeadKey {
    return this.#cipher.sessionKey(session);
  }

  /**
   * Seals one message under a session key that is derived in place.
   *
   * @param session Master key and salt.
   * @param part The plaintext, and where it goes.
   */
  sealOnce(session: AeadSession, part: AeadPart): void {
    if (this.#derive === undefined || !areFixed(part)) {
      this.#cipher.sealOnce(session, part);
      return;
    }
    checkSealPart(part);
    const { sealing } = this.#backend;
    this.#derive(session.masterKey, session.salt, sealing.keySlot());
    sealing.sealOnce(part);
  }

  /**
   * Opens one message under a session key that is derived in place.
   *
   * @param session Master key and salt.
   * @param part Ciphertext ‖ tag, and where the plaintext goes.
   * @returns Whether it is genuine.
   */
  openOnce(session: AeadSession, part: AeadPart): boolean {
    if (this.#derive === undefined || !areFixed(part)) {
      return this.#cipher.openOnce(session, part);
    }
    checkOpenPart(part);
    const { opening } = this.#backend;
    this.#derive(session.masterKey, session.salt, opening.keySlot());
    return opening.openOnce(part);
  }

  /** Frees the native contexts. */
  [Symbol.dispose](): void {
    this.#cipher[Symbol.dispose]();
  }
}

class OpensslAead implements AeadBackend {
  readonly sealing: AeadContext;
  readonly opening: AeadContext;
  readonly #sealers: ContextPool;
  readonly #openers: ContextPool;

  constructor(method: CipherMethod, parts: OpensslAeadParts) {
    using building = new DisposableStack();
    this.sealing = building.use(new AeadContext(method, parts, 1));
    this.opening = new AeadContext(method, parts, 0);
    this.#sealers = new ContextPool(
      () => new AeadContext(method, parts, 1),
      (key) => key.sealer = undefined,
    );
    this.#openers = new ContextPool(
      () => new AeadContext(method, parts, 0),
      (key) => key.opener = undefined,
    );
    building.move();
  }

  seal(
    key: SecretKey,
    nonce: Uint8Array,
    plaintext: Uint8Array,
    sealed: Uint8Array,
  ): void {
    this.#sealer(key).seal(key, nonce, plaintext, sealed);
  }

  open(
    key: SecretKey,
    nonce: Uint8Array,
    sealed: Uint8Array,
    plaintext: Uint8Array,
  ): boolean {
    return this.#opener(key).open(key, nonce, sealed, plaintext);
  }

  sealPart(key: SecretKey, nonce: Uint8Array, part: AeadPart): void {
    this.#sealer(key).sealPart(key, nonce, part);
  }

  openPart(key: SecretKey, nonce: Uint8Array, part: AeadPart): boolean {
    return this.#opener(key).openPart(key, nonce, part);
  }

  forget(key: SecretKey): void {
    const { sealer, opener } = key;
    key.sealer = key.opener = undefined;
    if (sealer !== undefined) this.#sealers.giveBack(sealer as AeadContext);
    if (opener !== undefined) this.#openers.giveBack(opener as AeadContext);
  }

  [Symbol.dispose](): void {
    this.sealing[Symbol.dispose]();
    this.opening[Symbol.dispose]();
    this.#sealers[Symbol.dispose]();
    this.#openers[Symbol.dispose]();
  }

  #sealer(key: SecretKey): AeadContext {
    return (key.sealer ??= this.#sealers.take(key)) as AeadContext;
  }

  #opener(key: SecretKey): AeadContext {
    return (key.opener ??= this.#openers.take(key)) as AeadContext;
  }
}
