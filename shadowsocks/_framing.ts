/**
 * What the two ways of framing bytes, AEAD and stream, have in common.
 *
 * @module
 */

import type { SaltPool } from "./_salt_pool.ts";

/** The answer of a decoder for bytes that are not genuine. */
export const DECRYPT_FAILED: number = -1;

/** The sending direction of one connection. */
export interface FrameEncoder extends Disposable {
  /** The salt or IV sent in front; undefined once forgotten. */
  readonly salt: Uint8Array | undefined;
  /** Drops the salt, unless it has still to be sent. */
  forgetSalt(): void;
  /** See `Cryptor.encryptedLength`. */
  encryptedLength(length: number): number;
  /** See `Cryptor.encrypt`; there is room enough in `out`. */
  encrypt(plaintext: Uint8Array, out: Uint8Array, length: number): number;
}

/** The receiving direction of one connection. */
export interface FrameDecoder extends Disposable {
  /** The salt or IV received; undefined until complete, once forgotten. */
  salt: Uint8Array | undefined;
  /** Bytes of `data` that the last call has used up. */
  readonly consumed: number;
  /** Whether a payload has been verified. */
  readonly authenticated: boolean;
  /** Whether bytes were not genuine: nothing more will come out. */
  readonly failed: boolean;
  /** Whether it is between two frames. */
  readonly betweenFrames: boolean;
  /** See `Cryptor.decrypt`; there is room enough in `out`. */
  decrypt(data: Uint8Array, out: Uint8Array, length: number): number;
}

/** Which part of a buffer is meant. */
export interface PacketPart {
  /** Where it begins. Default: at 0. */
  readonly start?: number;
  /** Where it ends. Default: with its buffer. */
  readonly end?: number;
}

/** Options of `CipherSuite.openPacket`. */
export interface OpenPacketOptions extends PacketPart {
  /** Where in `out` the payload goes. Default: at 0. */
  readonly at?: number;
}

/** Options of `CipherSuite.sealPacket`. */
export interface SealPacketOptions extends PacketPart {
  /** Where the salt is drawn from. Default: a stock of the framing's own. */
  readonly salts?: SaltPool | undefined;
  /**
   * Called with the packet's salt or IV before the plaintext is read, which it
   * may still change: for a payload that says something of its own salt.
   */
  readonly onSalt?: (salt: Uint8Array) => void;
}

/** One way of framing, with the cipher and the master key of one port. */
export interface Framing extends Disposable {
  /** Bytes that a packet grows by. */
  readonly packetOverhead: number;
  /** The salt or IV of the last packet, until the next one. */
  readonly packetSalt: Uint8Array;
  /**
   * Starts the sending direction of a connection.
   *
   * @param salts Where its salt is drawn from. Default: a stock of the framing's
   * own.
   */
  newEncoder(salts?: SaltPool): FrameEncoder;
  /** Starts the receiving direction of a connection. */
  newDecoder(): FrameDecoder;
  /** See `CipherSuite.sealPacket`; there is room enough in `out`. */
  sealPacket(
    plaintext: Uint8Array,
    out: Uint8Array,
    options?: SealPacketOptions,
  ): number;
  /** See `CipherSuite.openPacket`; there is room enough in `out`. */
  openPacket(
    packet: Uint8Array,
    out: Uint8Array,
    options?: OpenPacketOptions,
  ): number;
}
