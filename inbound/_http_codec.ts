/**
 * The codec of an HTTP client that fetches through us: requests to the origin
 * in one direction, its answers in the other.
 *
 * @module
 */

import type { RequestHead } from "../http/mod.ts";
import type { StreamCodec } from "../relay/mod.ts";
import { HttpAnswers } from "./_http_answers.ts";
import { HttpExchange } from "./_http_exchange.ts";
import type { RequestReader } from "./_http_reader.ts";
import { type Authenticate, HttpRequests } from "./_http_requests.ts";

/** Both directions of an HTTP client, request after request. */
export class HttpCodec implements StreamCodec {
  /** The request under way. */
  readonly exchange: HttpExchange = new HttpExchange();
  readonly #requests: HttpRequests;
  readonly #answers: HttpAnswers = new HttpAnswers(this.exchange);

  /**
   * Makes a codec for the requests of one client.
   *
   * @param reader Collects the heads of the client.
   * @param authenticate Knows the users.
   */
  constructor(reader: RequestReader, authenticate: Authenticate) {
    const { exchange } = this;
    this.#requests = new HttpRequests({ exchange, reader, authenticate });
  }

  /**
   * Begins with the first request of a new connection to an origin; its head
   * is passed on by the caller.
   *
   * @param head The head.
   * @param user Whose request it is.
   */
  begin(head: RequestHead, user: string): void {
    this.exchange.connect(head, user);
    this.#answers.clear();
    this.#requests.begin(head);
  }

  /**
   * Whether nothing more goes over the origin connection: the next request is
   * for another target, one of the two takes no more, or the origin sends what
   * nobody has asked for.
   */
  get finished(): boolean {
    const { exchange } = this;
    return this.#requests.wantsNext || exchange.isOverrun ||
      (exchange.isIdle && !(exchange.persists && exchange.originPersists));
  }

  /** Whether the client's connection ends where it is `finished`. */
  get closes(): boolean {
    const { exchange } = this;
    return !exchange.persists || !exchange.requestDone;
  }

  /** Whether it was the client whose bytes were wrong. */
  get requestFailed(): boolean {
    return this.#requests.failed;
  }

  /** How many bytes of its input the last `decode` has used. */
  get consumed(): number {
    return this.#requests.consumed;
  }

  /** Whether a body of the client or an answer of the origin was wrong. */
  get failed(): boolean {
    return this.#requests.failed || this.#answers.failed;
  }

  /** Whether requests that were sent ahead wait for the answer under way. */
  get awaitsAnswer(): boolean {
    return this.#requests.awaitsAnswer;
  }

  /** The client has sent its end behind requests that wait for an answer. */
  onEndAhead(): boolean {
    return this.#requests.onEndAhead();
  }

  /** Whether bytes for the client wait for the next buffer. */
  get headPending(): boolean {
    return this.#answers.isPending;
  }

  /**
   * From the client to the origin.
   *
   * @param input Bytes of the client.
   * @param output Takes those for the origin.
   * @param length How many bytes of `input`.
   */
  decode(input: Uint8Array, output: Uint8Array, length: number): number {
    return this.#requests.decode(input, output, length);
  }

  /**
   * From the origin to the client.
   *
   * @param input Bytes of the origin.
   * @param output Takes those for the client.
   * @param length How many bytes of `input`.
   */
  encode(input: Uint8Array, output: Uint8Array, length: number): number {
    return this.#answers.encode(input, output, length);
  }

  /**
   * Tells whether the client's end would be a clean one.
   *
   * @param leftover Bytes that wait for the next `decode`.
   */
  atBoundary(leftover: number): boolean {
    return this.#requests.atBoundary(leftover);
  }

  /** Tells whether the origin's end would be a clean one. */
  endsCleanly(): boolean {
    return this.#answers.endsCleanly;
  }

  /** Lets go of a head that is not whole. */
  [Symbol.dispose](): void {
    this.#answers.clear();
  }
}
