/**
 * AEAD framing of 2017 (SIP004, SIP007).
 *
 * ```text
 * stream:  salt ‖ { seal(length, 2 bytes, big endian) ‖ seal(payload) } …
 * packet:  salt ‖ seal(payload), with the nonce 0
 * seal(x): ciphertext of x ‖ tag of 16 bytes
 * ```
 *
 * The session key is HKDF-SHA1 of the master key and the salt. The nonce is a
 * little-endian counter from 0 that goes up after every seal, so twice for a
 * chunk, and each direction has its own.
 *
 * @module
 */

import type {
  AeadCipher,
  AeadKey,
  AeadPart,
  AeadSession,
  CipherMethod,
} from "../crypto/mod.ts";
import {
  DECRYPT_FAILED,
  type FrameDecoder,
  type FrameEncoder,
  type Framing,
  type OpenPacketOptions,
  type SealPacketOptions,
} from "./_framing.ts";
import { SaltPool } from "./_salt_pool.ts";

/** SIP004: the most payload in a chunk; the two upper bits stay 0. */
export const MAX_CHUNK_LENGTH = 0x3fff;

/** SIP004: bytes of a chunk's length. */
const LENGTH_BYTES = 2;
const LENGTH_BUFFER = 4096;

/** The value of a decoder's chunk length between two chunks. */
const NO_LENGTH = -1;

/** What the connections of one port share. */
interface Shared {
  readonly cipher: AeadCipher;
  readonly masterKey: Uint8Array;
  readonly salts: SaltPool;
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

/** AEAD framing with one master key. */
export class AeadFraming implements Framing {
  readonly packetOverhead: number;
  readonly packetSalt: Uint8Array;
  readonly #shared: Shared;
  readonly #packetSession: AeadSession;

  /**
   * Makes the framing of a port.
   *
   * @param method Gives the sizes.
   * @param masterKey The port's key; kept, not copied.
   * @param cipher Becomes the framing's own.
   */
  constructor(method: CipherMethod, masterKey: Uint8Array, cipher: AeadCipher) {
    const { saltLength, tagLength, nonceLength } = method;
    this.packetOverhead = saltLength + tagLength;
    this.packetSalt = new Uint8Array(saltLength);
    this.#packetSession = { masterKey, salt: this.packetSalt };
    const lengthBytes = new Uint8Array(LENGTH_BUFFER);
    this.#shared = {
      cipher,
      masterKey,
      salts: new SaltPool(saltLength),
      saltLength,
      tagLength,
      nonce: new Uint8Array(nonceLength),
      lengthBytes,
      part: {
        input: lengthBytes,
        start: 0,
        length: 0,
        output: lengthBytes,
        at: 0,
      },
    };
  }

