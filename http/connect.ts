/**
 * CONNECT towards another proxy (RFC 9110, section 9.3.6): the request, and
 * the answer to it.
 *
 * ```text
 * CONNECT host:port HTTP/1.1
 * Host: host:port
 * Proxy-Authorization: Basic …
 *
 * ```
 *
 * @module
 */

import { basicAuthorization, type BasicUser } from "./basic.ts";

/** What may not stand in a host and a port. */
const UNFIT_REGEXP = /[^!-~]/g;

/**
 * Writes a CONNECT request.
 *
 * @param authority `host:port`, IPv6 in brackets. A blank, a control character
 * or one beyond ASCII is sent as `?`, which stands in no name.
 * @param user Who asks; undefined: nobody in particular.
 * @returns New bytes.
 */
export function connectRequest(
  authority: string,
  user: BasicUser | undefined,
): Uint8Array {
  const place = authority.replace(UNFIT_REGEXP, "?");
  return new TextEncoder().encode(
    `CONNECT ${place} HTTP/1.1\r\nHost: ${place}\r\n` +
      (user === undefined
        ? ""
        : `Proxy-Authorization: ${basicAuthorization(user)}\r\n`) +
      "\r\n",
  );
}
