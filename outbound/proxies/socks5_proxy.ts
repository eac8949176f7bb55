/**
 * The handshake with a SOCKS5 proxy (RFC 1928), with name and password
 * if it wants them (RFC 1929).
 *
 * ```text
 * we: greeting    proxy: method
 * we: name and password    proxy: verdict    if it has chosen that method
 * we: CONNECT     proxy: reply
 * ```
 *
 * One message at a time: a proxy need not read ahead. Names go to the proxy as
 * names. The handshake logs nothing; its failures say in their code what was
 * wrong: an errno where the proxy's reply stands for one, or
 *
 * - `proxy-auth`: the proxy does not take our name and password, or none;
 * - `proxy-refused`: the proxy will not, or cannot, and says no more;
 * - `proxy-answer`: what it answers is not SOCKS5.
 *
 * @module
 */

import type {
  Failure,
  HandshakeAnswer,
  OutboundHandshake,
  Target,
} from "../../relay/mod.ts";
import {
  clientGreeting,
  clientRequest,
  CMD_CONNECT,
  credentials,
  METHOD_NO_ACCEPTABLE,
  METHOD_NOAUTH,
  METHOD_USER_PASSWORD,
  parseCredentialsReply,
  parseGreetingReply,
  parseReply,
  REPLY_CONNECTION_REFUSED,
  REPLY_HOST_UNREACHABLE,
  REPLY_NETWORK_UNREACHABLE,
  REPLY_NOT_ALLOWED,
  REPLY_SUCCEEDED,
  REPLY_TTL_EXPIRED,
} from "../../socks5/mod.ts";

/** Options of {@linkcode Socks5ProxyHandshake}. */
export interface Socks5ProxyHandshakeOptions {
  /** What the proxy is asked for. */
  readonly target: Target;
  /** The name, at most 255 bytes of UTF-8. Default: no name is offered. */
  readonly user?: string | undefined;
  /** The password, at most 255 bytes of UTF-8. Default `""`. */
  readonly password?: string | undefined;
}

/** Replies that say that the target, not the proxy, was not reached. */
const CODES: ReadonlyMap<number, string> = new Map([
  [REPLY_NOT_ALLOWED, "EACCES"],
  [REPLY_NETWORK_UNREACHABLE, "ENETUNREACH"],
  [REPLY_HOST_UNREACHABLE, "EHOSTUNREACH"],
  [REPLY_CONNECTION_REFUSED, "ECONNREFUSED"],
  [REPLY_TTL_EXPIRED, "ETIMEDOUT"],
]);

const NEED_MORE: HandshakeAnswer = { kind: "more", consumed: 0 };
const AUTH_FAILED = serverFailed("proxy-auth");
const REFUSED = serverFailed("proxy-refused");
const NOT_SOCKS5 = serverFailed("proxy-answer");

/** What is waited for. */
type Stage = "method" | "verdict" | "reply";

/** The handshake with one SOCKS5 proxy. */
export class Socks5ProxyHandshake implements OutboundHandshake {
  readonly #target: Target;
  readonly #user: string | undefined;
  readonly #password: string;
  #stage: Stage = "method";

  /**
   * Prepares them.
   *
   * @param options What to ask for, and as whom.
   */
  constructor({ target, user, password }: Socks5ProxyHandshakeOptions) {
    this.#target = target;
    this.#user = user;
    this.#password = password ?? "";
  }

  /** The greeting: without a name, and with one if there is one. */
  start(): Uint8Array {
    return clientGreeting(
      this.#user === undefined
        ? [METHOD_NOAUTH]
        : [METHOD_NOAUTH, METHOD_USER_PASSWORD],
    );
  }

  /** Takes one message of the proxy. */
  receive(data: Uint8Array): HandshakeAnswer {
    switch (this.#stage) {
      case "method":
        return this.#onMethod(data);
      case "verdict":
        return this.#onVerdict(data);
      case "reply":
        return onReply(data);
      default:
        return this.#stage satisfies never;
    }
  }

  #onMethod(data: Uint8Array): HandshakeAnswer {
    const answer = parseGreetingReply(data);
    if (answer.status === "need-more") return NEED_MORE;
    if (answer.status === "invalid") return NOT_SOCKS5;
    const { method, length } = answer;
    if (method === METHOD_NOAUTH) return this.#ask(length);
    if (method === METHOD_USER_PASSWORD && this.#user !== undefined) {
      return this.#authenticate(this.#user, length);
    }
    return method === METHOD_NO_ACCEPTABLE ? AUTH_FAILED : NOT_SOCKS5;
  }

  #authenticate(user: string, consumed: number): HandshakeAnswer {
    const encoder = new TextEncoder();
    const send = written(() =>
      credentials(encoder.encode(user), encoder.encode(this.#password))
    );
    if (send === undefined) return AUTH_FAILED;
    this.#stage = "verdict";
    return { kind: "more", consumed, send };
  }

  #onVerdict(data: Uint8Array): HandshakeAnswer {
    const answer = parseCredentialsReply(data);
    if (answer.status === "need-more") return NEED_MORE;
    if (answer.status === "invalid") return NOT_SOCKS5;
    return answer.accepted ? this.#ask(answer.length) : AUTH_FAILED;
  }

  #ask(consumed: number): HandshakeAnswer {
    const target = this.#target;
    const send = written(() =>
      clientRequest(CMD_CONNECT, target.address ?? target)
    );
    // A name that no SOCKS5 request can hold is asked for by nobody.
    if (send === undefined) return REFUSED;
    this.#stage = "reply";
    return { kind: "more", consumed, send };
  }
}

function onReply(data: Uint8Array): HandshakeAnswer {
  const answer = parseReply(data);
  if (answer.status === "need-more") return NEED_MORE;
  if (answer.status === "invalid") return NOT_SOCKS5;
  if (answer.code === REPLY_SUCCEEDED) {
    return { kind: "ready", consumed: answer.length };
  }
  const code = CODES.get(answer.code);
  if (code === undefined) return REFUSED;
  return failed({ status: "dial_failed", code });
}

/** The message, or undefined if its values do not fit in one. */
function written(write: () => Uint8Array): Uint8Array | undefined {
  try {
    return write();
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function serverFailed(code: string): HandshakeAnswer {
  return failed({ status: "server_failed", code });
}

function failed(failure: Failure): HandshakeAnswer {
  return { kind: "failed", failure };
}
