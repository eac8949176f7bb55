/**
 * The direction from an HTTP client to the origin.
 *
 * @module
 */

import {
  BodyFollower,
  ByteWriter,
  type RequestHead,
  skipLineEnds,
  writeRequestHead,
} from "../http/mod.ts";
import { CODEC_FAILED } from "../relay/mod.ts";
import type { HttpExchange } from "./_http_exchange.ts";
import type { RequestReader } from "./_http_reader.ts";

/** What a head may grow by when it is written anew: `Connection` and `Host`. */
const GROWTH = 64;

/** Finds the user of a request; undefined: it has none that is known. */
export type Authenticate = (head: RequestHead) => string | undefined;

/** What {@linkcode HttpRequests} works with. */
export interface HttpRequestsOptions {
  /** The request under way. */
  readonly exchange: HttpExchange;
  /** Collects the heads of the client. */
  readonly reader: RequestReader;
  /** Knows the users. */
  readonly authenticate: Authenticate;
}

/** Passes bodies on, and the heads of further requests for the same target. */
export class HttpRequests {
  /** How many bytes the last `decode` has used. */
  consumed = 0;
  /** Whether the framing of a body was wrong. */
  failed = false;
  /** Whether what comes next is not for the origin connection. */
  wantsNext = false;
  readonly #exchange: HttpExchange;
  readonly #reader: RequestReader;
  readonly #authenticate: Authenticate;
  readonly #body = new BodyFollower({ isLenient: false });
  readonly #writer = new ByteWriter();
  /** Whether bytes were left because the answer was not whole. */
  #isWaiting = false;

  /**
   * Begins with nothing under way.
   *
   * @param options What it works with.
   */
  constructor(options: HttpRequestsOptions) {
    this.#exchange = options.exchange;
    this.#reader = options.reader;
    this.#authenticate = options.authenticate;
  }

  /** Whether bytes wait for the answer under way. */
  get awaitsAnswer(): boolean {
    return this.#isWaiting && this.#exchange.answerOwed;
  }

  /**
   * Begins with a request whose head is passed on by the caller.
   *
   * @param head The head.
   */
  begin(head: RequestHead): void {
    this.#exchange.begin(head);
    this.#body.begin(head.bodyLength);
    this.#reader.clear();
    this.#isWaiting = this.wantsNext = false;
  }

  /**
   * Passes on what may be passed on.
   *
   * @param input Bytes of the client.
   * @param output Takes them.
   * @param length How many there are.
   * @returns How many were put into `output`, or `CODEC_FAILED`.
   */
  decode(input: Uint8Array, output: Uint8Array, length: number): number {
    const exchange = this.#exchange;
    this.#isWaiting = false;
    this.#writer.begin(output);
    let at = 0;
    while (at < length && !this.failed && !this.wantsNext) {
      if (exchange.isTunnel) {
        this.#writer.copy(input, at, length);
        at = length;
      } else if (!exchange.requestDone) {
        at = this.#onBody(input, at, length);
      } else if (
        exchange.answerOwed && (exchange.persists || exchange.upgrade)
      ) {
        if (!exchange.upgrade) at = skipLineEnds(input, at, length);
        this.#isWaiting = at < length;
        break;
      } else if (!exchange.persists) {
        // The client was told that, or has said that, nothing follows.
        at = length;
      } else if (!exchange.originPersists) break;
      else at = this.#onHead(input, at, length);
    }
    this.consumed = at;
    const count = this.#writer.end();
    return count === 0 && this.failed ? CODEC_FAILED : count;
  }

  /**
   * Tells whether the client's end would be a clean one.
   *
   * @param leftover Bytes that wait for the next `decode`.
   */
  atBoundary(leftover: number): boolean {
    const exchange = this.#exchange;
    if (exchange.isTunnel) return true;
    return exchange.requestDone && leftover === 0 && this.#reader.isEmpty;
  }

  /**
   * The client has sent its end, and bytes wait for the answer under way. The
   * origin is told: it may give up. What waits begins with another origin.
   *
   * @returns False: it was to be bytes of another protocol.
   */
  onEndAhead(): boolean {
    const exchange = this.#exchange;
    exchange.originPersists = false;
    return !exchange.upgrade;
  }

  #onBody(input: Uint8Array, start: number, end: number): number {
    const at = this.#body.follow(input, start, end);
    this.#writer.copy(input, start, at);
    this.#exchange.requestDone = this.#body.isDone;
    this.failed = this.#body.failed;
    return at;
  }

  /** @returns Where to go on; `start` if the head is for the next session. */
  #onHead(input: Uint8Array, start: number, end: number): number {
    const head = this.#reader.read(input, start, end);
    if (head === undefined) return end;
    const { next } = this.#reader;
    if (head.kind === "fault" || !this.#fits(head, end - next)) {
      this.wantsNext = true;
      return start;
    }
    writeRequestHead(head, this.#writer);
    this.begin(head);
    return next;
  }

  /**
   * @param head The head of the next request.
   * @param rest How many bytes stand behind the head.
   */
  #fits(head: RequestHead, rest: number): boolean {
    const exchange = this.#exchange;
    return head.method !== "CONNECT" && head.host === exchange.host &&
      head.port === exchange.port &&
      this.#authenticate(head) === exchange.user &&
      this.#writer.room >= this.#reader.size + GROWTH + rest;
  }
}
