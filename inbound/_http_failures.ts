/**
 * What an HTTP client is told when its target was not reached.
 *
 * @module
 */

import type { Failure } from "../relay/mod.ts";

/** A status of HTTP and a line for a human. */
export interface FailureText {
  /** 403, 502, 503 or 504. */
  readonly status: number;
  /** The line. */
  readonly text: string;
}

/** By the reason, where the target itself was to be reached. */
const BY_CODE: Readonly<Record<string, FailureText>> = {
  "not-found": { status: 502, text: "the name of the target does not exist" },
  "no-address": { status: 502, text: "the name of the target has no address" },
  "invalid-name": { status: 502, text: "the name of the target is no name" },
  failed: { status: 502, text: "the name servers do not answer" },
  busy: { status: 503, text: "too many names are being looked up" },
  ECONNREFUSED: { status: 502, text: "the target refused the connection" },
  ECONNRESET: { status: 502, text: "the target reset the connection" },
  EHOSTDOWN: { status: 502, text: "the target cannot be reached" },
  EHOSTUNREACH: { status: 502, text: "the target cannot be reached" },
  ENETUNREACH: {
    status: 502,
    text: "the network of the target cannot be reached",
  },
  EACCES: { status: 403, text: "a connection to the target is not allowed" },
  EMFILE: { status: 503, text: "too many connections are open" },
  ENFILE: { status: 503, text: "too many connections are open" },
};

const BLOCKED: FailureText = { status: 403, text: "the target is forbidden" };
const TARGET_TIMEOUT: FailureText = {
  status: 504,
  text: "the target did not answer in time",
};
const NAME_TIMEOUT: FailureText = {
  status: 504,
  text: "the name servers did not answer in time",
};
const SERVER_TIMEOUT: FailureText = {
  status: 504,
  text: "the server on the way did not answer in time",
};
const SERVER_FAILED: FailureText = {
  status: 502,
  text: "the server on the way cannot be reached, or refuses",
};
const OTHER: FailureText = {
  status: 502,
  text: "the target cannot be reached",
};

/**
 * Finds what to say about a failure.
 *
 * @param failure Why the target was not reached.
 */
export function failureText(failure: Failure): FailureText {
  const { status, code } = failure;
  if (status === "blocked") return BLOCKED;
  const isTimeout = code === "timeout" || code === "ETIMEDOUT";
  if (status === "server_failed") {
    return isTimeout ? SERVER_TIMEOUT : SERVER_FAILED;
  }
  if (!isTimeout) return Object.hasOwn(BY_CODE, code) ? BY_CODE[code]! : OTHER;
  return status === "name_failed" ? NAME_TIMEOUT : TARGET_TIMEOUT;
}
