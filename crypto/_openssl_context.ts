/**
 * OpenSSL's contexts of AEAD ciphers: one for each key that is busy, and a
 * bounded number of them.
 *
 * @module
 */

import { type SecretKey, TAG_LENGTH } from "./_aead_cipher.ts";
import { NativeBuffer } from "./_ffi.ts";
import type { DeriveSubkey } from "./_hkdf.ts";
import { opensslError, type OpensslLibrary } from "./_openssl_library.ts";
import { SHORT_LENGTH, type ShortGcm, ShortState } from "./_sodium_short.ts";
import type { CipherMethod } from "./methods.ts";
import type { AeadPart } from "./provider.ts";

/** openssl/evp.h: the controls of an AEAD context. */
const EVP_CTRL_AEAD_SET_IVLEN = 0x9;
const EVP_CTRL_AEAD_GET_TAG = 0x10;
const EVP_CTRL_AEAD_SET_TAG = 0x11;

/** The value of `enc` that leaves the direction as it is. */
const SAME_DIRECTION = -1;

/** Most contexts of a direction; each takes about a kilobyte. */
const MAX_CONTEXTS = 64;

/** What an OpenSSL AEAD cipher is made of. */
export interface OpensslAeadParts {
  /** The library. */
  readonly library: OpensslLibrary;
  /** `EVP_CIPHER *`. */
  readonly cipher: Deno.PointerObject;
  /** Derives session keys; undefined: not by this library. */
  readonly derive: DeriveSubkey | undefined;
  /** Does short messages; undefined: nobody else. */
  readonly short?: ShortGcm | undefined;
}

/**
 * The contexts of one direction. To give a context another key costs as much
 * as sealing half a kilobyte, so the connections that are busy at one time
 * each keep theirs; however many there are, no more than these exist.
 */
export class ContextPool implements Disposable {
  readonly #make: () => AeadContext;
  readonly #onLost: (key: SecretKey) => void;
  readonly #contexts: AeadContext[] = [];
  /** Those whose key is not needed any more. */
  readonly #free: AeadContext[] = [];
  /** Whose turn it is to take another key when all are taken. */
  #next = 0;
  #disposed = false;

  /**
   * Makes an empty pool.
   *
   * @param make Makes a context.
   * @param onLost Called with a key whose context goes to another key.
   */
  constructor(make: () => AeadContext, onLost: (key: SecretKey) => void) {
    this.#make = make;
    this.#onLost = onLost;
  }

  /** A context for a key that has none. */
  take(key: SecretKey): AeadContext {
    if (this.#disposed) {
      throw new TypeError("Cannot use a cipher: it is disposed of");
    }
    const context = this.#free.pop() ?? this.#add() ?? this.#steal();
    context.owner = key;
    return context;
  }

  /** Takes a context back, whose key is not needed any more. */
  giveBack(context: AeadContext): void {
    context.forget();
    this.#free.push(context);
  }

  /** Frees the contexts. */
  [Symbol.dispose](): void {
    this.#disposed = true;
    for (const context of this.#contexts) {
      if (context.owner !== undefined) this.#onLost(context.owner);
      context[Symbol.dispose]();
    }
  }

  #add(): AeadContext | undefined {
    if (this.#contexts.length === MAX_CONTEXTS) return undefined;
    const context = this.#make();
    this.#contexts.push(context);
    return context;
  }

  #steal(): AeadContext {
    const context = this.#contexts[this.#next]!;
    this.#next = (this.#next + 1) % MAX_CONTEXTS;
    this.#onLost(context.owner!);
    return context;
  }
}

/** One `EVP_CIPHER_CTX`, for sealing or for opening. */
export class AeadContext implements Disposable {
  /** The key that a pool has given it to. */
  owner: SecretKey | undefined;
  readonly #library: OpensslLibrary;
  #context: Deno.PointerValue;
  /** The key that the context holds; undefined: none that counts. */
  #current: SecretKey | undefined;
  /** `int *outl`. */
  readonly #written = new NativeBuffer(4);
  readonly #writtenLength = new Int32Array(this.#written.bytes.buffer);
  /** Takes what EVP_CipherFinal_ex writes: an unfinished block, or nothing. */
  readonly #rest = new NativeBuffer(TAG_LENGTH);
  /** A key on its way into the context. */
  readonly #key: NativeBuffer;
  readonly #nonce: NativeBuffer;
  readonly #tag = new NativeBuffer(TAG_LENGTH);
  readonly #short: ShortState | undefined;

