/**
 * What the connections and packets of one key share in the classic editions.
 *
 * @module
 */

import { WorkBuffer } from "./_work_buffer.ts";
import { SaltFilter } from "./salt_filter.ts";
import type { CipherSuite } from "./suite.ts";

/** Which part of a packet the suite is to seal or open. */
export interface PacketRange {
  /** Where it begins. */
  start: number;
  /** Where it ends. */
  end: number;
  /** Where what is opened goes. */
  at: number;
}

/** Cipher, options and memory of one key. */
export class ClassicPort {
  /** Method, key and cipher. */
  readonly suite: CipherSuite;
  /** Client: send one-time authentication; server: require it. */
  readonly oneTimeAuth: boolean;
  /** Salts of connections, of both directions. */
  readonly streamSalts: SaltFilter = new SaltFilter();
  /** Server: salts of packets, of both directions. */
  readonly packetSalts: SaltFilter = new SaltFilter();
  /**
   * Client: the same, of the last packets only. A packet that comes twice does
   * an application no harm, which expects that of UDP; what was sent must not
   * come back as an answer while its target may still be waited for. 4,096
   * take 128 KiB, and do not fall out of the processor's cache.
   */
  readonly clientPacketSalts: SaltFilter = new SaltFilter({ capacity: 4096 });
  /** Told to the suite for each packet: one object, used again. */
  readonly part: PacketRange = { start: 0, end: 0, at: 0 };
  /** For the duration of one call. */
  readonly buffer: WorkBuffer = new WorkBuffer();

  /**
   * Makes what a key's connections share.
   *
   * @param suite Method, key and cipher.
   * @param oneTimeAuth Client: send it; server: require it.
   */
  constructor(suite: CipherSuite, oneTimeAuth: boolean) {
    this.suite = suite;
    this.oneTimeAuth = oneTimeAuth;
  }

  /**
   * Makes an end behind it no clean one: a byte of a chunk's sealed length, as
   * random as that is.
   *
   * @param output Takes it.
   * @returns How many bytes: 0 with a stream cipher, which has no chunks.
   */
  cut(output: Uint8Array): number {
    if (this.suite.method.kind !== "aead") return 0;
    crypto.getRandomValues(output.subarray(0, 1));
    return 1;
  }
}
