/**
 * The request of SOCKS4 and SOCKS4a, and its reply.
 *
 * ```text
 * client: VN (0x04)  CD  DSTPORT (2)  DSTIP (4)  USERID  NUL  [HOST  NUL]
 * server: VN (0x00)  CD  DSTPORT (2)  DSTIP (4)
 * ```
 *
 * SOCKS4 has no standard but the memo of its author, Ying-Da Lee. In SOCKS4a
 * the address 0.0.0.x with x other than 0 says that a host name stands behind
 * USERID. There is one command, CONNECT; BIND is refused like an unknown one,
 * when the whole request is there, so that the refused client gets its reply.
 *
 * USERID is an unproved name: it is skipped, and never kept or logged. The
 * reply's port and address have a meaning for BIND alone and are 0.
 *
 * @module
 */

import { isNameByte, NEED_MORE, type NeedMore } from "./address.ts";
import {
  CMD_CONNECT,
  MAX_DOMAIN_LENGTH,
  SOCKS4_GRANTED,
  SOCKS4_REJECTED,
  SOCKS4_VERSION,
} from "./constants.ts";

/** A refused SOCKS4 request; the reply is `SOCKS4_REJECTED`. */
export interface InvalidSocks4Request {
  /** Tells the results apart. */
  readonly status: "invalid";
  /** What is wrong, for the log; holds no bytes of the client but numbers. */
  readonly message: string;
}

/** A SOCKS4 or SOCKS4a CONNECT that is whole. */
export interface Socks4Request {
  /** Tells the results apart. */
  readonly status: "ok";
  /** The name of a SOCKS4a request; `""` if there is an IPv4 address. */
  readonly domain: string;
  /** The port, 0 to 65,535. */
  readonly port: number;
  /** Length of the request; what follows it is payload. */
  readonly length: number;
}

/** What {@linkcode parseSocks4Request} gives. */
export type Socks4RequestResult =
  | NeedMore
  | InvalidSocks4Request
  | Socks4Request;

/** Where the 4 bytes of the IPv4 address stand in a SOCKS4 request. */
export const SOCKS4_IP_OFFSET = 4;

/** Where USERID begins: behind VN, CD, DSTPORT and DSTIP. */
const USER_ID_OFFSET = 8;

/** The longest USERID taken; the memo has no bound, this is SOCKS5's. */
const MAX_USER_ID_LENGTH = 255;

/** Length of every reply. */
const REPLY_LENGTH = 8;

/** The text has no NUL yet. */
const NOT_ENDED = -1;
/** The text has no NUL where the longest one would. */
const TOO_LONG = -2;

/**
 * Reads a request. Call it again with more bytes after "need-more": it looks
 * at 520 bytes at most and keeps nothing between calls.
 *
 * @param bytes What the client has sent so far.
 * @returns The request, or "need-more", or why it is refused.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseSocks4Request } from "./socks4.ts";
 * const bytes = new Uint8Array([4, 1, 0, 80, 127, 0, 0, 1, 0]);
 * const result = parseSocks4Request(bytes);
 * assertEquals(result.status === "ok" && result.port, 80);
 * ```
 */
export function parseSocks4Request(bytes: Uint8Array): Socks4RequestResult {
  if (bytes.length === 0) return NEED_MORE;
  if (bytes[0] !== SOCKS4_VERSION) {
    return invalid(`version ${bytes[0]}, not 4`);
  }
  const userEnd = endOfText(bytes, USER_ID_OFFSET, MAX_USER_ID_LENGTH);
  if (userEnd === TOO_LONG) return invalid("user ID over 255 bytes");
  if (userEnd === NOT_ENDED) return NEED_MORE;
  let end = userEnd;
  if (hasDomain(bytes)) {
    end = endOfText(bytes, userEnd + 1, MAX_DOMAIN_LENGTH);
    if (end === TOO_LONG) return invalid("host name over 255 bytes");
    if (end === NOT_ENDED) return NEED_MORE;
  }
  if (bytes[1] !== CMD_CONNECT) return invalid(`command ${bytes[1]}`);
  let domain = "";
  if (hasDomain(bytes)) {
    if (end === userEnd + 1) return invalid("empty host name");
    for (let i = userEnd + 1; i < end; i++) {
      if (!isNameByte(bytes[i]!)) {
        return invalid("host name of unfit characters");
      }
    }
    domain = String.fromCharCode(...bytes.subarray(userEnd + 1, end));
  }
  return {
    status: "ok",
    domain,
    port: bytes[2]! << 8 | bytes[3]!,
    length: end + 1,
  };
}

/**
 * The server's answer to a SOCKS4 request.
 *
 * @param granted Whether the target is reached.
 * @returns Eight new bytes.
 */
export function socks4Reply(granted: boolean): Uint8Array {
  const out = new Uint8Array(REPLY_LENGTH);
  out[1] = granted ? SOCKS4_GRANTED : SOCKS4_REJECTED;
  return out;
}

/** Where the NUL stands that ends a text, or `NOT_ENDED` or `TOO_LONG`. */
function endOfText(bytes: Uint8Array, start: number, longest: number): number {
  const last = start + longest;
  for (let i = start; i < bytes.length && i <= last; i++) {
    if (bytes[i] === 0) return i;
  }
  return bytes.length > last ? TOO_LONG : NOT_ENDED;
}

/** Whether the address is 0.0.0.x, x not 0. */
function hasDomain(bytes: Uint8Array): boolean {
  return bytes[SOCKS4_IP_OFFSET] === 0 && bytes[SOCKS4_IP_OFFSET + 1] === 0 &&
    bytes[SOCKS4_IP_OFFSET + 2] === 0 && bytes[SOCKS4_IP_OFFSET + 3] !== 0;
}

function invalid(message: string): InvalidSocks4Request {
  return { status: "invalid", message };
}
