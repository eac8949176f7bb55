/**
 * Chunks of an AEAD cipher, as the editions of 2017 and 2022 have them.
 *
 * ```text
 * { seal(length, 2 bytes, big endian) ‖ seal(payload) } …
 * seal(x): ciphertext of x ‖ tag of 16 bytes
 * ```
 *
 * The nonce is a little-endian counter from 0 that goes up after every seal, so
 * twice for a chunk, and each direction has its own. An edition may seal and
 * open parts of its own with the same counter.
 *
 * @module
 */

import type { AeadKey, AeadPart, CipherMethod } from "../crypto/mod.ts";
import {
  DECRYPT_FAILED,
  type FrameDecoder,
  type FrameEncoder,
} from "./_framing.ts";

/** Bytes of a chunk's length. */
export const LENGTH_BYTES = 2;
const LENGTH_BUFFER = 4096;

/** The value of a decoder's chunk length between two chunks. */
const NO_LENGTH = -1;

/** What differs between the editions. */
export interface ChunkFormat {
  /** The most payload that a chunk may have. */
  readonly maxLength: number;
  /** The most payload that is put into one. */
  readonly sendLength: number;
  /** Makes the key of a direction. */
  readonly newKey: (salt: Uint8Array) => AeadKey;
}

/** What the connections of one port share. */
export interface ChunkContext extends ChunkFormat {
  readonly saltLength: number;
  readonly tagLength: number;
  /** Scratch for a counter, written before each use. */
  readonly nonce: Uint8Array;
  /**
   * Scratch for a chunk's length: the first two bytes of a buffer as long as
   * those of which libraries remember the places.
   */
  readonly lengthBytes: Uint8Array;
  /** Scratch for what is sealed or opened next. */
  readonly part: AeadPart;
}

/**
 * Makes what the connections of a port share.
 *
 * @param method Gives the sizes.
 * @param format What differs between the editions.
 * @param like One of the same method, to share its scratch memory: for the many
 * keys of a port.
 * @returns The context.
 */
export function newChunkContext(
  method: CipherMethod,
  format: ChunkFormat,
  like?: ChunkContext,
): ChunkContext {
  const { saltLength, tagLength, nonceLength } = method;
  const lengthBytes = like?.lengthBytes ?? new Uint8Array(LENGTH_BUFFER);
  const { maxLength, sendLength, newKey } = format;
  return {
    maxLength,
    sendLength,
    newKey,
    saltLength,
    tagLength,
    nonce: like?.nonce ?? new Uint8Array(nonceLength),
    lengthBytes,
    part: like?.part ?? {
      input: lengthBytes,
      start: 0,
      length: 0,
      output: lengthBytes,
      at: 0,
    },
  };
}

/** The sending direction of one connection. */
export class ChunkEncoder implements FrameEncoder {
  salt: Uint8Array | undefined;
  readonly #shared: ChunkContext;
  readonly #key: AeadKey;
  #counter = 0;
  #saltSent = false;

  /**
   * Makes the sending direction.
   *
   * @param shared What it shares with others.
   * @param key The key of the direction; becomes its own.
   * @param salt Sent in front of the first chunk; undefined: the edition does
   * that.
   */
  constructor(shared: ChunkContext, key: AeadKey, salt?: Uint8Array) {
    this.#shared = shared;
    this.salt = salt;
    this.#key = key;
  }

