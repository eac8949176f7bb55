/**
 * The direction from the origin to an HTTP client.
 *
 * @module
 */

import {
  BODY_CHUNKED,
  BODY_UNTIL_CLOSE,
  BodyFollower,
  ByteWriter,
  HEAD_INCOMPLETE,
  HEAD_TOO_LONG,
  HeadBuffer,
  parseResponseHead,
  responseBodyLength,
  type ResponseHead,
  SWITCHING_PROTOCOLS,
  writeResponseHead,
} from "../http/mod.ts";
import type { HttpExchange } from "./_http_exchange.ts";

/**
 * Most interim answers to one request. Origins send one or two (100, 103), a
 * few more where they tell of progress (102). The limit also bounds what one
 * buffer of answers grows by when it is written anew: no head has more than
 * 200 fields, whose lines each gain a CR where they ended in LF alone, so that
 * 17 heads grow by 3.4 KiB, and the last by two fields more; an encoder has
 * room for 8 KiB.
 */
const MAX_INTERIMS = 16;

/** Passes answers on, and follows each to its end. */
export class HttpAnswers {
  /** Whether what the origin has sent is no answer. */
  failed = false;
  readonly #exchange: HttpExchange;
  readonly #head = new HeadBuffer();
  readonly #body = new BodyFollower({ isLenient: true });
  readonly #writer = new ByteWriter();
  /** Whether the chunks are taken out: HTTP/1.0 has none. */
  #unchunk = false;

  /**
   * Begins with nothing under way.
   *
   * @param exchange The request under way.
   */
  constructor(exchange: HttpExchange) {
    this.#exchange = exchange;
  }

  /** Whether bytes for the client did not fit into the last buffer. */
  get isPending(): boolean {
    return this.#writer.pending > 0;
  }

  /** Whether the end of the origin connection would be a clean one. */
  get endsCleanly(): boolean {
    const exchange = this.#exchange;
    if (exchange.isTunnel || !exchange.answerOwed) return true;
    return exchange.answerBegun && this.#body.endsCleanly;
  }

  /** Forgets what the origin connection has begun to say. */
  clear(): void {
    this.#head.clear();
  }

  /**
   * Passes on what the origin has sent.
   *
   * @param input Bytes of the origin.
   * @param output Takes those for the client.
   * @param length How many bytes of `input`.
   * @returns How many were put into `output`.
   */
  encode(input: Uint8Array, output: Uint8Array, length: number): number {
    const exchange = this.#exchange;
    this.#writer.begin(output);
    let at = 0;
    while (at < length && !this.failed) {
      if (exchange.isTunnel) {
        this.#writer.copy(input, at, length);
        at = length;
      } else if (!exchange.answerOwed) {
        // Nobody has asked for it. Were it kept, it would answer the next
        // request (RFC 9112, 11.2): the origin connection is not used again.
        exchange.originPersists = false;
        exchange.isOverrun = true;
        break;
      } else if (exchange.answerBegun) at = this.#onBody(input, at, length);
      else at = this.#onHead(input, at, length);
    }
    return this.#writer.end();
  }

  #onBody(input: Uint8Array, start: number, end: number): number {
    const body = this.#body;
    let at = start;
    if (!this.#unchunk) {
      at = body.follow(input, start, end);
      this.#writer.copy(input, start, at);
    } else {
      while (at < end && !body.isDone && !body.failed) {
        const { isAtData } = body;
        const next = body.step(input, at, end);
        if (isAtData) this.#writer.copy(input, at, next);
        at = next;
      }
    }
    this.failed = body.failed;
    this.#exchange.answerOwed = !body.isDone;
    return at;
  }

  #onHead(input: Uint8Array, start: number, end: number): number {
    const found = this.#head;
    const next = found.find(input, start, end);
    if (next === HEAD_INCOMPLETE) return end;
    const head = next === HEAD_TOO_LONG
      ? undefined
      : parseResponseHead(found.bytes, found.start, found.end);
    this.failed = head === undefined || !this.#pass(head);
    found.clear();
    return this.failed ? start : next;
  }

  /** @returns False: it is no answer to the request. */
  #pass(head: ResponseHead): boolean {
    const exchange = this.#exchange;
    if (head.status === SWITCHING_PROTOCOLS) {
      if (!exchange.upgrade || !exchange.requestDone) return false;
      this.#write(head);
      exchange.isTunnel = exchange.answerBegun = true;
      exchange.answerOwed = false;
      return true;
    }
    if (head.status < 200) {
      if (++exchange.interims > MAX_INTERIMS) return false;
      // HTTP/1.0 has no interim answers (RFC 9110, 15.2).
      if (!exchange.isOld) this.#write(head);
      return true;
    }
    const length = responseBodyLength(head, exchange.isHead);
    const untilClose = length === BODY_UNTIL_CLOSE;
    if (!head.persists || untilClose) exchange.originPersists = false;
    // An origin that leaves before it has the whole request takes no rest of
    // it: the client has to end the connection too.
    if (untilClose || (!exchange.originPersists && !exchange.requestDone)) {
      exchange.persists = false;
    }
    this.#unchunk = exchange.isOld && length === BODY_CHUNKED;
    this.#write(head);
    this.#body.begin(length);
    exchange.answerBegun = true;
    exchange.answerOwed = !this.#body.isDone;
    return true;
  }

  #write(head: ResponseHead): void {
    writeResponseHead(head, this.#writer, {
      persists: this.#exchange.persists,
      unchunk: this.#unchunk,
    });
  }
}
