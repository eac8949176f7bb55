/**
 * The server's side of a connection in the classic editions: the client's
 * stream begins with the address of the target.
 *
 * ```text
 * salt ‖ {chunk…}      plaintext: ATYP(1) ADDR(4|16|1+n) PORT(2) ‖ payload…
 * ```
 *
 * With the bit 0x10 in ATYP a tag follows the header, and the payload comes in
 * tagged chunks: see `_ota.ts`. The address may lie in any number of chunks and
 * segments; at most 259 bytes of it and the 10 of the tag are kept.
 *
 * @module
 */

import {
  type InvalidAddress,
  parseAddress,
  type ParsedAddress,
} from "../socks5/mod.ts";
import type { ClassicPort } from "./_classic_port.ts";
import { isAuthentic, ONETIMEAUTH_BYTES, OneTimeDecoder } from "./_ota.ts";
import { type Cryptor, DECRYPT_FAILED } from "./cryptor.ts";
import type {
  RefusalReason,
  ServerAnswer,
  ServerRefusal,
  ServerStream,
  ServerStreamListener,
} from "./edition.ts";

/** How headers are read: they may announce one-time authentication. */
const ALLOW_ONE_TIME_AUTH = { allowOneTimeAuth: true } as const;

/** One connection of a server. */
export class ClassicServerStream implements ServerStream {
  readonly #port: ClassicPort;
  readonly #listener: ServerStreamListener | undefined;
  readonly #cryptor: Cryptor;
  /** Plaintext of a header that is not whole yet. */
  #header: Uint8Array | undefined;
  #decoder: OneTimeDecoder | undefined;
  #answered = false;
  #isRefused = false;

  /**
   * Makes the state of one connection.
   *
   * @param port What it shares with others.
   * @param listener Told of chunks that were dropped.
   */
  constructor(port: ClassicPort, listener?: ServerStreamListener) {
    this.#port = port;
    this.#listener = listener;
    this.#cryptor = port.suite.newCryptor(port.server.fresh);
  }

  /** Bytes of its input that the last call has used. */
  get consumed(): number {
    return this.#cryptor.consumed;
  }

  /** Whether received bytes were wrong: nothing more will come out. */
  get failed(): boolean {
    return this.#isRefused || this.#cryptor.failed;
  }

  /** Whether the salt of the answer has still to be sent. */
  get headPending(): boolean {
    return !this.#answered && this.#port.suite.method.saltLength > 0;
  }

  /**
   * Tells whether the end of what the peer sends would be a clean one now.
   *
   * @param leftover Bytes that the caller keeps for the next `decode`.
   */
  atBoundary(leftover: number): boolean {
    return !this.#isRefused && this.#cryptor.atBoundary(leftover) &&
      this.#decoder?.atBoundary !== false;
  }

