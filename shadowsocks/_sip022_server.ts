/**
 * The server's side of a connection in the 2022 edition (SIP022, section 3.1;
 * SIP023).
 *
 * @module
 */

import { parseAddress } from "../socks5/mod.ts";
import { ChunkDecoder, ChunkEncoder } from "./_aead_chunks.ts";
import {
  ANSWER,
  answerHeaderLength,
  FIXED_LENGTH,
  REQUEST,
  TYPE_LENGTH,
} from "./_sip022_head.ts";
import { identitySubkey, PSK_HASH_LENGTH } from "./_sip022_keys.ts";
import { SEND_CHUNK_LENGTH, type Sip022Port } from "./_sip022_port.ts";
import { MAX_SKEW, skewOf, TIME_LENGTH, writeTime } from "./_sip022_time.ts";
import type { Sip022User } from "./_sip022_users.ts";
import {
  DECRYPT_FAILED,
  type RefusalReason,
  type ServerAnswer,
  type ServerRefusal,
  type ServerStream,
} from "./edition.ts";

/** Nothing came. */
const NOTHING: ServerAnswer = Object.freeze({ kind: "more", consumed: 0 });

/** One connection of a server. */
export class Sip022ServerStream implements ServerStream {
  consumed = 0;
  readonly #port: Sip022Port;
  /** Of the request, until it is answered. */
  #salt: Uint8Array | undefined;
  /** Whose key the connection has. */
  #user: Sip022User | undefined;
  #encoder: ChunkEncoder | undefined;
  /** Made with the first bytes. */
  #decoder: ChunkDecoder | undefined;
  /** Bytes of the variable header that is awaited. */
  #variable = 0;
  #isRefused = false;

  /**
   * Makes the state of one connection.
   *
   * @param port What it shares with others.
   */
  constructor(port: Sip022Port) {
    this.#port = port;
  }

  /** Whether received bytes were wrong: nothing more will come out. */
  get failed(): boolean {
    return this.#isRefused || this.#decoder?.failed === true;
  }

  /** Whether the head of the answer has still to be sent. */
  get headPending(): boolean {
    return this.#encoder === undefined;
  }

  /**
   * Tells whether the end of what the peer sends would be a clean one now.
   *
   * @param leftover Bytes that the caller keeps for the next `decode`.
   */
  atBoundary(leftover: number): boolean {
    return leftover === 0 && !this.#isRefused && this.#variable === 0 &&
      this.#decoder?.betweenFrames === true;
  }