  /** Sets up the context of one direction. */
  constructor(method: CipherMethod, parts: OpensslAeadParts, encrypt: 0 | 1) {
    const { library, cipher, short } = parts;
    const { symbols } = library;
    const context = symbols.EVP_CIPHER_CTX_new();
    this.#library = library;
    this.#context = context;
    this.#key = new NativeBuffer(method.keyLength);
    this.#nonce = new NativeBuffer(method.nonceLength);
    if (short !== undefined) {
      this.#short = new ShortState(short, library.places);
    }
    const ready = context !== null &&
      symbols.EVP_CipherInit_ex(context, cipher, null, null, null, encrypt) ===
        1 &&
      symbols.EVP_CIPHER_CTX_ctrl(
          context,
          EVP_CTRL_AEAD_SET_IVLEN,
          method.nonceLength,
          null,
        ) === 1;
    if (!ready) {
      const error = opensslError(library, `set up ${method.cipher}`);
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** Seals with a key. */
  seal(
    key: SecretKey,
    nonce: Uint8Array,
    plaintext: Uint8Array,
    sealed: Uint8Array,
  ): void {
    const { length } = plaintext;
    this.#start(key, nonce);
    this.#update(plaintext, length, sealed);
    this.#endSeal(length, sealed, 0);
  }

  /** Opens with a key. */
  open(
    key: SecretKey,
    nonce: Uint8Array,
    sealed: Uint8Array,
    plaintext: Uint8Array,
  ): boolean {
    const length = sealed.length - TAG_LENGTH;
    this.#start(key, nonce);
    this.#expectTag(sealed, length);
    this.#update(sealed, length, plaintext);
    return this.#endOpen(length, plaintext, 0);
  }

  /** Seals a part of a buffer into another, both of which live on. */
  sealPart(key: SecretKey, nonce: Uint8Array, part: AeadPart): void {
    if (this.#short !== undefined && part.length <= SHORT_LENGTH) {
      copy(nonce, 0, this.#nonce.bytes);
      this.#short.seal(key, this.#nonce, part);
      return;
    }
    this.#start(key, nonce);
    this.#updatePart(part);
    this.#endSeal(part.length, part.output, part.at);
  }

  /** Opens a part of a buffer into another, both of which live on. */
  openPart(key: SecretKey, nonce: Uint8Array, part: AeadPart): boolean {
    const { length, output, at } = part;
    if (this.#short !== undefined && length <= SHORT_LENGTH) {
      copy(nonce, 0, this.#nonce.bytes);
      return this.#short.open(key, this.#nonce, part);
    }
    this.#start(key, nonce);
    this.#expectTag(part.input, part.start + length);
    this.#updatePart(part);
    return this.#endOpen(length, output, at);
  }

  /** Where the key of the next `sealOnce` or `openOnce` is to be put. */
  keySlot(): Uint8Array {
    return this.#key.bytes;
  }

  /** Seals a part with the key in the slot and the nonce 0. */
  sealOnce(part: AeadPart): void {
    this.#nonce.bytes.fill(0);
    this.#startWith(this.#key.pointer);
    this.#updatePart(part);
    this.#endSeal(part.length, part.output, part.at);
  }

  /** Opens a part with the key in the slot and the nonce 0. */
  openOnce(part: AeadPart): boolean {
    const { input, start, length, output, at } = part;
    this.#nonce.bytes.fill(0);
    this.#startWith(this.#key.pointer);
    this.#expectTag(input, start + length);
    this.#updatePart(part);
    return this.#endOpen(length, output, at);
  }

  /** Forgets its keys. */
  forget(): void {
    this.owner = this.#current = undefined;
    this.#short?.[Symbol.dispose]();
  }

  /** Frees the context. */
  [Symbol.dispose](): void {
    const context = this.#context;
    this.#context = null;
    this.forget();
    if (context !== null) this.#library.symbols.EVP_CIPHER_CTX_free(context);
  }

  #start(key: SecretKey, nonce: Uint8Array): void {
    copy(nonce, 0, this.#nonce.bytes);
    if (key === this.#current) {
      this.#startWith(null);
    } else {
      this.#key.bytes.set(key.bytes);
      this.#startWith(this.#key.pointer);
      this.#current = key;
    }
  }

  /** Sets the nonce, and the key unless it is to stay. */
  #startWith(key: Deno.PointerValue): void {
    const started = this.#library.symbols.startAt(
      this.#alive(),
      null,
      null,
      key,
      this.#nonce.pointer,
      SAME_DIRECTION,
    );
    if (key !== null) {
      this.#current = undefined;
      this.#key.bytes.fill(0);
    }
    if (started !== 1) throw this.#failure("set the key and nonce");
  }

  #update(input: Uint8Array, length: number, output: Uint8Array): void {
    this.#writtenLength[0] = 0;
    if (length === 0) return;
    const done = this.#library.symbols.update(
      this.#context,
      output,
      this.#written.pointer,
      input,
      length,
    );
    if (done !== 1) throw this.#failure("encrypt or decrypt");
  }

