/**
 * The AEAD ciphers of OpenSSL. A context is given a key once; after that a
 * message takes four native calls: the nonce, the bytes, the end and the tag.
 *
 * @module
 */

import {
  type AeadBackend,
  type AeadMemory,
  TAG_LENGTH,
} from "../_aead_context.ts";
import { NativeBuffer } from "../_ffi.ts";
import type { AeadPart } from "../provider.ts";
import {
  newContext,
  opensslError,
  type OpensslLibrary,
  SAME_DIRECTION,
} from "./library.ts";

/** openssl/evp.h: the controls of an AEAD context. */
const EVP_CTRL_AEAD_SET_IVLEN = 0x9;
const EVP_CTRL_AEAD_GET_TAG = 0x10;
const EVP_CTRL_AEAD_SET_TAG = 0x11;

/** One `EVP_CIPHER_CTX`, for sealing or for opening. */
export class OpensslAead implements AeadBackend {
  readonly #library: OpensslLibrary;
  readonly #memory: AeadMemory;
  readonly #key: Deno.PointerObject;
  readonly #nonce: Deno.PointerObject;
  /** `EVP_CIPHER_CTX *` */
  #context: Deno.PointerValue;
  #keyed = false;
  /** `int *outl` */
  readonly #written = new NativeBuffer(4);
  readonly #writtenPointer = this.#written.pointer;
  readonly #writtenLength = new Int32Array(this.#written.bytes.buffer);

  /**
   * Sets up the context.
   *
   * @param library The library.
   * @param cipher `EVP_CIPHER *`.
   * @param memory Where key and nonce are.
   * @param encrypt Whether it seals.
   * @throws {CipherError} If OpenSSL refuses.
   */
  constructor(
    library: OpensslLibrary,
    cipher: Deno.PointerObject,
    memory: AeadMemory,
    encrypt: boolean,
  ) {
    this.#library = library;
    this.#memory = memory;
    this.#key = memory.key.pointer;
    this.#nonce = memory.nonce.pointer;
    const start = { cipher, key: null, iv: null, encrypt };
    this.#context = newContext(library, start);
    const { length } = memory.nonce.bytes;
    if (!this.#control(EVP_CTRL_AEAD_SET_IVLEN, length, 0n)) {
      const error = this.#failure("set up a cipher");
      this[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * Seals a message.
   *
   * @param part The range was checked.
   * @throws {CipherError} If OpenSSL refuses.
   */
  seal(part: AeadPart): void {
    const { length, output, at } = part;
    const tag = this.#memory.output.at(output, at + length);
    if (
      !this.#start() || !this.#update(part) || !this.#finish(part) ||
      !this.#control(EVP_CTRL_AEAD_GET_TAG, TAG_LENGTH, tag)
    ) throw this.#failure("seal");
  }

  /**
   * Opens a message.
   *
   * @param part The range was checked.
   * @returns Whether the message is genuine.
   * @throws {CipherError} If OpenSSL refuses.
   */
  open(part: AeadPart): boolean {
    const { input, start, length } = part;
    const tag = this.#memory.input.at(input, start + length);
    if (
      !this.#start() ||
      !this.#control(EVP_CTRL_AEAD_SET_TAG, TAG_LENGTH, tag) ||
      !this.#update(part)
    ) throw this.#failure("open");
    return this.#finish(part);
  }

  /** Makes the next message take the key anew. */
  forget(): void {
    this.#keyed = false;
  }

  /** Frees the context, which wipes it. */
  [Symbol.dispose](): void {
    this.#library.symbols.EVP_CIPHER_CTX_free(this.#context);
    this.#context = null;
  }

  /** Sets the nonce, and the key if it is another one. */
  #start(): boolean {
    const started = this.#library.symbols.startAt(
      this.#context,
      null,
      null,
      this.#keyed ? null : this.#key,
      this.#nonce,
      SAME_DIRECTION,
    );
    this.#keyed = started === 1;
    return this.#keyed;
  }

  #update({ input, start, length, output, at }: AeadPart): boolean {
    this.#writtenLength[0] = 0;
    if (length === 0) return true;
    return this.#library.symbols.updateAt(
      this.#context,
      this.#memory.output.at(output, at),
      this.#writtenPointer,
      this.#memory.input.at(input, start),
      length,
    ) === 1;
  }

  /**
   * Ends the message; false if OpenSSL refuses, which is how a tag fails. OCB
   * has kept an unfinished block back until here; other ciphers write nothing.
   */
  #finish({ output, at }: AeadPart): boolean {
    const done = this.#writtenLength[0]!;
    return this.#library.symbols.finishAt(
      this.#context,
      this.#memory.output.at(output, at + done),
      this.#writtenPointer,
    ) === 1;
  }

  #control(type: number, length: number, address: bigint): boolean {
    return this.#library.symbols.controlAt(
      this.#context,
      type,
      length,
      address,
    ) === 1;
  }

  #failure(action: string): Error {
    this.#keyed = false;
    return opensslError(this.#library, action);
  }
}
