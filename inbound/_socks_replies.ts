/**
 * What the SOCKS proxy answers: the replies that are the same for every
 * connection, and the code that stands for a failure.
 *
 * @module
 */

import type { Failure } from "../relay/mod.ts";
import {
  credentialsReply,
  greetingReply,
  METHOD_NO_ACCEPTABLE,
  METHOD_NOAUTH,
  METHOD_USER_PASSWORD,
  reply,
  REPLY_CONNECTION_REFUSED,
  REPLY_GENERAL_FAILURE,
  REPLY_HOST_UNREACHABLE,
  REPLY_NETWORK_UNREACHABLE,
  REPLY_NOT_ALLOWED,
  REPLY_SUCCEEDED,
  socks4Reply,
} from "../socks5/mod.ts";

/** The client goes on with its request. */
export const GREETED: Uint8Array = greetingReply(METHOD_NOAUTH);
/** The client goes on with name and password. */
export const PASSWORD_WANTED: Uint8Array = greetingReply(METHOD_USER_PASSWORD);
/** The client offers nothing that is taken. */
export const NO_METHOD: Uint8Array = greetingReply(METHOD_NO_ACCEPTABLE);
/** Name and password are a user's. */
export const PASSWORD_RIGHT: Uint8Array = credentialsReply(true);
/** Name and password are nobody's. */
export const PASSWORD_WRONG: Uint8Array = credentialsReply(false);
/** The target is reached. */
export const CONNECTED: Uint8Array = reply(REPLY_SUCCEEDED);
/** The target of a SOCKS4 request is reached. */
export const SOCKS4_CONNECTED: Uint8Array = socks4Reply(true);
/** A SOCKS4 request is refused, for whatever reason. */
export const SOCKS4_REFUSED: Uint8Array = socks4Reply(false);

/** Errors of a look-up or a connect, as codes; all others: general failure. */
const REPLIES: ReadonlyMap<string, number> = new Map([
  ["ECONNREFUSED", REPLY_CONNECTION_REFUSED],
  ["ENETUNREACH", REPLY_NETWORK_UNREACHABLE],
  ["EHOSTUNREACH", REPLY_HOST_UNREACHABLE],
  ["EHOSTDOWN", REPLY_HOST_UNREACHABLE],
  ["ETIMEDOUT", REPLY_HOST_UNREACHABLE],
  ["not-found", REPLY_HOST_UNREACHABLE],
  ["no-address", REPLY_HOST_UNREACHABLE],
  ["timeout", REPLY_HOST_UNREACHABLE],
  ["failed", REPLY_HOST_UNREACHABLE],
  ["EACCES", REPLY_NOT_ALLOWED],
]);

/**
 * The SOCKS5 reply that fits a failure.
 *
 * @param failure Why the target was not reached.
 * @returns The reply; "not allowed" if a rule forbids the target.
 */
export function failureReply({ status, code }: Failure): Uint8Array {
  if (status === "blocked") return reply(REPLY_NOT_ALLOWED);
  return reply(REPLIES.get(code) ?? REPLY_GENERAL_FAILURE);
}
