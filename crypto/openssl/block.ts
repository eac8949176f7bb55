/**
 * Single blocks of AES by OpenSSL, in its mode ECB without padding. Loaded only
 * where the 2022 edition is used.
 *
 * @module
 */

import {
  BLOCK_LENGTH,
  BlockCiphers,
  type BlockEngine,
} from "../_block_cipher.ts";
import { BufferPlaces, NativeBuffer } from "../_ffi.ts";
import type { BlockCipher } from "../provider.ts";
import {
  newContext,
  opensslError,
  type OpensslLibrary,
  SAME_DIRECTION,
} from "./library.ts";

/**
 * Binds AES.
 *
 * @param library The library.
 * @param cipher `EVP_CIPHER *` of the mode ECB.
 * @param keyLength Bytes of a key.
 * @returns The cipher.
 * @throws {CipherError} If OpenSSL refuses.
 */
export function bindBlocks(
  library: OpensslLibrary,
  cipher: Deno.PointerObject,
  keyLength: number,
): BlockCipher {
  return new BlockCiphers(
    keyLength,
    (encrypt) => new OpensslBlocks(library, cipher, keyLength, encrypt),
  );
}

/** One `EVP_CIPHER_CTX`, for one direction. */
class OpensslBlocks implements BlockEngine {
  readonly #library: OpensslLibrary;
  readonly #key: NativeBuffer;
  readonly #memory = new NativeBuffer(2 * BLOCK_LENGTH);
  readonly #input: bigint;
  readonly #output: bigint;
  /** `EVP_CIPHER_CTX *` */
  #context: Deno.PointerValue;

  constructor(
    library: OpensslLibrary,
    cipher: Deno.PointerObject,
    keyLength: number,
    encrypt: boolean,
  ) {
    this.#library = library;
    this.#key = new NativeBuffer(keyLength);
    const places = new BufferPlaces();
    this.#input = places.at(this.#memory.bytes, 0);
    this.#output = places.at(this.#memory.bytes, BLOCK_LENGTH);
    const start = { cipher, key: this.#key.bytes, iv: null, encrypt };
    this.#context = newContext(library, start);
    const { symbols } = library;
    if (symbols.EVP_CIPHER_CTX_set_padding(this.#context, 0) !== 1) {
      const error = opensslError(library, "set up a cipher");
      this[Symbol.dispose]();
      throw error;
    }
  }

  rekey(key: Uint8Array): void {
    this.#key.bytes.set(key);
    const { pointer } = this.#key;
    const done = this.#library.symbols.startAt(
      this.#context,
      null,
      null,
      pointer,
      null,
      SAME_DIRECTION,
    );
    this.#key.bytes.fill(0);
    if (done !== 1) throw opensslError(this.#library, "set a key");
  }

  run(
    input: Uint8Array,
    start: number,
    output: Uint8Array,
    at: number,
  ): void {
    const { bytes } = this.#memory;
    for (let i = 0; i < BLOCK_LENGTH; i++) bytes[i] = input[start + i]!;
    const done = this.#library.symbols.updateAt(
      this.#context,
      this.#output,
      this.#library.written.pointer,
      this.#input,
      BLOCK_LENGTH,
    );
    if (done !== 1) throw opensslError(this.#library, "encrypt a block");
    for (let i = 0; i < BLOCK_LENGTH; i++) {
      output[at + i] = bytes[BLOCK_LENGTH + i]!;
    }
  }

  /** The context keeps the key until it is given another one or is freed. */
  [Symbol.dispose](): void {
    this.#library.symbols.EVP_CIPHER_CTX_free(this.#context);
    this.#context = null;
    this.#memory.bytes.fill(0);
  }
}
