/**
 * What the log says about a client that is not served: one line each.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import type { SocketAddress } from "../loop/mod.ts";
import type { Session } from "../relay/mod.ts";

const logger = getLogger(["shadowsocks", "inbound"]);

/** What is refused, in constant words and numbers. */
export interface RefusedPart {
  /** What the client speaks: `SOCKS5`, `SOCKS4`, `HTTP`, `TLS`. */
  readonly protocol: string;
  /** The part of it that is refused: `greeting`, `request`, `handshake`. */
  readonly what: string;
  /** Why, and what to change; holds no bytes of the client but numbers. */
  readonly reason: string;
}

/**
 * Logs that a client is not served, for another reason than credentials.
 *
 * @param session The session of the client.
 * @param part What is refused, and why.
 */
export function logRefused(
  session: Session,
  { protocol, what, reason }: RefusedPart,
): void {
  logger.warn("cannot serve {protocol} {what} from {client}: {reason}", () => ({
    protocol,
    what,
    client: `${session.client}`,
    reason,
  }));
}

/**
 * Logs that a client has not proved who it is: the line of shadowsocks-libev,
 * without a port, which tools that ban addresses look for.
 *
 * @param client Who failed.
 * @param reason Why, in constant words.
 */
export function logUnauthenticated(
  client: SocketAddress,
  reason: string,
): void {
  logger.warn("failed to handshake with {ip}: {reason}", () => ({
    ip: client.host,
    reason,
  }));
}