  /**
   * Takes bytes until the header is whole and authentic.
   *
   * @param data Bytes that came and were not consumed yet.
   * @param output Room for what is decoded.
   * @returns What they are.
   */
  receive(data: Uint8Array, output: Uint8Array): ServerAnswer {
    if (this.#isRefused) return this.#refuseKey();
    const cryptor = this.#cryptor;
    const length = cryptor.decrypt(data, output);
    if (length === DECRYPT_FAILED) return this.#refuseKey();
    const { consumed } = cryptor;
    if (length === 0) return { kind: "more", consumed };
    const bytes = this.#withHeader(output.subarray(0, length));
    const address = parseAddress(bytes, ALLOW_ONE_TIME_AUTH);
    switch (address.status) {
      case "need-more":
        return this.#awaitMore(bytes);
      case "invalid":
        return this.#refuseAddress(address);
      // What came before a wrong chunk counts; the next `decode` refuses that.
      case "ok":
        return address.oneTimeAuth
          ? this.#onTagged(bytes, address)
          : this.#onPlain(bytes, address);
    }
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
    if (this.#isRefused) return DECRYPT_FAILED;
    const decoder = this.#decoder;
    if (decoder === undefined) {
      return this.#cryptor.decrypt(input, output, length);
    }
    const tagged = this.#port.buffer.room(length);
    const count = this.#cryptor.decrypt(input, tagged, length);
    if (count <= 0) return count;
    if (count + decoder.kept > output.length) {
      this.#isRefused = true;
      return DECRYPT_FAILED;
    }
    return decoder.apply(tagged.subarray(0, count), output);
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
    const cryptor = this.#cryptor;
    if (this.#answered) return cryptor.encrypt(input, output, length);
    this.#answered = true;
    // It must not come back as a request.
    this.#port.server.streams.addOwn(cryptor.salt!);
    const count = cryptor.encrypt(input, output, length);
    cryptor.forgetSalts();
    return count;
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
    this.#header = undefined;
    this.#cryptor[Symbol.dispose]();
  }

  #onPlain(bytes: Uint8Array, address: ParsedAddress): ServerAnswer {
    if (this.#port.oneTimeAuth) {
      return this.#refuse("auth_failed", "one time auth is required");
    }
    const payload = bytes.subarray(address.length);
    return this.#onAuthentic({ bytes, address, payload });
  }

  #onTagged(bytes: Uint8Array, address: ParsedAddress): ServerAnswer {
    const { length } = address;
    const end = length + ONETIMEAUTH_BYTES;
    if (bytes.length < end) return this.#awaitMore(bytes);
    const { buffer, suite: { masterKey } } = this.#port;
    const iv = this.#cryptor.peerSalt!;
    const tag = bytes.subarray(length, end);
    if (!isAuthentic(bytes.subarray(0, length), tag, { iv, masterKey })) {
      return this.#refuse("auth_failed", "one time auth failed");
    }
    const decoder = new OneTimeDecoder({
      iv,
      onDrop: () => this.#listener?.onChunkDropped(),
    });
    this.#decoder = decoder;
    const tagged = bytes.subarray(end);
    const room = buffer.room(tagged.length);
    const payload = room.subarray(0, decoder.apply(tagged, room));
    return this.#onAuthentic({ bytes, address, payload });
  }

  /** Now that the client is authentic, its salt counts. */
  #onAuthentic(request: {
    readonly bytes: Uint8Array;
    readonly address: ParsedAddress;
    readonly payload: Uint8Array;
  }): ServerAnswer {
    const cryptor = this.#cryptor;
    if (!this.#port.server.streams.add(cryptor.peerSalt!)) {
      return this.#refuse("replay", "replay");
    }
    this.#header = undefined;
    cryptor.forgetSalts();
    const { consumed } = cryptor;
    const { user } = this.#port;
    const { bytes, address, payload } = request;
    return { kind: "request", consumed, user, address, bytes, payload };
  }

  #awaitMore(plain: Uint8Array): ServerAnswer {
    if (this.#cryptor.failed) return this.#refuseKey();
    this.#header = plain.slice();
    return { kind: "more", consumed: this.#cryptor.consumed };
  }

  #refuseKey(): ServerAnswer {
    return this.#refuse("auth_failed", "authentication error");
  }

  /** With a stream cipher this is the one sign of a wrong password. */
  #refuseAddress({ reason, type }: InvalidAddress): ServerAnswer {
    this.#isRefused = true;
    this.#header = undefined;
    const isProven = this.#port.suite.method.kind === "aead";
    return {
      kind: "refuse",
      status: isProven ? "error" : "auth_failed",
      reason: reason === "address-type"
        ? "invalid address type"
        : "invalid address",
      addressType: type,
    };
  }

  #refuse(status: ServerRefusal, reason: RefusalReason): ServerAnswer {
    this.#isRefused = true;
    this.#header = undefined;
    return { kind: "refuse", status, reason };
  }

  #withHeader(plain: Uint8Array): Uint8Array {
    const header = this.#header;
    if (header === undefined) return plain;
    const joined = new Uint8Array(header.length + plain.length);
    joined.set(header);
    joined.set(plain, header.length);
    return joined;
  }
}
