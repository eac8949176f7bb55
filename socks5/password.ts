/**
 * The user name and password of SOCKS5, both sides (RFC 1929, section 2).
 *
 * ```text
 * client: VER (0x01)  ULEN  UNAME  PLEN  PASSWD
 * server: VER (0x01)  STATUS        0x00: accepted
 * ```
 *
 * The RFC has lengths of 1 to 255; clients send empty ones too, so 0 is taken.
 * Name and password are bytes here: nothing says in which charset they are.
 *
 * @module
 */

import { NEED_MORE, type NeedMore } from "./address.ts";
import { SOCKS_VERSION } from "./constants.ts";

/** The bytes are no message of RFC 1929. */
export interface InvalidCredentials {
  /** Tells the results apart. */
  readonly status: "invalid";
  /** What is wrong, for the log; holds no bytes of the peer but numbers. */
  readonly message: string;
}

/** A name and a password that are whole. */
export interface Credentials {
  /** Tells the results apart. */
  readonly status: "ok";
  /** The name; a view of the bytes that were parsed. */
  readonly user: Uint8Array;
  /** The password; a view of the bytes that were parsed. */
  readonly password: Uint8Array;
  /** Length of the message; what follows it is the request. */
  readonly length: number;
}

/** What {@linkcode parseCredentials} gives. */
export type CredentialsResult = NeedMore | InvalidCredentials | Credentials;

/** A server's verdict. */
export interface CredentialsReply {
  /** Tells the results apart. */
  readonly status: "ok";
  /** Whether name and password are right. */
  readonly accepted: boolean;
  /** Length of the message. */
  readonly length: number;
}

/** What {@linkcode parseCredentialsReply} gives. */
export type CredentialsReplyResult =
  | NeedMore
  | InvalidCredentials
  | CredentialsReply;

/** VER of both messages: the version of the sub-negotiation. */
const VERSION = 0x01;
/** STATUS: accepted; every other value is a refusal. */
const ACCEPTED = 0x00;
/** The STATUS of a refusal. */
const REFUSED = 0x01;
/** The longest name or password: its length is one byte. */
const MAX_LENGTH = 255;

/**
 * Reads name and password. Call it again with more bytes after "need-more": it
 * looks at 513 bytes at most.
 *
 * @param bytes What the client has sent since the greeting.
 * @returns Both, or "need-more", or why there will be none.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseCredentials } from "./password.ts";
 * const result = parseCredentials(new Uint8Array([1, 1, 0x61, 1, 0x62]));
 * assertEquals(result.status === "ok" && result.length, 5);
 * ```
 */
export function parseCredentials(bytes: Uint8Array): CredentialsResult {
  if (bytes.length === 0) return NEED_MORE;
  if (bytes[0] !== VERSION) return invalid(bytes[0]!);
  if (bytes.length < 2) return NEED_MORE;
  const userEnd = 2 + bytes[1]!;
  if (bytes.length <= userEnd) return NEED_MORE;
  const length = userEnd + 1 + bytes[userEnd]!;
  if (bytes.length < length) return NEED_MORE;
  return {
    status: "ok",
    user: bytes.subarray(2, userEnd),
    password: bytes.subarray(userEnd + 1, length),
    length,
  };
}

/**
 * The server's verdict on name and password.
 *
 * @param accepted Whether they are right.
 * @returns Two new bytes.
 */
export function credentialsReply(accepted: boolean): Uint8Array {
  return new Uint8Array([VERSION, accepted ? ACCEPTED : REFUSED]);
}

/**
 * A client's name and password.
 *
 * @param user At most 255 bytes.
 * @param password At most 255 bytes.
 * @returns The message in new bytes.
 * @throws {RangeError} If one of them is longer.
 */
export function credentials(
  user: Uint8Array,
  password: Uint8Array,
): Uint8Array {
  if (user.length > MAX_LENGTH || password.length > MAX_LENGTH) {
    throw new RangeError(
      "Cannot write SOCKS5 credentials: name and password have at most 255 bytes each",
    );
  }
  const out = new Uint8Array(1 + 1 + user.length + 1 + password.length);
  out[0] = VERSION;
  out[1] = user.length;
  out.set(user, 2);
  out[2 + user.length] = password.length;
  out.set(password, 3 + user.length);
  return out;
}

/**
 * Reads a server's verdict. The version 5 is taken too: some servers write
 * that of SOCKS into every message.
 *
 * @param bytes What the server has sent since it chose the method.
 * @returns The verdict, or "need-more", or why there will be none.
 */
export function parseCredentialsReply(
  bytes: Uint8Array,
): CredentialsReplyResult {
  if (bytes.length === 0) return NEED_MORE;
  if (bytes[0] !== VERSION && bytes[0] !== SOCKS_VERSION) {
    return invalid(bytes[0]!);
  }
  if (bytes.length < 2) return NEED_MORE;
  return { status: "ok", accepted: bytes[1] === ACCEPTED, length: 2 };
}

function invalid(version: number): InvalidCredentials {
  return {
    status: "invalid",
    message: `version ${version} of the password exchange, not ${VERSION}`,
  };
}
