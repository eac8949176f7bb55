/**
 * For tests of the HTTP proxy: plays the relay's handler over strings, without
 * sockets. One character is one byte.
 *
 * @module
 */

import { SocketAddress } from "../loop/mod.ts";
import {
  DECODE_ROOM,
  encodeRoom,
  type Failure,
  type InboundStream,
  type Session,
  Sessions,
} from "../relay/mod.ts";
import {
  HttpInbound,
  type HttpInboundOptions,
  type HttpStream,
} from "./http.ts";
import { bytesOf, stringOf } from "../tests/support/bytes.ts";

/** A relay's buffer. */
const BUFFER_SIZE = 640 * 1024;
/** All handlers share it, as those of a loop do. */
const OUTPUT = new Uint8Array(BUFFER_SIZE);
/** Written over every buffer after its use, so that no view outlives a call. */
const POISON = 0xee;

/** A session of an HTTP listener. */
export function newSession(): Session {
  return new Sessions().open({
    listener: { protocol: "http", port: 0 },
    network: "tcp",
    client: SocketAddress.parse("127.0.0.1", 40_000),
  }, 0);
}

/** One connection to an origin. */
export interface Origin {
  /** `host:port`. */
  readonly target: string;
  /** Whose session it is. */
  readonly user: string;
  /** All bytes it was sent. */
  received: string;
}

/** Options of {@linkcode FakeHandler}. */
export interface FakeHandlerOptions extends HttpInboundOptions {
  /** Why targets are not reached; absent: they are. */
  readonly failure?: Failure;
  /** Buffers no longer than the codec's contract says. Default false. */
  readonly isTight?: boolean;
}

/** Plays the handler of one connection. */
export class FakeHandler {
  /** What the client was sent. */
  sent = "";
  /** Every origin that was connected to, in order. */
  readonly origins: Origin[] = [];
  /** `close`, `reset` or `drain` once the connection is over. */
  ending = "";
  /** The status of its end. */
  status = "";
  /** Bytes of the client that wait. */
  waiting = "";
  readonly stream: HttpStream;
  readonly #inbound: HttpInbound;
  readonly #options: FakeHandlerOptions;
  #session: Session = newSession();
  #isOpen = false;

  /** Accepts a connection. */
  constructor(options: FakeHandlerOptions = {}) {
    this.#options = options;
    this.#inbound = new HttpInbound(options);
    this.stream = this.#inbound.accept(this.#session);
    this.#pump();
  }

  /** The origin that is connected now. */
  get origin(): Origin | undefined {
    return this.#isOpen ? this.origins.at(-1) : undefined;
  }

  /** Takes what was sent to the client since the last call. */
  takeSent(): string {
    const { sent } = this;
    this.sent = "";
    return sent;
  }

  /** The client sends. */
  client(text: string): void {
    if (this.ending !== "") return;
    this.waiting += text;
    this.#pump();
  }

  /** The origin that is connected now sends. */
  answer(text: string): void {
    const { codec } = this.stream;
    if (this.ending !== "" || !this.#isOpen) return;
    if (codec === undefined) {
      this.sent += text;
      return;
    }
    this.#encode(text);
    while (codec.headPending) this.#encode("");
    if (codec.failed) this.#onCodecFailed();
    else this.#pump();
  }

  /** The origin that is connected now closes. */
  answerEnd(): void {
    const end = this.stream.onTargetEnd();
    if (end === "next") {
      this.#nextSession();
      this.#pump();
    } else if (end === "pass") {
      this.#pump();
      this.ending = "close";
    } else this.#end(end);
  }

  #pump(): void {
    while (this.ending === "") {
      const { codec } = this.stream;
      if (!this.#isOpen) {
        if (!this.#receive()) return;
      } else if (codec === undefined) {
        this.origins.at(-1)!.received += this.waiting;
        this.waiting = "";
        return;
      } else if (this.stream.finished) {
        if (this.stream.closes) this.#end({ status: "ok", ending: "close" });
        else this.#nextSession();
      } else if (!this.#decode()) return;
    }
  }

  /** @returns Whether to go on. */
  #receive(): boolean {
    const data = bytesOf(this.waiting);
    const answer = this.stream.receive(data, OUTPUT);
    switch (answer.kind) {
      case "more":
        this.waiting = this.waiting.slice(answer.consumed);
        if (answer.reply !== undefined) this.sent += stringOf(answer.reply);
        data.fill(POISON);
        return answer.consumed > 0 && this.waiting !== "";
      case "request": {
        this.waiting = this.waiting.slice(answer.consumed);
        const { failure } = this.#options;
        if (failure !== undefined) {
          this.#end({ ...this.stream.failed(failure), status: failure.status });
          return false;
        }
        this.#isOpen = true;
        const received = stringOf(answer.payload ?? new Uint8Array(0));
        const { user } = this.#session;
        this.origins.push({ target: `${answer.target}`, user, received });
        const reply = this.stream.connected();
        if (reply !== undefined) this.sent += stringOf(reply);
        data.fill(POISON);
        return true;
      }
      case "refuse":
        this.#end(answer);
        return false;
      default:
        throw new Error(`unexpected ${answer.kind}`);
    }
  }

  /** @returns Whether to go on. */
  #decode(): boolean {
    const codec = this.stream.codec!;
    const { length } = this.waiting;
    if (length === 0) return false;
    const data = bytesOf(this.waiting);
    const output = this.#options.isTight === true
      ? OUTPUT.subarray(0, length + DECODE_ROOM)
      : OUTPUT;
    const count = codec.decode(data, output, length);
    if (count > 0) {
      this.origins.at(-1)!.received += stringOf(output.subarray(0, count));
    }
    this.waiting = this.waiting.slice(codec.consumed);
    data.fill(POISON);
    if (codec.failed) {
      this.#onCodecFailed();
      return false;
    }
    return this.stream.finished || (codec.consumed > 0 && this.waiting !== "");
  }

  #encode(text: string): void {
    const data = bytesOf(text);
    const { length } = data;
    const output = this.#options.isTight === true
      ? OUTPUT.subarray(0, encodeRoom(length))
      : OUTPUT;
    const count = this.stream.codec!.encode(data, output, length);
    this.sent += stringOf(output.subarray(0, count));
    data.fill(POISON);
  }

  #onCodecFailed(): void {
    this.#end(this.stream.onCodecFailed());
  }

  #nextSession(): void {
    this.#isOpen = false;
    this.#session = newSession();
    const stream: InboundStream = this.stream;
    this.#inbound.next(stream, this.#session);
  }

  #end(
    end: {
      readonly reply?: Uint8Array | undefined;
      readonly status: string;
      readonly ending: string;
    },
  ): void {
    if (end.reply !== undefined) this.sent += stringOf(end.reply);
    this.status = end.status;
    this.ending = end.ending;
  }
}
