/**
 * The client's side of a connection in the 2022 edition (SIP022, section 3.1;
 * SIP023).
 *
 * @module
 */

import { addressLength, type Endpoint, writeAddress } from "../socks5/mod.ts";
import { ChunkDecoder, ChunkEncoder } from "./_aead_chunks.ts";
import {
  ANSWER,
  answerHeaderLength,
  FIXED_LENGTH,
  MAX_PADDING,
  REQUEST,
  TYPE_LENGTH,
} from "./_sip022_head.ts";
import { identitySubkey, PSK_HASH_LENGTH } from "./_sip022_keys.ts";
import { MAX_CHUNK_LENGTH, type Sip022Port } from "./_sip022_port.ts";
import { MAX_SKEW, skewOf, TIME_LENGTH, writeTime } from "./_sip022_time.ts";
import { type ClientStream, DECRYPT_FAILED } from "./edition.ts";

/** One connection of a client. */
export class Sip022ClientStream implements ClientStream {
  consumed = 0;
  skew: number | undefined;
  readonly #port: Sip022Port;
  /** The address header until it is sent. */
  #head: Uint8Array | undefined;
  /** That of the request, until it is answered. */
  #salt: Uint8Array | undefined;
  #encoder: ChunkEncoder | undefined;
  /** Made with the first bytes of the answer. */
  #decoder: ChunkDecoder | undefined;
  #failed = false;

  /**
   * Makes the codec of one connection.
   *
   * @param port What it shares with others.
   * @param target What is asked for.
   * @throws {RangeError} If the target cannot be written as an address header.
   */
  constructor(port: Sip022Port, target: Endpoint) {
    this.#port = port;
    const head = new Uint8Array(addressLength(target));
    writeAddress(head, 0, target);
    this.#head = head;
  }

  /** Whether received bytes were wrong: nothing more will come out. */
  get failed(): boolean {
    return this.#failed || this.#decoder?.failed === true;
  }

  /** Whether the request has still to be sent. */
  get headPending(): boolean {
    return this.#head !== undefined;
  }

  /**
   * Tells whether the end of what the peer sends would be a clean one now.
   *
   * @param leftover Bytes that the caller keeps for the next `decode`.
   */
  atBoundary(leftover: number): boolean {
    return leftover === 0 && !this.#failed &&
      this.#decoder?.betweenFrames === true;
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
    this.consumed = 0;
    if (this.#failed) return DECRYPT_FAILED;
    const decoder = this.#decoder;
    if (decoder === undefined) return this.#decodeFirst(input, output, length);
    const count = decoder.decrypt(input, output, length);
    this.consumed = decoder.consumed;
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
    const encoder = this.#encoder;
    return encoder === undefined
      ? this.#encodeFirst(input, output, length)
      : encoder.encrypt(input, output, length);
  }

  /**
   * Makes an end behind it no clean one: a byte of a chunk's sealed length, as
   * random as that is.
   *
   * @param output Takes it.
   * @returns How many bytes.
   */
  cut(output: Uint8Array): number {
    crypto.getRandomValues(output.subarray(0, 1));
    return 1;
  }

  /** Wipes the session keys. */
  [Symbol.dispose](): void {
    this.#failed = true;
    this.#encoder?.[Symbol.dispose]();
    this.#decoder?.[Symbol.dispose]();
  }

  /** Salt, identity headers, both headers and payload, in one go. */
  #encodeFirst(
    input: Uint8Array,
    output: Uint8Array,
    length: number,
  ): number {
    const head = this.#head!;
    this.#head = undefined;
    const port = this.#port;
    const { tagLength, saltLength } = port.method;
    const salt = this.#salt = port.salts.draw();
    const encoder = this.#encoder = new ChunkEncoder(
      port.chunks,
      port.sessionKey(port.psk, salt),
    );
    output.set(salt);
    let at = saltLength + writeIdentities(port, salt, output, saltLength);

    const padding = length === 0 ? 1 + port.randomBelow(MAX_PADDING) : 0;
    const paddingAt = head.length;
    const payloadAt = paddingAt + 2 + padding;
    const first = Math.min(length, MAX_CHUNK_LENGTH - payloadAt);
    const variable = payloadAt + first;
    const plain = port.buffer.room(FIXED_LENGTH + variable);
    plain[0] = REQUEST;
    writeTime(plain, TYPE_LENGTH, port.clock);
    plain[FIXED_LENGTH - 2] = variable >>> 8;
    plain[FIXED_LENGTH - 1] = variable;
    encoder.seal(plain, 0, FIXED_LENGTH, output, at);
    at += FIXED_LENGTH + tagLength;

    plain.set(head);
    plain[paddingAt] = padding >>> 8;
    plain[paddingAt + 1] = padding;
    plain.fill(0, paddingAt + 2, payloadAt);
    plain.set(input.subarray(0, first), payloadAt);
    encoder.seal(plain, 0, variable, output, at);
    at += variable + tagLength;
    return encoder.encryptFrom(input, first, length, output, at);
  }

  #decodeFirst(
    input: Uint8Array,
    output: Uint8Array,
    length: number,
  ): number {
    const port = this.#port;
    const salt = this.#salt;
    const { saltLength, tagLength } = port.method;
    const headerLength = answerHeaderLength(saltLength);
    // Bytes before the request was sent are no answer to it.
    if (salt === undefined) return length === 0 ? 0 : this.#fail();
    const headerEnd = saltLength + headerLength + tagLength;
    if (length < headerEnd) return 0;
    const theirs = input.subarray(0, saltLength);
    const key = port.sessionKey(port.psk, theirs);
    const decoder = this.#decoder = new ChunkDecoder(port.chunks, key);
    const plain = port.buffer.room(headerLength);
    decoder.consumed = saltLength;
    if (!decoder.open(input, headerLength, plain, 0)) {
      return DECRYPT_FAILED;
    }
    if (plain[0] !== ANSWER) return this.#fail();
    const skew = skewOf(plain, TYPE_LENGTH, port.clock);
    if (Math.abs(skew) > MAX_SKEW) {
      this.skew = skew;
      return this.#fail();
    }
    const saltAt = TYPE_LENGTH + TIME_LENGTH;
    for (let i = 0; i < saltLength; i++) {
      if (plain[saltAt + i] !== salt[i]) return this.#fail();
    }
    if (!port.clientSalts.add(theirs)) return this.#fail();
    this.#salt = undefined;
    const lengthAt = headerLength - 2;
    decoder.expect(plain[lengthAt]! << 8 | plain[lengthAt + 1]!);
    const count = decoder.decryptFrom(headerEnd, input, output, length);
    this.consumed = decoder.consumed;
    return count;
  }

  #fail(): number {
    this.#failed = true;
    return DECRYPT_FAILED;
  }
}

/** @returns Bytes written: one AES block for each server on the way. */
function writeIdentities(
  port: Sip022Port,
  salt: Uint8Array,
  output: Uint8Array,
  start: number,
): number {
  const { hashes, setup: { keys, blocks } } = port;
  if (hashes.length === 0 || blocks === undefined) return 0;
  for (const [i, hash] of hashes.entries()) {
    const subkey = identitySubkey(keys[i]!, salt);
    using key = blocks.importKey(subkey);
    subkey.fill(0);
    key.encrypt(hash, 0, output, start + i * PSK_HASH_LENGTH);
  }
  return hashes.length * PSK_HASH_LENGTH;
}
