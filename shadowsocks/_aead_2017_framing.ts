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

import type { AeadCipher, AeadSession, CipherMethod } from "../crypto/mod.ts";
import {
  type ChunkContext,
  ChunkDecoder,
  ChunkEncoder,
  LENGTH_BYTES,
  newChunkContext,
  setInput,
  setOutput,
} from "./_aead_chunks.ts";
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

/** AEAD framing with one master key. */
export class AeadFraming implements Framing {
  readonly packetOverhead: number;
  readonly packetSalt: Uint8Array;
  readonly #cipher: AeadCipher;
  readonly #salts: SaltPool;
  readonly #shared: ChunkContext;
  readonly #packetSession: AeadSession;

  /**
   * Makes the framing of a port.
   *
   * @param method Gives the sizes.
   * @param masterKey The port's key; kept, not copied.
   * @param source The cipher, which becomes the framing's own; or a framing of
   * the same method, to share its cipher and its scratch memory.
   */
  constructor(
    method: CipherMethod,
    masterKey: Uint8Array,
    source: AeadCipher | AeadFraming,
  ) {
    const { saltLength, tagLength } = method;
    const like = source instanceof AeadFraming ? source : undefined;
    const cipher = source instanceof AeadFraming ? source.#cipher : source;
    this.packetOverhead = saltLength + tagLength;
    this.packetSalt = like?.packetSalt ?? new Uint8Array(saltLength);
    this.#packetSession = { masterKey, salt: this.packetSalt };
    this.#cipher = cipher;
    this.#salts = like ? like.#salts : new SaltPool(saltLength);
    this.#shared = newChunkContext(method, {
      // Some mask the two upper bits of a length away; a genuine peer never
      // sets them.
      maxLength: MAX_CHUNK_LENGTH,
      sendLength: MAX_CHUNK_LENGTH,
      newKey: (salt) => cipher.sessionKey({ masterKey, salt }),
    }, like && like.#shared);
  }

  /**
   * Starts the sending direction of a connection.
   *
   * @param salts Where its salt is drawn from.
   * @returns The encoder.
   */
  newEncoder(salts: SaltPool = this.#salts): FrameEncoder {
    const salt = salts.draw();
    return new ChunkEncoder(this.#shared, this.#shared.newKey(salt), salt);
  }

  /**
   * Starts the receiving direction of a connection.
   *
   * @returns The decoder.
   */
  newDecoder(): FrameDecoder {
    return new ChunkDecoder(this.#shared);
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
    const { saltLength, part } = this.#shared;
    const { start = 0, end = plaintext.length, onSalt } = options;
    const { salts = this.#salts } = options;
    salts.take(this.packetSalt);
    onSalt?.(this.packetSalt);
    out.set(this.packetSalt);
    setInput(part, plaintext, start, end - start);
    setOutput(part, out, saltLength);
    this.#cipher.sealOnce(this.#packetSession, part);
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
    const length = end - start - this.packetOverhead;
    if (length < 0) return DECRYPT_FAILED;
    const genuine = this.#openFirst(packet, start, length, out, at);
    return genuine ? length : DECRYPT_FAILED;
  }

  /**
   * Tells whether the first sealed length of a connection is of this key; what
   * that length is counts for nothing here.
   *
   * @param head A buffer that is used again, with the salt and the length.
   * @returns Whether it opens.
   */
  opensHead(head: Uint8Array): boolean {
    return this.#openFirst(head, 0, LENGTH_BYTES, this.#shared.lengthBytes, 0);
  }

  /** Frees the cipher. */
  [Symbol.dispose](): void {
    this.#cipher[Symbol.dispose]();
  }

  /** Opens what stands behind a salt, under the nonce 0. */
  #openFirst(
    input: Uint8Array,
    start: number,
    length: number,
    output: Uint8Array,
    at: number,
  ): boolean {
    const { saltLength, part } = this.#shared;
    for (let i = 0; i < saltLength; i++) this.packetSalt[i] = input[start + i]!;
    setInput(part, input, start + saltLength, length);
    setOutput(part, output, at);
    return this.#cipher.openOnce(this.#packetSession, part);
  }
}
