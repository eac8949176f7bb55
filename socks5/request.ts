/**
 * The SOCKS5 request and its reply (RFC 1928, sections 4 and 6).
 *
 * ```text
 * client: VER (0x05)  CMD  RSV  ATYP ADDR PORT
 * server: VER (0x05)  REP  RSV  ATYP ADDR PORT
 * ```
 *
 * RSV should be 0; like every server, this one does not look at it. A command
 * is refused only when the whole request is there, so that a refused client
 * is not cut off while it still sends.
 *
 * @module
 */

import {
  NEED_MORE,
  type NeedMore,
  parseAddress,
  type ParsedAddress,
  writeAddress,
} from "./address.ts";
import {
  CMD_CONNECT,
  CMD_UDP_ASSOCIATE,
  REPLY_ADDRESS_TYPE_NOT_SUPPORTED,
  REPLY_COMMAND_NOT_SUPPORTED,
  REPLY_GENERAL_FAILURE,
  SOCKS_VERSION,
} from "./constants.ts";

/** A refused request. */
export interface InvalidRequest {
  /** Tells the results apart. */
  readonly status: "invalid";
  /** The code to answer with: `REPLY_*`. */
  readonly reply: number;
  /** What is wrong, for the log; holds no bytes of the client but numbers. */
  readonly message: string;
}

/** A request that is whole. */
export interface Request {
  /** Tells the results apart. */
  readonly status: "ok";
  /** `CMD_CONNECT` or `CMD_UDP_ASSOCIATE`. */
  readonly command: number;
  /** The target; `hostOffset` counts from the beginning of the request. */
  readonly address: ParsedAddress;
  /** Length of the request; what follows it is payload. */
  readonly length: number;
}

/** What {@linkcode parseRequest} gives. */
export type RequestResult = NeedMore | InvalidRequest | Request;

/** Where the address header of a request begins. */
export const REQUEST_ADDRESS_OFFSET = 3;

/** The unspecified IPv4 address, for replies that have none to tell. */
const UNSPECIFIED = new Uint8Array(4);

/**
 * Reads a request. Call it again with more bytes after "need-more".
 *
 * @param bytes What the client has sent since the greeting.
 * @returns The request, or "need-more", or the reply code to refuse it with:
 * 01 for a wrong version or name, 07 for a command, 08 for an address type.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseRequest } from "./request.ts";
 * const bytes = new Uint8Array([5, 1, 0, 1, 127, 0, 0, 1, 0, 80]);
 * const result = parseRequest(bytes);
 * assertEquals(result.status === "ok" && result.length, 10);
 * ```
 */
export function parseRequest(bytes: Uint8Array): RequestResult {
  if (bytes.length === 0) return NEED_MORE;
  if (bytes[0] !== SOCKS_VERSION) {
    return refuse(REPLY_GENERAL_FAILURE, `version ${bytes[0]}, not 5`);
  }
  if (bytes.length <= REQUEST_ADDRESS_OFFSET) return NEED_MORE;
  const address = parseAddress(bytes, { offset: REQUEST_ADDRESS_OFFSET });
  if (address.status === "need-more") return address;
  const command = bytes[1]!;
  if (command !== CMD_CONNECT && command !== CMD_UDP_ASSOCIATE) {
    return refuse(REPLY_COMMAND_NOT_SUPPORTED, `command ${command}`);
  }
  if (address.status === "ok") {
    return {
      status: "ok",
      command,
      address,
      length: REQUEST_ADDRESS_OFFSET + address.length,
    };
  }
  switch (address.reason) {
    case "address-type":
      return refuse(
        REPLY_ADDRESS_TYPE_NOT_SUPPORTED,
        `address type ${address.type}`,
      );
    case "domain-length":
      return refuse(REPLY_GENERAL_FAILURE, "empty host name");
    case "domain-text":
      return refuse(REPLY_GENERAL_FAILURE, "host name of unfit characters");
    default:
      return address.reason satisfies never;
  }
}

/**
 * The server's answer to a request.
 *
 * @param code `REPLY_*`.
 * @param boundAddress 4 or 16 bytes; 0.0.0.0 where there is none to tell.
 * @param port The bound port.
 * @returns The reply in new bytes.
 * @throws {RangeError} If the address or the port cannot be written.
 */
export function reply(
  code: number,
  boundAddress: Uint8Array = UNSPECIFIED,
  port = 0,
): Uint8Array {
  const out = new Uint8Array(REQUEST_ADDRESS_OFFSET + 1 + 16 + 2);
  out[0] = SOCKS_VERSION;
  out[1] = code;
  const length = writeAddress(out, REQUEST_ADDRESS_OFFSET, {
    bytes: boundAddress,
    port,
  });
  return out.subarray(0, REQUEST_ADDRESS_OFFSET + length);
}

function refuse(code: number, message: string): InvalidRequest {
  return { status: "invalid", reply: code, message };
}
