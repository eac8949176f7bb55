/**
 * What a relay does with a codec, and checks of the codec's contract on the
 * way.
 *
 * @module
 */

import { CARRY_SIZE } from "../../relay/constants.ts";
import { CODEC_FAILED, DECODE_ROOM } from "../../relay/mod.ts";
import type { ServerAnswer, ServerStream } from "../../shadowsocks/mod.ts";
import type { SideCodec } from "../../shadowsocks/mod.ts";
import { concat } from "../support/mod.ts";
import { promise } from "./_target.ts";

/** Longest input of one call. */
const LONGEST = 1 << 20;
/** Where bytes are read to. Behind the input stand bytes of others. */
const INPUT = new Uint8Array(LONGEST);
const OUTPUT = new Uint8Array(LONGEST + DECODE_ROOM);

/** Decodes pieces; what is left over goes in front of the next one. */
export class Reader {
  readonly #codec: SideCodec;
  readonly #parts: Uint8Array[] = [];
  #carried: Uint8Array = new Uint8Array(0);

  /** @param codec One side. */
  constructor(codec: SideCodec) {
    this.#codec = codec;
  }

  /** What has come out. */
  get payload(): Uint8Array {
    return concat(...this.#parts);
  }

  /** Whether an end would be a clean one now. */
  get atBoundary(): boolean {
    return this.#codec.atBoundary(this.#carried.length);
  }

  /** Takes what is payload already. */
  add(payload: Uint8Array): void {
    this.#parts.push(payload.slice());
  }

  /** Takes the next bytes. */
  feed(piece: Uint8Array): void {
    const codec = this.#codec;
    if (codec.failed) return;
    const length = this.#carried.length + piece.length;
    if (length === 0) return;
    INPUT.set(this.#carried);
    INPUT.set(piece, this.#carried.length);
    const output = OUTPUT.subarray(0, length + DECODE_ROOM);
    const count = codec.decode(INPUT, output, length);
    const { consumed } = codec;
    promise(
      count >= CODEC_FAILED && count <= output.length,
      "decode() says how much it has made",
    );
    promise(
      count !== CODEC_FAILED || codec.failed,
      "a codec that says so has failed",
    );
    if (count > 0) this.#parts.push(output.slice(0, count));
    if (codec.failed) return;
    promise(
      consumed >= 0 && consumed <= length,
      "decode() uses what it was given, and no more",
    );
    this.#carried = INPUT.slice(consumed, length);
    promise(this.#carried.length <= CARRY_SIZE, "what is carried is limited");
  }
}

/** A server's connection: the handshake, then a {@linkcode Reader}. */
export class Server {
  /** The last answer. */
  answer: ServerAnswer = { kind: "more", consumed: 0 };
  /** The name that is asked for; "" if it is an address. */
  domain = "";
  /** The port that is asked for. */
  port = 0;
  readonly #stream: ServerStream;
  readonly #reader: Reader;
  #carried: Uint8Array = new Uint8Array(0);

  /** @param stream Its side. */
  constructor(stream: ServerStream) {
    this.#stream = stream;
    this.#reader = new Reader(stream);
  }

  /** What has come out. */
  get payload(): Uint8Array {
    return this.#reader.payload;
  }

  /** Takes the next bytes. */
  feed(piece: Uint8Array): void {
    if (this.answer.kind === "request") return this.#reader.feed(piece);
    if (this.answer.kind === "refuse") return;
    const length = this.#carried.length + piece.length;
    INPUT.set(this.#carried);
    INPUT.set(piece, this.#carried.length);
    const answer = this.#stream.receive(
      INPUT.subarray(0, length),
      OUTPUT.subarray(0, length + DECODE_ROOM),
    );
    this.answer = answer;
    if (answer.kind === "refuse") return;
    promise(
      answer.consumed >= 0 && answer.consumed <= length,
      "receive() uses what it was given, and no more",
    );
    if (answer.kind === "request") {
      this.domain = answer.address.domain;
      this.port = answer.address.port;
      this.#reader.add(answer.payload);
    }
    const rest = INPUT.slice(answer.consumed, length);
    if (answer.kind === "more") {
      promise(rest.length <= CARRY_SIZE, "what is carried is limited");
      this.#carried = rest;
    } else this.#reader.feed(rest);
  }
}

/** Encodes payload with the room that the contract promises. */
export function encoded(codec: SideCodec, payload: Uint8Array): Uint8Array {
  const { length } = payload;
  const room = length + (length >> 3) + 8192;
  const output = OUTPUT.subarray(0, room);
  const count = codec.encode(payload, output, length);
  promise(count >= 0 && count <= room, "encode() keeps to its room");
  return output.slice(0, count);
}
