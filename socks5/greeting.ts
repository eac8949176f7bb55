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
import { METHOD_NOAUTH, SOCKS_VERSION } from "./constants.ts";

/** The bytes are no SOCKS5 greeting. */
export interface InvalidGreeting {
  /** Tells the results apart. */
  readonly status: "invalid";
  /** What is wrong, for the log; holds no bytes of the client but a number. */
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

/**
 * Reads a greeting. Call it again with more bytes after "need-more".
 *
 * A greeting without methods is whole and offers nothing acceptable.
 *
 * @param bytes What the client has sent so far.
 * @returns The methods, or "need-more", or that the version is not 5.
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
    return {
      status: "invalid",
      message: `version ${bytes[0]}, not ${SOCKS_VERSION}`,
    };
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