  #updatePart({ input, start, length, output, at }: AeadPart): void {
    this.#writtenLength[0] = 0;
    if (length === 0) return;
    const { places } = this.#library;
    const done = this.#library.symbols.updateAt(
      this.#context,
      places.output.at(output, at),
      this.#written.pointer,
      places.input.at(input, start),
      length,
    );
    if (done !== 1) throw this.#failure("encrypt or decrypt");
  }

  /** Puts the tag behind the ciphertext. */
  #endSeal(length: number, output: Uint8Array, at: number): void {
    if (
      !this.#finish(length, output, at) ||
      !this.#control(EVP_CTRL_AEAD_GET_TAG)
    ) throw this.#failure("seal");
    const tag = this.#tag.bytes;
    const end = at + length;
    for (let i = 0; i < TAG_LENGTH; i++) output[end + i] = tag[i]!;
  }

  #expectTag(input: Uint8Array, at: number): void {
    copy(input, at, this.#tag.bytes);
    if (!this.#control(EVP_CTRL_AEAD_SET_TAG)) throw this.#failure("open");
  }

  #endOpen(length: number, output: Uint8Array, at: number): boolean {
    if (this.#finish(length, output, at)) return true;
    // What OpenSSL has written before it saw the tag is not to be seen.
    output.fill(0, at, at + length);
    return false;
  }

  /** Passes the tag from or to the context. */
  #control(type: number): boolean {
    return this.#library.symbols.EVP_CIPHER_CTX_ctrl(
      this.#context,
      type,
      TAG_LENGTH,
      this.#tag.pointer,
    ) === 1;
  }

  #alive(): Deno.PointerObject {
    if (this.#context === null) {
      throw new TypeError("Cannot use a cipher: it is disposed of");
    }
    return this.#context;
  }

  /** False if it refuses, which is how a tag fails. */
  #finish(length: number, output: Uint8Array, at: number): boolean {
    const done = this.#writtenLength[0]!;
    const rest = this.#rest;
    const finished = this.#library.symbols.finish(
      this.#context,
      rest.pointer,
      this.#written.pointer,
    );
    if (finished !== 1) return false;
    // OCB keeps an unfinished block back until the end; others do not.
    if (done < length) {
      output.set(rest.bytes.subarray(0, length - done), at + done);
    }
    return true;
  }

  #failure(action: string): Error {
    this.#current = undefined;
    return opensslError(this.#library, action);
  }
}

/** Fills `to` with the bytes of `from` that begin at a place. */
function copy(from: Uint8Array, at: number, to: Uint8Array): void {
  // For so few bytes a loop is quicker than `set` with its view.
  for (let i = 0; i < to.length; i++) to[i] = from[at + i]!;
}
