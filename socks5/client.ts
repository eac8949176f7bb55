/**
 * The client's side of SOCKS5 (RFC 1928, sections 3, 4 and 6): what is said to
 * a proxy, and what it answers.
 *
 * ```text
 * client: VER (0x05)  NMETHODS  METHODS       proxy: VER (0x05)  METHOD
 * client: VER (0x05)  CMD  RSV  ATYP ADDR PORT
 *                                             proxy: VER (0x05)  REP  RSV  ATYP ADDR PORT
 * ```
 *
 * Name and password between the two are in `password.ts`.
 *
 * @module
 */

import {
  addressLength,
  type Endpoint,
  NEED_MORE,
  type NeedMore,
  parseAddress,
  writeAddress,
} from "./address.ts";
import { REPLY_SUCCEEDED, SOCKS_VERSION } from "./constants.ts";
import { REQUEST_ADDRESS_OFFSET } from "./request.ts";

/** What came from the proxy is no answer of SOCKS5. */
export interface InvalidAnswer {
  /** Tells the results apart. */
  readonly status: "invalid";
  /** What is wrong, for the log; holds no bytes of the proxy but numbers. */
  readonly message: string;
}

/** The proxy's choice of a method. */
export interface GreetingReply {
  /** Tells the results apart. */
  readonly status: "ok";
  /** `METHOD_*`; the proxy may answer one that was not offered. */
  readonly method: number;
  /** Length of the message. */
  readonly length: number;
}

/** What {@linkcode parseGreetingReply} gives. */
export type GreetingReplyResult = NeedMore | InvalidAnswer | GreetingReply;

/** The proxy's answer to a request. */
export interface Reply {
  /** Tells the results apart. */
  readonly status: "ok";
  /** `REPLY_*`, or a number that has no name. */
  readonly code: number;
  /**
   * Length of the message; what follows it is payload. Of a refusal the 2
   * bytes that were looked at.
   */
  readonly length: number;
}

/** What {@linkcode parseReply} gives. */
export type ReplyResult = NeedMore | InvalidAnswer | Reply;

/**
 * A client's greeting.
 *
 * @param methods `METHOD_*`, at most 255.
 * @returns The greeting in new bytes.
 */
export function clientGreeting(methods: readonly number[]): Uint8Array {
  return new Uint8Array([SOCKS_VERSION, methods.length, ...methods]);
}

/**
 * Reads the proxy's choice of a method.
 *
 * @param bytes What the proxy has sent so far.
 * @returns The method, or "need-more", or why there will be none.
 */
export function parseGreetingReply(bytes: Uint8Array): GreetingReplyResult {
  if (bytes.length === 0) return NEED_MORE;
  if (bytes[0] !== SOCKS_VERSION) return wrongVersion(bytes[0]!);
  if (bytes.length < 2) return NEED_MORE;
  return { status: "ok", method: bytes[1]!, length: 2 };
}

/**
 * A client's request.
 *
 * @param command `CMD_*`.
 * @param target What is asked for.
 * @returns The request in new bytes.
 * @throws {RangeError} If the address cannot be written.
 */
export function clientRequest(command: number, target: Endpoint): Uint8Array {
  const out = new Uint8Array(REQUEST_ADDRESS_OFFSET + addressLength(target));
  out[0] = SOCKS_VERSION;
  out[1] = command;
  writeAddress(out, REQUEST_ADDRESS_OFFSET, target);
  return out;
}

/**
 * Reads the proxy's answer to a request. Call it again with more bytes after
 * "need-more": it looks at 262 bytes at most.
 *
 * A refusal is told by its second byte: what follows says nothing, and some
 * proxies close without it.
 *
 * @param bytes What the proxy has sent since the request.
 * @returns The answer, or "need-more", or why there will be none.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseReply } from "./client.ts";
 * const bytes = new Uint8Array([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
 * const result = parseReply(bytes);
 * assertEquals(result.status === "ok" && result.length, 10);
 * ```
 */
export function parseReply(bytes: Uint8Array): ReplyResult {
  if (bytes.length === 0) return NEED_MORE;
  if (bytes[0] !== SOCKS_VERSION) return wrongVersion(bytes[0]!);
  if (bytes.length < 2) return NEED_MORE;
  const code = bytes[1]!;
  if (code !== REPLY_SUCCEEDED) return { status: "ok", code, length: 2 };
  const address = parseAddress(bytes, { offset: REQUEST_ADDRESS_OFFSET });
  switch (address.status) {
    case "need-more":
      return address;
    case "invalid":
      return {
        status: "invalid",
        message: `no valid address in the reply: type ${address.type}`,
      };
    case "ok":
      return {
        status: "ok",
        code,
        length: REQUEST_ADDRESS_OFFSET + address.length,
      };
    default:
      return address satisfies never;
  }
}

function wrongVersion(version: number): InvalidAnswer {
  return { status: "invalid", message: `version ${version}, not 5` };
}
