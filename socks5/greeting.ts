/**
 * The method negotiation of SOCKS5 (RFC 1928, section 3).
 *
 * ```text
 * client: VER (0x05)  NMETHODS  METHODS (NMETHODS bytes)
 * server: VER (0x05)  METHOD
 * ```
 *
 * The greeting may come in pieces, and the request may stand right behind it
 * in the same bytes.
 *
 * @module
 */

import { NEED_MORE, type NeedMore } from "./address.ts";
import { METHOD_NOAUTH, SOCKS4_VERSION, SOCKS_VERSION } from "./constants.ts";

/** What a client spoke that did not speak SOCKS5. */
export type ForeignProtocol = "socks4" | "http" | "tls" | "unknown";

/** The bytes are no SOCKS5 greeting. */
export interface InvalidGreeting {
  /** Tells the results apart. */
  readonly status: "invalid";
  /** What the bytes look like. */
  readonly protocol: ForeignProtocol;
  /** One line for the log that tells the user what to change. */
  readonly message: string;
}

/** A greeting that is whole. */
export interface Greeting {
  /** Tells the results apart. */
  readonly status: "ok";
  /** The offered methods; a view of the bytes that were parsed. */
  readonly methods: Uint8Array;
  /** Whether "no authentication" is among them. */
  readonly offersNoAuth: boolean;
  /** Length of the greeting; what follows it is the request. */
  readonly length: number;
}

/** What {@linkcode parseGreeting} gives. */
export type GreetingResult = NeedMore | InvalidGreeting | Greeting;

const MESSAGES: Readonly<Record<ForeignProtocol, string>> = {
  socks4:
    "looks like a SOCKS4 request; set the application to SOCKS5 (in curl: socks5h://)",
  http:
    "looks like an HTTP proxy request; set the browser to SOCKS5, not to an HTTP proxy",
  tls:
    "looks like a TLS handshake; set the application to SOCKS5, not to an HTTPS proxy",
  unknown: "is not SOCKS5; set the application to SOCKS5",
};

/** Request methods of HTTP (RFC 9110, section 9; RFC 5789) and the blank. */
const HTTP_METHODS = [
  "CONNECT ",
  "DELETE ",
  "GET ",
  "HEAD ",
  "OPTIONS ",
  "PATCH ",
  "POST ",
  "PUT ",
  "TRACE ",
];

/** Type of a TLS handshake record (RFC 8446, section 5.1). */
const TLS_HANDSHAKE = 0x16;

/**
 * Reads a greeting. Call it again with more bytes after "need-more".
 *
 * A greeting without methods is whole and offers nothing acceptable.
 *
 * @param bytes What the client has sent so far.
 * @returns The methods, or "need-more", or what the client spoke instead.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseGreeting } from "./greeting.ts";
 * const result = parseGreeting(new Uint8Array([5, 1, 0]));
 * assertEquals(result.status === "ok" && result.offersNoAuth, true);
 * ```
 */
export function parseGreeting(bytes: Uint8Array): GreetingResult {
  if (bytes.length === 0) return NEED_MORE;
  if (bytes[0] !== SOCKS_VERSION) {
    const protocol = foreignProtocol(bytes);
    return { status: "invalid", protocol, message: MESSAGES[protocol] };
  }
  if (bytes.length < 2) return NEED_MORE;
  const length = 2 + bytes[1]!;
  if (bytes.length < length) return NEED_MORE;
  const methods = bytes.subarray(2, length);
  return {
    status: "ok",
    methods,
    offersNoAuth: methods.includes(METHOD_NOAUTH),
    length,
  };
}

/**
 * The server's answer to a greeting, or to what should have been one.
 *
 * @param method `METHOD_NOAUTH`, `METHOD_USER_PASSWORD` or
 * `METHOD_NO_ACCEPTABLE`.
 * @returns Two new bytes.
 */
export function greetingReply(method: number): Uint8Array {
  return new Uint8Array([SOCKS_VERSION, method]);
}

function foreignProtocol(bytes: Uint8Array): ForeignProtocol {
  if (bytes[0] === SOCKS4_VERSION) return "socks4";
  if (bytes[0] === TLS_HANDSHAKE) return "tls";
  return HTTP_METHODS.some((method) => agrees(bytes, method))
    ? "http"
    : "unknown";
}

/** Whether the bytes begin with `text`, as far as they go. */
function agrees(bytes: Uint8Array, text: string): boolean {
  const length = Math.min(bytes.length, text.length);
  for (let i = 0; i < length; i++) {
    if (bytes[i] !== text.charCodeAt(i)) return false;
  }
  return true;
}
