/**
 * What AES of single blocks has in common, whichever library does it: sizes
 * that are checked, keys that are copied and wiped, and one context for each
 * direction, however many keys there are.
 *
 * @module
 */

import type { BlockCipher, BlockKey } from "./provider.ts";

/** FIPS 197: bytes of a block. */
export const BLOCK_LENGTH = 16;

/** One direction of a library's AES, with one key at a time. */
export interface BlockEngine extends Disposable {
  /** Takes another key, which is read during the call only. */
  rekey(key: Uint8Array): void;
  /** Encrypts or decrypts a block; the two places may be one. */
  run(input: Uint8Array, start: number, output: Uint8Array, at: number): void;
}

/** AES of single blocks over the engines of a library. */
export class BlockCiphers implements BlockCipher {
  readonly #keyLength: number;
  readonly #make: (encrypt: boolean) => BlockEngine;
  readonly #encrypt: Direction;
  readonly #decrypt: Direction;

  /**
   * Makes the cipher; an engine is made when it is first needed.
   *
   * @param keyLength Bytes of a key.
   * @param make Makes an engine, for encryption or for decryption.
   */
  constructor(keyLength: number, make: (encrypt: boolean) => BlockEngine) {
    this.#keyLength = keyLength;
    this.#make = make;
    this.#encrypt = new Direction(() => this.#make(true));
    this.#decrypt = new Direction(() => this.#make(false));
  }

  /**
   * Makes a key ready.
   *
   * @param key Its bytes, which are copied.
   * @returns The key.
   * @throws {RangeError} If it has another length.
   */
  importKey(key: Uint8Array): BlockKey {
    if (key.length !== this.#keyLength) {
      throw new RangeError(
        `Cannot import a key: it has ${key.length} bytes, not ${this.#keyLength}`,
      );
    }
    return new OwnKey(key.slice(), this.#encrypt, this.#decrypt);
  }

  /** Frees the engines. */
  [Symbol.dispose](): void {
    this.#encrypt[Symbol.dispose]();
    this.#decrypt[Symbol.dispose]();
  }
}

/** An engine, and whose key it has. */
class Direction implements Disposable {
  readonly #make: () => BlockEngine;
  #engine: BlockEngine | undefined;
  #owner: OwnKey | undefined;
  #disposed = false;

  constructor(make: () => BlockEngine) {
    this.#make = make;
  }

  run(
    owner: OwnKey,
    input: Uint8Array,
    start: number,
    output: Uint8Array,
    at: number,
  ): void {
    if (
      !(start >= 0 && start + BLOCK_LENGTH <= input.length &&
        at >= 0 && at + BLOCK_LENGTH <= output.length)
    ) {
      throw new RangeError("Cannot use a block: it is not inside the buffers");
    }
    const engine = this.#engine ?? this.#start();
    if (this.#owner !== owner) {
      this.#owner = undefined;
      engine.rekey(owner.bytes);
      this.#owner = owner;
    }
    engine.run(input, start, output, at);
  }

  /** The key is not to be used any more. */
  forget(owner: OwnKey): void {
    if (this.#owner === owner) this.#owner = undefined;
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#engine?.[Symbol.dispose]();
    this.#engine = undefined;
    this.#owner = undefined;
  }

  #start(): BlockEngine {
    if (this.#disposed) {
      throw new TypeError("Cannot use a cipher: it is disposed of");
    }
    return this.#engine = this.#make();
  }
}

class OwnKey implements BlockKey {
  readonly #bytes: Uint8Array;
  readonly #encrypt: Direction;
  readonly #decrypt: Direction;
  #disposed = false;

  constructor(bytes: Uint8Array, encrypt: Direction, decrypt: Direction) {
    this.#bytes = bytes;
    this.#encrypt = encrypt;
    this.#decrypt = decrypt;
  }

  /** Zero bytes must never serve as a key, so a disposed key throws. */
  get bytes(): Uint8Array {
    if (this.#disposed) {
      throw new TypeError("Cannot use a key: it is disposed of");
    }
    return this.#bytes;
  }

  encrypt(
    input: Uint8Array,
    start: number,
    output: Uint8Array,
    at: number,
  ): void {
    this.#encrypt.run(this, input, start, output, at);
  }

  decrypt(
    input: Uint8Array,
    start: number,
    output: Uint8Array,
    at: number,
  ): void {
    this.#decrypt.run(this, input, start, output, at);
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#bytes.fill(0);
    this.#encrypt.forget(this);
    this.#decrypt.forget(this);
  }
}
