/**
 * Stream framing, of before 2017: IV ‖ ciphertext, for connections and packets
 * alike. Nothing tells genuine bytes from others.
 *
 * @module
 */

import type { CipherMethod, StreamCipher, StreamState } from "../crypto/mod.ts";
import {
  DECRYPT_FAILED,
  type FrameDecoder,
  type FrameEncoder,
  type Framing,
  type OpenPacketOptions,
  type SealPacketOptions,
} from "./_framing.ts";
import { SaltPool } from "./_salt_pool.ts";

/** What the connections of one port share. */
interface Shared {
  readonly cipher: StreamCipher;
  readonly masterKey: Uint8Array;
  readonly salts: SaltPool;
  readonly ivLength: number;
}

/** Stream framing with one master key. */
export class StreamFraming implements Framing {
  readonly packetOverhead: number;
  readonly packetSalt: Uint8Array;
  readonly #shared: Shared;

  /**
   * Makes the framing of a port.
   *
   * @param method Gives the sizes.
   * @param masterKey The port's key; kept, not copied.
   * @param cipher Becomes the framing's own.
   */
  constructor(
    method: CipherMethod,
    masterKey: Uint8Array,
    cipher: StreamCipher,
  ) {
    const ivLength = method.saltLength;
    const salts = new SaltPool(ivLength);
    this.packetOverhead = ivLength;
    this.packetSalt = new Uint8Array(ivLength);
    this.#shared = { cipher, masterKey, salts, ivLength };
  }

  /**
   * Starts the sending direction of a connection.
   *
   * @param salts Where its IV is drawn from.
   * @returns The encoder.
   */
  newEncoder(salts: SaltPool = this.#shared.salts): FrameEncoder {
    return new StreamEncoder(this.#shared, salts.draw());
  }

  /**
   * Starts the receiving direction of a connection.
   *
   * @returns The decoder.
   */
  newDecoder(): FrameDecoder {
    return new StreamDecoder(this.#shared);
  }

  /**
   * Encrypts a packet.
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
    const { cipher, masterKey, ivLength } = this.#shared;
    const { start = 0, end = plaintext.length, onSalt } = options;
    const { salts = this.#shared.salts } = options;
    salts.take(this.packetSalt);
    onSalt?.(this.packetSalt);
    out.set(this.packetSalt);
    using state = cipher.start(masterKey, this.packetSalt);
    state.update(plaintext.subarray(start, end), out.subarray(ivLength));
    return ivLength + end - start;
  }

  /**
   * Decrypts a packet.
   *
   * @param packet Holds what came in.
   * @param out Takes the payload.
   * @param options See `CipherSuite.openPacket`.
   * @returns Bytes of the payload, or {@linkcode DECRYPT_FAILED} if there is
   * no whole IV.
   */
  openPacket(
    packet: Uint8Array,
    out: Uint8Array,
    options: OpenPacketOptions = {},
  ): number {
    const { start = 0, end = packet.length, at = 0 } = options;
    const { cipher, masterKey, ivLength } = this.#shared;
    const payload = start + ivLength;
    if (payload > end) return DECRYPT_FAILED;
    this.packetSalt.set(packet.subarray(start, payload));
    using state = cipher.start(masterKey, this.packetSalt, { decrypt: true });
    state.update(packet.subarray(payload, end), out.subarray(at));
    return end - payload;
  }

  /** Frees the cipher. */
  [Symbol.dispose](): void {
    this.#shared.cipher[Symbol.dispose]();
  }
}

class StreamEncoder implements FrameEncoder {
  salt: Uint8Array | undefined;
  readonly #state: StreamState;
  readonly #ivLength: number;
  #ivSent = false;

  constructor(shared: Shared, iv: Uint8Array) {
    const { cipher, masterKey, ivLength } = shared;
    this.salt = iv;
    this.#ivLength = ivLength;
    this.#state = cipher.start(masterKey, iv);
  }

  forgetSalt(): void {
    if (this.#ivSent) this.salt = undefined;
  }

  encryptedLength(length: number): number {
    return (this.#ivSent ? 0 : this.#ivLength) + length;
  }

  encrypt(plaintext: Uint8Array, out: Uint8Array, length: number): number {
    let at = 0;
    if (!this.#ivSent && this.salt !== undefined) {
      out.set(this.salt);
      at = this.#ivLength;
      this.#ivSent = true;
    }
    this.#state.update(
      prefix(plaintext, length),
      at === 0 ? out : out.subarray(at),
    );
    return at + length;
  }

  [Symbol.dispose](): void {
    this.#state[Symbol.dispose]();
  }
}

class StreamDecoder implements FrameDecoder {
  salt: Uint8Array | undefined;
  consumed = 0;
  /** Never: a stream cipher verifies nothing. */
  readonly authenticated = false;
  failed = false;
  readonly #shared: Shared;
  #state: StreamState | undefined;

  constructor(shared: Shared) {
    this.#shared = shared;
  }

  get betweenFrames(): boolean {
    return this.#state !== undefined;
  }

  decrypt(buffer: Uint8Array, out: Uint8Array, end: number): number {
    this.consumed = 0;
    if (this.failed) return DECRYPT_FAILED;
    const data = prefix(buffer, end);
    const state = this.#state ?? this.#start(data);
    if (state === undefined) return 0;
    const length = data.length - this.consumed;
    const input = this.consumed === 0 ? data : data.subarray(this.consumed);
    state.update(input, out);
    this.consumed = data.length;
    return length;
  }

  [Symbol.dispose](): void {
    this.#state?.[Symbol.dispose]();
    this.#state = undefined;
    this.failed = true;
  }

  /** Takes the IV off the front; undefined while it is incomplete. */
  #start(data: Uint8Array): StreamState | undefined {
    const { cipher, masterKey, ivLength } = this.#shared;
    if (data.length < ivLength) return undefined;
    this.salt = data.slice(0, ivLength);
    this.consumed = ivLength;
    return this.#state = cipher.start(masterKey, this.salt, { decrypt: true });
  }
}

function prefix(bytes: Uint8Array, length: number): Uint8Array {
  return length === bytes.length ? bytes : bytes.subarray(0, length);
}
