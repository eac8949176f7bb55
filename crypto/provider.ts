/**
 * What a cryptographic library must give, and what every cipher looks like to
 * those who frame connections and packets. Each library is bound in a folder
 * of its own, `openssl/`, `sodium/`, `mbedtls/` or `portable/`; all pass one
 * contract suite.
 *
 * @module
 */

import type { CipherMethod } from "./methods.ts";

/**
 * An AEAD cipher of one method, shared by all connections. Keys are cheap
 * values; the native contexts are the cipher's own and are re-keyed when other
 * keys are used, so that an idle connection holds no native memory.
 */
export interface AeadCipher extends Disposable {
  /**
   * Makes a key ready for {@linkcode AeadKey.sealPart} and `openPart`.
   *
   * @param key `method.keyLength` bytes; copied, so that the caller may wipe
   * its own.
   * @returns The key.
   */
  importKey(key: Uint8Array): AeadKey;
  /**
   * Derives the key of one direction of a connection,
   * HKDF-SHA1(master, salt, "ss-subkey") of SIP007, and makes it ready.
   *
   * @param session The master key and the salt.
   * @returns The key.
   */
  sessionKey(session: AeadSession): AeadKey;
  /**
   * Seals one message with the nonce 0 under the session key of a salt, as
   * every UDP packet of SIP004 is: {@linkcode sessionKey} and `sealPart` in
   * one, for a key that is not needed again.
   *
   * @param session The master key and the salt.
   * @param part The plaintext, and where it goes.
   */
  sealOnce(session: AeadSession, part: AeadPart): void;
  /**
   * Opens what {@linkcode sealOnce} has sealed.
   *
   * @param session The master key and the salt.
   * @param part Ciphertext ‖ tag, and where the plaintext goes.
   * @returns False if the tag is wrong: nothing in the part may be used.
   */
  openOnce(session: AeadSession, part: AeadPart): boolean;
}

/** What the key of a session is made from. */
export interface AeadSession {
  /** `method.keyLength` bytes. */
  readonly masterKey: Uint8Array;
  /** `method.saltLength` bytes. */
  readonly salt: Uint8Array;
}

/**
 * A message in a part of one buffer, and the part of another that takes what
 * becomes of it. A library may remember where the buffers are, which keeps
 * them alive: those used again and again are the cheapest. The object itself
 * may be used again for the next message.
 */
export interface AeadPart {
  /** Holds the plaintext, or ciphertext ‖ tag. */
  input: Uint8Array;
  /** Where in it. */
  start: number;
  /** Bytes of the plaintext. */
  length: number;
  /** Takes ciphertext ‖ tag, or the plaintext. Must not overlap. */
  output: Uint8Array;
  /** Where in it. */
  at: number;
}

/** A key of an AEAD cipher. */
export interface AeadKey extends Disposable {
  /**
   * Encrypts and authenticates.
   *
   * @param nonce `method.nonceLength` bytes; read during the call only.
   * @param part The plaintext, of any length, and where it goes.
   */
  sealPart(nonce: Uint8Array, part: AeadPart): void;
  /**
   * Verifies and decrypts.
   *
   * @param nonce `method.nonceLength` bytes; read during the call only.
   * @param part Ciphertext ‖ tag, and where the plaintext goes.
   * @returns False if the tag is wrong; the plaintext is then all zero.
   */
  openPart(nonce: Uint8Array, part: AeadPart): boolean;
}

/**
 * AES of single blocks (FIPS 197) under any number of keys, for the headers of
 * the 2022 edition: a permutation, without nonce and without tag.
 */
export interface BlockCipher extends Disposable {
  /**
   * Makes a key ready. It is a cheap value, as an {@linkcode AeadKey} is; to use
   * another one than the last costs an expansion.
   *
   * @param key As many bytes as the cipher was made for; copied.
   * @returns The key; must not outlive the cipher.
   */
  importKey(key: Uint8Array): BlockKey;
}

/** A key of AES. Both places of a call may be the same. */
export interface BlockKey extends Disposable {
  /**
   * Encrypts 16 bytes.
   *
   * @param input Holds the block.
   * @param start Where in it.
   * @param output Takes the block.
   * @param at Where in it.
   */
  encrypt(
    input: Uint8Array,
    start: number,
    output: Uint8Array,
    at: number,
  ): void;
  /**
   * Decrypts 16 bytes.
   *
   * @param input Holds the block.
   * @param start Where in it.
   * @param output Takes the block.
   * @param at Where in it.
   */
  decrypt(
    input: Uint8Array,
    start: number,
    output: Uint8Array,
    at: number,
  ): void;
}

/** A stream cipher of one method, shared by all connections. */
export interface StreamCipher extends Disposable {
  /**
   * Starts one direction of a connection.
   *
   * @param key `method.keyLength` bytes; any number if that is 0.
   * @param iv `method.saltLength` bytes.
   * @param options Which direction; default encryption.
   * @returns The state of the direction.
   */
  start(
    key: Uint8Array,
    iv: Uint8Array,
    options?: { readonly decrypt?: boolean },
  ): StreamState;
}

/** The running state of a stream cipher; has native memory, so dispose it. */
export interface StreamState extends Disposable {
  /**
   * Encrypts or decrypts the next bytes.
   *
   * @param input Any length.
   * @param output Takes `input.length` bytes, and may be longer; may not
   * overlap `input`.
   */
  update(input: Uint8Array, output: Uint8Array): void;
}

/** A cryptographic library, bound. */
export interface CryptoProvider extends Disposable {
  /** `openssl`, `sodium`, `mbedtls` or `portable`. */
  readonly name: string;
  /** Name and version for the start-up log, such as `OpenSSL 3.0.19`. */
  readonly version: string;
  /** Whether it has the method's cipher, found out by trying. */
  supports(method: CipherMethod): boolean;
  /**
   * Makes the AEAD cipher of a method.
   *
   * @throws {CipherError} If it cannot be had here.
   */
  aead(method: CipherMethod): AeadCipher;
  /**
   * Makes the stream cipher of a method.
   *
   * @throws {CipherError} If it cannot be had here.
   */
  stream(method: CipherMethod): StreamCipher;
  /**
   * Makes AES of single blocks. Where the library has none, it is the portable
   * one.
   *
   * @param keyLength Bytes of a key: 16, 24 or 32.
   * @returns The cipher; must not outlive the provider.
   * @throws {CipherError} If the library has it and refuses it.
   */
  blocks(keyLength: number): Promise<BlockCipher>;
}
