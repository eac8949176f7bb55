/**
 * The AEAD ciphers of OpenSSL. A context is given a key once; after that a
 * message takes four native calls: the nonce, the bytes, the end and the tag.
 *
 * @module
 */

import {
  type AeadBackend,
  type AeadMemory,
  type MakeBackend,
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

/**
 * Binds an AEAD cipher.
 *
 * @param library The library.
 * @param cipher `EVP_CIPHER *`.
 * @returns What makes its backends; throws a `CipherError` if OpenSSL refuses.
 */
export function bindAead(
  library: OpensslLibrary,
  cipher: Deno.PointerObject,
): MakeBackend {
  return (memory, encrypt) => new OpensslAead(library, cipher, memory, encrypt);
}

/** One `EVP_CIPHER_CTX`, for sealing or for opening. */
class OpensslAead implements AeadBackend {
  readonly #library: OpensslLibrary;
  readonly #memory: AeadMemory;
  readonly #key: Deno.PointerObject;
  readonly #nonce: Deno.PointerObject;
  /** `EVP_CIPHER_CTX *` */
  #context: Deno.PointerValue;
  #keyed = false;
  /** `int *outl` */
  readonly #written = new NativeBuffer(4);
  readonly #writtenLength = new Int32Array(this.#written.bytes.buffer);
  readonly #tag = new NativeBuffer(TAG_LENGTH);
  /** What EVP_CipherFinal_ex writes. */
  readonly #rest = new NativeBuffer(TAG_LENGTH);

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
    if (!this.#control(EVP_CTRL_AEAD_SET_IVLEN, length, null)) {
      const error = this.#failure("set up a cipher");
      this[Symbol.dispose]();
      throw error;
    }
  }

  seal(part: AeadPart): void {
    const { bytes: tag, pointer } = this.#tag;
    if (
      !this.#start() || !this.#update(part) || !this.#finish(part) ||
      !this.#control(EVP_CTRL_AEAD_GET_TAG, TAG_LENGTH, pointer)
    ) throw this.#failure("seal");
    const { output } = part;
    const end = part.at + part.length;
    for (let i = 0; i < TAG_LENGTH; i++) output[end + i] = tag[i]!;
  }

  open(part: AeadPart): boolean {
    const { bytes: tag, pointer } = this.#tag;
    const { input } = part;
    const end = part.start + part.length;
    for (let i = 0; i < TAG_LENGTH; i++) tag[i] = input[end + i]!;
    if (
      !this.#start() ||
      !this.#control(EVP_CTRL_AEAD_SET_TAG, TAG_LENGTH, pointer) ||
      !this.#update(part)
    ) throw this.#failure("open");
    return this.#finish(part);
  }

  rekey(): void {
    this.#keyed = false;
  }

  /** The context keeps the key until it is given another one or is freed. */
  forget(): void {
    this.#keyed = false;
  }

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
      this.#written.pointer,
      this.#memory.input.at(input, start),
      length,
    ) === 1;
  }

  /** Ends the message; false if OpenSSL refuses, which is how a tag fails. */
  #finish({ length, output, at }: AeadPart): boolean {
    const done = this.#writtenLength[0]!;
    const rest = this.#rest;
    const finished = this.#library.symbols.finish(
      this.#context,
      rest.pointer,
      this.#written.pointer,
    ) === 1;
    // OCB keeps an unfinished block back until the end; others do not.
    if (done < length) {
      output.set(rest.bytes.subarray(0, length - done), at + done);
    }
    return finished;
  }

  #control(type: number, value: number, at: Deno.PointerValue): boolean {
    const { symbols } = this.#library;
    return symbols.EVP_CIPHER_CTX_ctrl(this.#context, type, value, at) === 1;
  }

  #failure(action: string): Error {
    this.#keyed = false;
    return opensslError(this.#library, action);
  }
}
