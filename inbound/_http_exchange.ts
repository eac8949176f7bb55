/**
 * What both directions of an HTTP client know of the request under way.
 *
 * @module
 */

import type { RequestHead } from "../http/mod.ts";

/** One request and its answer; used again for the next. */
export class HttpExchange {
  /** The host that the origin connection leads to. */
  host = "";
  /** Its port. */
  port = 0;
  /** Whose requests these are. */
  user = "";
  /** How many requests the origin connection has been given. */
  count = 0;
  /** Whether the request is HEAD. */
  isHead = false;
  /** Whether the client speaks HTTP/1.0. */
  isOld = false;
  /** Whether the client may send another request after this one. */
  persists = false;
  /** Whether the client has asked for another protocol. */
  upgrade = false;
  /** Whether the request is whole. */
  requestDone = true;
  /** Whether the answer is not whole yet. */
  answerOwed = false;
  /** Whether the head of the answer was passed on. */
  answerBegun = false;
  /** How many interim answers (1xx) have come. */
  interims = 0;
  /** Whether the origin connection takes another request. */
  originPersists = true;
  /** Whether the origin has sent more than it was asked for. */
  isOverrun = false;
  /** Whether the protocol has been switched: all bytes pass. */
  isTunnel = false;

  /** Whether nothing is under way. */
  get isIdle(): boolean {
    return this.requestDone && !this.answerOwed && !this.isTunnel;
  }

  /**
   * Begins with a request.
   *
   * @param head Its head.
   */
  begin(head: RequestHead): void {
    this.count++;
    this.isHead = head.method === "HEAD";
    this.isOld = head.minor === 0;
    this.persists = head.persists;
    this.upgrade = head.upgrade;
    this.requestDone = head.bodyLength === 0;
    this.answerOwed = true;
    this.answerBegun = false;
    this.interims = 0;
  }

  /**
   * There will be a new origin connection.
   *
   * @param head The head of its first request.
   * @param user Whose request it is.
   */
  connect(head: RequestHead, user: string): void {
    this.host = head.host;
    this.port = head.port;
    this.user = user;
    this.count = 0;
    this.originPersists = true;
    this.isOverrun = false;
  }
}