  /**
   * Takes bytes until the header is whole and authentic. The first that come
   * must hold the salt and the fixed header: a client sends them in one piece,
   * and whoever sends one byte after the other shall not learn how many are
   * read.
   *
   * @param data Bytes that came and were not consumed yet.
   * @param output Room for what is decoded.
   * @returns What they are.
   */
  receive(data: Uint8Array, output: Uint8Array): ServerAnswer {
    if (this.#isRefused) return this.#refuseKey();
    if (data.length === 0) return NOTHING;
    if (this.#decoder !== undefined) return this.#onVariable(data, output, 0);
    const port = this.#port;
    const { saltLength, tagLength } = port.method;
    const headAt = saltLength +
      (port.users === undefined ? 0 : PSK_HASH_LENGTH);
    const end = headAt + FIXED_LENGTH + tagLength;
    if (data.length < end) return this.#refuse("auth_failed", "too short");
    const salt = data.slice(0, saltLength);
    const user = this.#user = findUser(port, data, salt);
    if (user === undefined) return this.#refuseKey();
    if (user.next !== undefined) return this.#passOn(data, user, user.next);
    const key = port.sessionKey(user.key, salt);
    const decoder = this.#decoder = new ChunkDecoder(port.chunks, key);
    decoder.consumed = headAt;
    const plain = port.buffer.room(FIXED_LENGTH);
    if (!decoder.open(data, FIXED_LENGTH, plain, 0)) {
      return this.#refuseKey();
    }
    if (plain[0] !== REQUEST) {
      return this.#refuse("auth_failed", "invalid header");
    }
    const skew = skewOf(plain, TYPE_LENGTH, port.clock);
    if (Math.abs(skew) > MAX_SKEW) {
      return this.#refuse("skew", "clock skew", skew);
    }
    // A part of a replay is refused as the whole is. But a salt counts once the
    // variable header is genuine too: whoever holds a flight back and sends a
    // part of it first shall not lock its client out.
    if (port.serverSalts.has(salt)) return this.#refuse("replay", "replay");
    this.#salt = salt;
    this.#variable = plain[FIXED_LENGTH - 2]! << 8 | plain[FIXED_LENGTH - 1]!;
    return this.#onVariable(data, output, end);
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
    const decoder = this.#decoder;
    if (this.#isRefused || decoder === undefined) return DECRYPT_FAILED;
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
    this.#isRefused = true;
    this.#encoder?.[Symbol.dispose]();
    this.#decoder?.[Symbol.dispose]();
  }

  /**
   * Takes the identity header away, which has shown that the client knows this
   * server. The rest is for the one behind it, whose answer is no longer ours.
   */
  #passOn(
    data: Uint8Array,
    { name: user }: Sip022User,
    next: Uint8Array,
  ): ServerAnswer {
    const port = this.#port;
    const { saltLength } = port.method;
    const salt = data.subarray(0, saltLength);
    if (!port.passedSalts.addName(salt)) {
      return this.#refuse("replay", "replay");
    }
    const start = next.length;
    const end = start + data.length - PSK_HASH_LENGTH;
    const bytes = port.buffer.room(end);
    bytes.set(next);
    const address = parseAddress(bytes, { end: start });
    if (address.status !== "ok") {
      return this.#refuse("error", "invalid address");
    }
    bytes.set(salt, start);
    bytes.set(data.subarray(saltLength + PSK_HASH_LENGTH), start + saltLength);
    const payload = bytes.subarray(start, end);
    const consumed = data.length;
    return {
      kind: "request",
      consumed,
      user,
      address,
      bytes,
      payload,
      passes: true,
    };
  }

  /** The variable header begins at `start` of the data. */
  #onVariable(
    data: Uint8Array,
    output: Uint8Array,
    start: number,
  ): ServerAnswer {
    const length = this.#variable;
    const end = start + length + this.#port.method.tagLength;
    if (data.length < end) return { kind: "more", consumed: start };
    const decoder = this.#decoder!;
    decoder.consumed = start;
    const isGenuine = decoder.open(data, length, output, 0);
    this.#variable = 0;
    if (!isGenuine) return this.#refuseKey();
    if (!this.#port.serverSalts.add(this.#salt!)) {
      return this.#refuse("replay", "replay");
    }
    return this.#onHeader(output.subarray(0, length), end);
  }

  /** All of the header stands in the one chunk. */
  #onHeader(bytes: Uint8Array, consumed: number): ServerAnswer {
    const address = parseAddress(bytes);
    if (address.status === "need-more") {
      return this.#refuse("error", "invalid header");
    }
    if (address.status === "invalid") {
      this.#isRefused = true;
      const isType = address.reason === "address-type";
      return {
        kind: "refuse",
        status: "error",
        reason: isType ? "invalid address type" : "invalid address",
        addressType: address.type,
      };
    }
    const at = address.length;
    if (bytes.length < at + 2) return this.#refuse("error", "invalid header");
    const padding = bytes[at]! << 8 | bytes[at + 1]!;
    const payloadAt = at + 2 + padding;
    // Beyond the chunk, or neither padding nor payload.
    if (payloadAt > bytes.length || bytes.length === at + 2) {
      return this.#refuse("error", "invalid header");
    }
    const payload = bytes.subarray(payloadAt);
    const { name: user } = this.#user!;
    return { kind: "request", consumed, user, address, bytes, payload };
  }

  /** Salt, header and payload; an empty answer has an empty chunk. */
  #encodeFirst(
    input: Uint8Array,
    output: Uint8Array,
    length: number,
  ): number {
    const port = this.#port;
    const { tagLength, saltLength } = port.method;
    const headerLength = answerHeaderLength(saltLength);
    const salt = port.salts.draw();
    const key = port.sessionKey(this.#user!.key, salt);
    const encoder = this.#encoder = new ChunkEncoder(port.chunks, key);
    output.set(salt);
    let at = saltLength;
    const first = Math.min(length, SEND_CHUNK_LENGTH);
    const plain = port.buffer.room(headerLength);
    plain[0] = ANSWER;
    writeTime(plain, TYPE_LENGTH, port.clock);
    plain.set(this.#salt!, TYPE_LENGTH + TIME_LENGTH);
    plain[headerLength - 2] = first >>> 8;
    plain[headerLength - 1] = first;
    this.#salt = undefined;
    encoder.seal(plain, 0, headerLength, output, at);
    at += headerLength + tagLength;
    encoder.seal(input, 0, first, output, at);
    at += first + tagLength;
    return encoder.encryptFrom(input, first, length, output, at);
  }

  #refuseKey(): ServerAnswer {
    return this.#refuse("auth_failed", "authentication error");
  }

  #refuse(
    status: ServerRefusal,
    reason: RefusalReason,
    skew?: number,
  ): ServerAnswer {
    this.#isRefused = true;
    const refused = { kind: "refuse", status, reason } as const;
    return skew === undefined ? refused : { ...refused, skew };
  }
}

/** Whose request it is; undefined: the identity header names nobody. */
function findUser(
  port: Sip022Port,
  data: Uint8Array,
  salt: Uint8Array,
): Sip022User | undefined {
  const { users, psk, nobody, identity, setup: { blocks } } = port;
  if (users === undefined || blocks === undefined) return nobody;
  const subkey = identitySubkey(psk, salt);
  using key = blocks.importKey(subkey);
  subkey.fill(0);
  key.decrypt(data, salt.length, identity, 0);
  return users.find(identity);
}