  /**
   * Starts the sending direction of a connection.
   *
   * @param salts Where its salt is drawn from.
   * @returns The encoder.
   */
  newEncoder(salts: SaltPool = this.#shared.salts): FrameEncoder {
    return new AeadEncoder(this.#shared, salts.draw());
  }

  /**
   * Starts the receiving direction of a connection.
   *
   * @returns The decoder.
   */
  newDecoder(): FrameDecoder {
    return new AeadDecoder(this.#shared);
  }

  /**
   * Seals a packet.
   *
   * @param plaintext Holds the payload.
   * @param out Takes the packet.
   * @param options See `CipherSuite.sealPacket`.
   * @returns Bytes of the packet.
   */
  sealPacket(
    plaintext: Uint8Array,
    out: Uint8Array,
    options: SealPacketOptions = {},
  ): number {
    const { cipher, saltLength, part } = this.#shared;
    const { start = 0, end = plaintext.length, onSalt } = options;
    const { salts = this.#shared.salts } = options;
    salts.take(this.packetSalt);
    onSalt?.(this.packetSalt);
    out.set(this.packetSalt);
    setInput(part, plaintext, start, end - start);
    setOutput(part, out, saltLength);
    cipher.sealOnce(this.#packetSession, part);
    return end - start + this.packetOverhead;
  }

  /**
   * Opens a packet.
   *
   * @param packet Holds what came in.
   * @param out Takes the payload.
   * @param options See `CipherSuite.openPacket`.
   * @returns Bytes of the payload, or {@linkcode DECRYPT_FAILED}.
   */
  openPacket(
    packet: Uint8Array,
    out: Uint8Array,
    options: OpenPacketOptions = {},
  ): number {
    const { start = 0, end = packet.length, at = 0 } = options;
    const { cipher, saltLength, part } = this.#shared;
    const length = end - start - this.packetOverhead;
    if (length < 0) return DECRYPT_FAILED;
    for (let i = 0; i < saltLength; i++) {
      this.packetSalt[i] = packet[start + i]!;
    }
    setInput(part, packet, start + saltLength, length);
    setOutput(part, out, at);
    const genuine = cipher.openOnce(this.#packetSession, part);
    return genuine ? length : DECRYPT_FAILED;
  }

  /** Frees the cipher. */
  [Symbol.dispose](): void {
    this.#shared.cipher[Symbol.dispose]();
  }
}

class AeadEncoder implements FrameEncoder {
  salt: Uint8Array | undefined;
  readonly #shared: Shared;
  readonly #key: AeadKey;
  #counter = 0;
  #saltSent = false;

  constructor(shared: Shared, salt: Uint8Array) {
    this.#shared = shared;
    this.salt = salt;
    this.#key = sessionKey(shared, salt);
  }

  forgetSalt(): void {
    if (this.#saltSent) this.salt = undefined;
  }

  encryptedLength(length: number): number {
    const { saltLength, tagLength } = this.#shared;
    const chunks = Math.ceil(length / MAX_CHUNK_LENGTH);
    return (this.#saltSent ? 0 : saltLength) + length +
      chunks * (LENGTH_BYTES + 2 * tagLength);
  }

  encrypt(plaintext: Uint8Array, out: Uint8Array, length: number): number {
    const { tagLength, lengthBytes } = this.#shared;
    let written = 0;
    if (!this.#saltSent && this.salt !== undefined) {
      out.set(this.salt);
      written = this.salt.length;
      this.#saltSent = true;
    }
    for (let start = 0; start < length;) {
      const chunk = Math.min(MAX_CHUNK_LENGTH, length - start);
      lengthBytes[0] = chunk >>> 8;
      lengthBytes[1] = chunk;
      this.#seal(lengthBytes, 0, LENGTH_BYTES, out, written);
      written += LENGTH_BYTES + tagLength;
      this.#seal(plaintext, start, chunk, out, written);
      written += chunk + tagLength;
      start += chunk;
    }
    return written;
  }

  [Symbol.dispose](): void {
    this.#key[Symbol.dispose]();
  }

  #seal(
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

class AeadDecoder implements FrameDecoder {
  salt: Uint8Array | undefined;
  consumed = 0;
  authenticated = false;
  failed = false;
  readonly #shared: Shared;
  #key: AeadKey | undefined;
  #counter = 0;
  /** The length of the chunk whose payload is awaited, or NO_LENGTH. */
  #chunkLength = NO_LENGTH;

  constructor(shared: Shared) {
    this.#shared = shared;
  }

  get betweenFrames(): boolean {
    return this.#key !== undefined && this.#chunkLength === NO_LENGTH &&
      !this.failed;
  }

  decrypt(data: Uint8Array, out: Uint8Array, end: number): number {
    this.consumed = 0;
    if (this.failed) return DECRYPT_FAILED;
    const key = this.#key ?? this.#start(data, end);
    if (key === undefined) return 0;
    const { tagLength } = this.#shared;
    let produced = 0;
    for (;;) {
      if (
        this.#chunkLength === NO_LENGTH && !this.#openLength(key, data, end)
      ) {
        break;
      }
      const length = this.#chunkLength;
      const chunkEnd = this.consumed + length + tagLength;
      if (chunkEnd > end) break;
      if (!this.#open(key, data, length, out, produced)) break;
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

  /** Takes the salt off the front; undefined while it is incomplete. */
  #start(data: Uint8Array, end: number): AeadKey | undefined {
    const { saltLength } = this.#shared;
    if (end < saltLength) return undefined;
    this.salt = data.slice(0, saltLength);
    this.consumed = saltLength;
    return this.#key = sessionKey(this.#shared, this.salt);
  }

  /** Opens the next length; false if it is incomplete or not genuine. */
  #openLength(key: AeadKey, data: Uint8Array, end: number): boolean {
    const { tagLength, lengthBytes } = this.#shared;
    const sealedEnd = this.consumed + LENGTH_BYTES + tagLength;
    if (sealedEnd > end) return false;
    if (!this.#open(key, data, LENGTH_BYTES, lengthBytes, 0)) return false;
    const length = lengthBytes[0]! << 8 | lengthBytes[1]!;
    // Some mask the two upper bits away; a genuine peer never sets them.
    if (length > MAX_CHUNK_LENGTH) {
      this.failed = true;
      return false;
    }
    this.#chunkLength = length;
    this.consumed = sealedEnd;
    return true;
  }

  /** Opens what stands at `consumed`. */
  #open(
    key: AeadKey,
    input: Uint8Array,
    length: number,
    output: Uint8Array,
    at: number,
  ): boolean {
    const { nonce, part } = this.#shared;
    writeCounter(nonce, this.#counter);
    setInput(part, input, this.consumed, length);
    setOutput(part, output, at);
    if (!key.openPart(nonce, part)) {
      this.failed = true;
      return false;
    }
    this.#counter++;
    return true;
  }
}

function setInput(
  part: AeadPart,
  input: Uint8Array,
  start: number,
  length: number,
): void {
  part.input = input;
  part.start = start;
  part.length = length;
}

function setOutput(part: AeadPart, output: Uint8Array, at: number): void {
  part.output = output;
  part.at = at;
}

function sessionKey(shared: Shared, salt: Uint8Array): AeadKey {
  const { cipher, masterKey } = shared;
  return cipher.sessionKey({ masterKey, salt });
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
