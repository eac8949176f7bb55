/**
 * The client's side of a connection in the classic editions: the address
 * header stands in front of the payload, and nothing else does.
 *
 * @module
 */

import { addressLength, type Endpoint, writeAddress } from "../socks5/mod.ts";
import type { ClassicPort } from "./_classic_port.ts";
import { OneTimeEncoder } from "./_ota.ts";
import { type Cryptor, DECRYPT_FAILED } from "./cryptor.ts";
import type { ClientStream } from "./edition.ts";

/**
 * One-time authentication adds at most 12 bytes for each begun 16,371, and 10
 * after the header: an eighth and 64 are more than enough.
 */
const TAGS_SHIFT = 3;
const TAGS_ROOM = 64;

/** One connection of a client. */
export class ClassicClientStream implements ClientStream {
  readonly #port: ClassicPort;
  readonly #cryptor: Cryptor;
  /** The address header until it is sent. */
  #head: Uint8Array | undefined;
  #encoder: OneTimeEncoder | undefined;
  /** The first payload of the answer has come, so its salt was looked at. */
  #answered = false;
  #isReplay = false;

  /**
   * Makes the codec of one connection.
   *
   * @param port What it shares with others.
   * @param target What is asked for.
   * @throws {RangeError} If the target cannot be written as an address header.
   */
  constructor(port: ClassicPort, target: Endpoint) {
    this.#port = port;
    const head = new Uint8Array(addressLength(target));
    writeAddress(head, 0, target);
    this.#head = head;
    this.#cryptor = port.suite.newCryptor(port.client.fresh);
  }

  /** Bytes of its input that the last call has used. */
  get consumed(): number {
    return this.#cryptor.consumed;
  }

  /** Whether received bytes were wrong: nothing more will come out. */
  get failed(): boolean {
    return this.#isReplay || this.#cryptor.failed;
  }

  /** Whether the address header has still to be sent. */
  get headPending(): boolean {
    return this.#head !== undefined;
  }

  /**
   * Tells whether the end of what the peer sends would be a clean one now.
   *
   * @param leftover Bytes that the caller keeps for the next `decode`.
   */
  atBoundary(leftover: number): boolean {
    return !this.#isReplay && this.#cryptor.atBoundary(leftover);
  }

  /**
   * Turns received bytes into payload; see `SideCodec.decode`.
   *
   * @param input Received bytes, at the start of a buffer.
   * @param output Takes the payload.
   * @param length How many bytes of `input`.
   * @returns Bytes of payload, or {@linkcode DECRYPT_FAILED}.
   */
  decode(input: Uint8Array, output: Uint8Array, length: number): number {
    if (this.#isReplay) return DECRYPT_FAILED;
    const count = this.#cryptor.decrypt(input, output, length);
    if (count <= 0 || this.#answered) return count;
    this.#answered = true;
    // An answer under a salt that was seen before is none: an old one again,
    // or our own words sent back.
    if (!this.#port.client.streams.add(this.#cryptor.peerSalt!)) {
      this.#isReplay = true;
      return DECRYPT_FAILED;
    }
    this.#cryptor.forgetSalts();
    return count;
  }

  /**
   * Turns payload into bytes for the peer; see `SideCodec.encode`.
   *
   * @param input The payload, at the start of a buffer.
   * @param output Takes the bytes.
   * @param length How many bytes of payload.
   * @returns How many bytes for the peer.
   */
  encode(input: Uint8Array, output: Uint8Array, length: number): number {
    if (this.#head !== undefined) {
      return this.#encodeFirst(this.#head, output, input.subarray(0, length));
    }
    const encoder = this.#encoder;
    if (encoder === undefined) {
      return this.#cryptor.encrypt(input, output, length);
    }
    return this.#encodeTagged(encoder, input.subarray(0, length), output);
  }

  /**
   * Makes an end behind it no clean one; see `SideCodec.cut`.
   *
   * @param output Takes the bytes.
   * @returns How many.
   */
  cut(output: Uint8Array): number {
    return this.#port.cut(output);
  }

  /** Wipes the session keys and frees native memory. */
  [Symbol.dispose](): void {
    this.#cryptor[Symbol.dispose]();
  }

  /** Header and payload go into one chunk, for which they must lie together. */
  #encodeFirst(
    head: Uint8Array,
    output: Uint8Array,
    payload: Uint8Array,
  ): number {
    this.#head = undefined;
    const { suite, client, oneTimeAuth, buffer } = this.#port;
    const iv = this.#cryptor.salt!;
    client.streams.addOwn(iv);
    const length = head.length + payload.length;
    const joined = oneTimeAuth ? new Uint8Array(length) : buffer.room(length);
    joined.set(head);
    joined.set(payload, head.length);
    let count: number;
    if (oneTimeAuth) {
      const { masterKey, method: { kind } } = suite;
      const headerLength = head.length;
      const key = { iv, masterKey, headerLength, kind };
      const encoder = this.#encoder = new OneTimeEncoder(key);
      count = this.#encodeTagged(encoder, joined, output);
    } else {
      count = this.#cryptor.encrypt(joined, output, length);
    }
    if (this.#answered) this.#cryptor.forgetSalts();
    return count;
  }

  #encodeTagged(
    encoder: OneTimeEncoder,
    data: Uint8Array,
    output: Uint8Array,
  ): number {
    const { length } = data;
    const room = length + (length >> TAGS_SHIFT) + TAGS_ROOM;
    const tagged = this.#port.buffer.room(room);
    return this.#cryptor.encrypt(tagged, output, encoder.apply(data, tagged));
  }
}