  forgetSalt(): void {
    if (this.#saltSent) this.salt = undefined;
  }

  encryptedLength(length: number): number {
    const { tagLength, sendLength } = this.#shared;
    const chunks = Math.ceil(length / sendLength);
    const salt = this.#saltSent ? undefined : this.salt;
    return (salt?.length ?? 0) + length +
      chunks * (LENGTH_BYTES + 2 * tagLength);
  }

  encrypt(plaintext: Uint8Array, out: Uint8Array, length: number): number {
    let written = 0;
    if (!this.#saltSent && this.salt !== undefined) {
      out.set(this.salt);
      written = this.salt.length;
      this.#saltSent = true;
    }
    return this.encryptFrom(plaintext, 0, length, out, written);
  }

  /**
   * Encrypts a part of a buffer, behind what stands in the output.
   *
   * @param plaintext Holds the payload.
   * @param from Where it begins.
   * @param length Where it ends.
   * @param out Takes the chunks.
   * @param at Where in it.
   * @returns Where the chunks end.
   */
  encryptFrom(
    plaintext: Uint8Array,
    from: number,
    length: number,
    out: Uint8Array,
    at: number,
  ): number {
    const { tagLength, lengthBytes, sendLength } = this.#shared;
    let written = at;
    for (let start = from; start < length;) {
      const chunk = Math.min(sendLength, length - start);
      lengthBytes[0] = chunk >>> 8;
      lengthBytes[1] = chunk;
      this.seal(lengthBytes, 0, LENGTH_BYTES, out, written);
      written += LENGTH_BYTES + tagLength;
      this.seal(plaintext, start, chunk, out, written);
      written += chunk + tagLength;
      start += chunk;
    }
    return written;
  }

  [Symbol.dispose](): void {
    this.#key[Symbol.dispose]();
  }

  /**
   * Seals bytes with the next nonce.
   *
   * @param input Holds them.
   * @param start Where in it.
   * @param length How many.
   * @param output Takes them and the tag.
   * @param at Where in it.
   */
  seal(
    input: Uint8Array,
    start: number,
    length: number,
    output: Uint8Array,
    at: number,
  ): void {
    const { nonce, part } = this.#shared;
    writeCounter(nonce, this.#counter);
    setInput(part, input, start, length);
    setOutput(part, output, at);
    this.#key.sealPart(nonce, part);
    this.#counter++;
  }
}

/** The receiving direction of one connection. */
export class ChunkDecoder implements FrameDecoder {
  salt: Uint8Array | undefined;
  consumed = 0;
  authenticated = false;
  failed = false;
  readonly #shared: ChunkContext;
  #key: AeadKey | undefined;
  #counter = 0;
  /** The length of the chunk whose payload is awaited, or NO_LENGTH. */
  #chunkLength = NO_LENGTH;

  /**
   * Makes the receiving direction.
   *
   * @param shared What it shares with others.
   * @param key The key of the direction, which becomes its own; undefined: what
   * comes begins with its salt.
   */
  constructor(shared: ChunkContext, key?: AeadKey) {
    this.#shared = shared;
    this.#key = key;
  }

  /**
   * Takes a length that stood elsewhere than in a chunk.
   *
   * @param length Bytes of payload that come next.
   */
  expect(length: number): void {
    this.#chunkLength = length;
  }

  /** Whether it is between two chunks. */
  get betweenFrames(): boolean {
    return this.#key !== undefined && this.#chunkLength === NO_LENGTH &&
      !this.failed;
  }

  decrypt(data: Uint8Array, out: Uint8Array, end: number): number {
    this.consumed = 0;
    if (this.failed) return DECRYPT_FAILED;
    if (this.#key === undefined && !this.#start(data, end)) return 0;
    return this.#decryptOn(data, out, end);
  }

  /**
   * Decrypts all whole chunks behind a head that was opened.
   *
   * @param start Where the first begins.
   * @param data Holds them.
   * @param out Takes the payload.
   * @param end Where they end.
   * @returns Bytes of payload, or {@linkcode DECRYPT_FAILED}.
   */
  decryptFrom(
    start: number,
    data: Uint8Array,
    out: Uint8Array,
    end: number,
  ): number {
    if (this.failed || this.#key === undefined) return DECRYPT_FAILED;
    this.consumed = start;
    return this.#decryptOn(data, out, end);
  }

  #decryptOn(data: Uint8Array, out: Uint8Array, end: number): number {
    const { tagLength } = this.#shared;
    let produced = 0;
    for (;;) {
      if (
        this.#chunkLength === NO_LENGTH && !this.#openLength(data, end)
      ) {
        break;
      }
      const length = this.#chunkLength;
      const chunkEnd = this.consumed + length + tagLength;
      if (chunkEnd > end) break;
      if (!this.open(data, length, out, produced)) break;
      this.authenticated = true;
      this.#chunkLength = NO_LENGTH;
      this.consumed = chunkEnd;
      produced += length;
    }
    return this.failed && produced === 0 ? DECRYPT_FAILED : produced;
  }

  [Symbol.dispose](): void {
    this.#key?.[Symbol.dispose]();
    this.#key = undefined;
    this.failed = true;
  }

  /** Takes the salt off the front; false while it is incomplete. */
  #start(data: Uint8Array, end: number): boolean {
    const { saltLength } = this.#shared;
    if (end < saltLength) return false;
    this.salt = data.slice(0, saltLength);
    this.consumed = saltLength;
    this.#key = this.#shared.newKey(this.salt);
    return true;
  }

  /** Opens the next length; false if it is incomplete or not genuine. */
  #openLength(data: Uint8Array, end: number): boolean {
    const { tagLength, lengthBytes, maxLength } = this.#shared;
    const sealedEnd = this.consumed + LENGTH_BYTES + tagLength;
    if (sealedEnd > end) return false;
    if (!this.open(data, LENGTH_BYTES, lengthBytes, 0)) return false;
    const length = lengthBytes[0]! << 8 | lengthBytes[1]!;
    if (length > maxLength) {
      this.failed = true;
      return false;
    }
    this.#chunkLength = length;
    this.consumed = sealedEnd;
    return true;
  }

  /**
   * Opens what stands at `consumed` with the next nonce.
   *
   * @param input Holds ciphertext and tag.
   * @param length Bytes of plaintext.
   * @param output Takes the plaintext.
   * @param at Where in it.
   * @returns False if the tag is wrong, or there is no key; then `failed` is
   * set.
   */
  open(
    input: Uint8Array,
    length: number,
    output: Uint8Array,
    at: number,
  ): boolean {
    const { nonce, part } = this.#shared;
    writeCounter(nonce, this.#counter);
    setInput(part, input, this.consumed, length);
    setOutput(part, output, at);
    if (this.#key?.openPart(nonce, part) !== true) {
      this.failed = true;
      return false;
    }
    this.#counter++;
    return true;
  }
}

/**
 * Says what is read next.
 *
 * @param part Told so.
 * @param input The buffer.
 * @param start Where in it.
 * @param length Bytes of plaintext.
 */
export function setInput(
  part: AeadPart,
  input: Uint8Array,
  start: number,
  length: number,
): void {
  part.input = input;
  part.start = start;
  part.length = length;
}

/**
 * Says what is written next.
 *
 * @param part Told so.
 * @param output The buffer.
 * @param at Where in it.
 */
export function setOutput(
  part: AeadPart,
  output: Uint8Array,
  at: number,
): void {
  part.output = output;
  part.at = at;
}

/**
 * Writes a counter as a little-endian nonce. A counter is exact up to 2⁵³,
 * which is seven bytes; those after them stay 0.
 */
function writeCounter(nonce: Uint8Array, counter: number): void {
  nonce[0] = counter;
  nonce[1] = counter >>> 8;
  nonce[2] = counter >>> 16;
  nonce[3] = counter >>> 24;
  const high = Math.floor(counter / 0x1_0000_0000);
  nonce[4] = high;
  nonce[5] = high >>> 8;
  nonce[6] = high >>> 16;
}
