/**
 * The handshake with an HTTP proxy: CONNECT (RFC 9110, section 9.3.6).
 *
 * @module
 */

import {
  type BasicUser,
  connectRequest,
  HEAD_INCOMPLETE,
  HEAD_TOO_LONG,
  HeadBuffer,
  parseResponseHead,
} from "../../http/mod.ts";
import type {
  HandshakeAnswer,
  OutboundHandshake,
  Target,
} from "../../relay/mod.ts";

/** Status of a proxy that wants another name and password, or any. */
const AUTHENTICATION_REQUIRED = 407;

/**
 * Asks an HTTP proxy for a connection. Its refusals have the codes:
 *
 * ```text
 * proxy-auth     407: the proxy wants another name and password, or any
 * proxy-403, …   any other status of three digits
 * proxy-answer   the answer is not HTTP, or its head is longer than 64 KiB
 * ```
 */
export class HttpProxyHandshake implements OutboundHandshake {
  readonly #request: Uint8Array;
  readonly #head = new HeadBuffer();

  /**
   * Prepares the request.
   *
   * @param target Where the proxy is to connect to.
   * @param user Who we are; undefined: nobody in particular.
   */
  constructor(target: Target, user?: BasicUser) {
    this.#request = connectRequest(`${target}`, user);
  }

  /** The request. */
  start(): Uint8Array {
    return this.#request;
  }

  /**
   * Takes the answer, in whatever pieces it comes.
   *
   * @param data Bytes that came and were not consumed yet.
   */
  receive(data: Uint8Array): HandshakeAnswer {
    let at = 0;
    while (true) {
      const next = this.#head.find(data, at, data.length);
      if (next === HEAD_INCOMPLETE) {
        return { kind: "more", consumed: data.length };
      }
      if (next === HEAD_TOO_LONG) return failed("proxy-answer");
      const { bytes, start, end } = this.#head;
      const status = parseResponseHead(bytes, start, end)?.status;
      this.#head.clear();
      if (status === undefined) return failed("proxy-answer");
      // A 2xx has no body here, whatever its fields say (RFC 9112, 6.3).
      if (status >= 200 && status < 300) {
        return { kind: "ready", consumed: next };
      }
      if (status === AUTHENTICATION_REQUIRED) return failed("proxy-auth");
      if (status >= 200) return failed(`proxy-${status}`);
      at = next;
    }
  }
}

function failed(code: string): HandshakeAnswer {
  return { kind: "failed", failure: { status: "server_failed", code } };
}
