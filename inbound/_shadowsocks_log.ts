/**
 * What the log says about a shadowsocks client that is not served: the lines
 * of the original, which scripts that ban attackers look for, and one with the
 * reason.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import type { SocketAddress } from "../loop/mod.ts";
import type {
  RefusalReason,
  Refused,
  ServerRefusal,
} from "../shadowsocks/mod.ts";
import { logUnauthenticated } from "./_refusals.ts";

const logger = getLogger(["shadowsocks", "inbound"]);

/**
 * Logs that a connection is refused.
 *
 * @param client Who connected.
 * @param refusal How the session ends, and why.
 * @param addressType The type byte of an address that was refused.
 */
export function logRefusedConnection(
  client: SocketAddress,
  { status, reason, skew }: Refused,
  addressType?: number,
): void {
  if (addressType !== undefined) {
    logger.warn(
      "unsupported addrtype {type}, maybe wrong password or encryption method",
      { type: addressType },
    );
  } else if (reason === "one time auth failed") {
    logger.warn("one time auth fail");
  } else if (reason === "one time auth is required") {
    logger.warn("client one time auth is required");
  }
  logger.error(
    "can not parse header when handling connection from {client}",
    () => ({ client: `${client}` }),
  );
  logUnauthenticated(client, reason);
  if (skew !== undefined) logSkew(client, skew);
  if (addressType === undefined) logMeaning(client, status, reason);
}

/**
 * Logs that a packet is dropped.
 *
 * @param client Who sent it.
 * @param status How the session would end.
 * @param reason Why.
 * @param skew How many seconds the client's clock is ahead of ours, for `skew`.
 */
export function logRefusedPacket(
  client: SocketAddress,
  status: ServerRefusal,
  reason: RefusalReason,
  skew?: number,
): void {
  if (reason === "too many strangers") {
    // Not the line that has tools ban an address: it may be a user's.
    logger.warn(
      "a UDP packet from {ip} was dropped: too many come from addresses that are not known to try each user's key for all",
      () => ({ ip: client.host }),
    );
    return;
  }
  if (reason === "one time auth failed") {
    logger.warn("UDP one time auth fail");
  } else if (reason === "one time auth is too short") {
    logger.warn("UDP one time auth header is too short");
  } else if (reason === "one time auth is required") {
    logger.warn("client one time auth is required");
  }
  logger.error(
    "can not parse header when handling UDP packet from {client}",
    () => ({ client: `${client}` }),
  );
  logUnauthenticated(client, reason);
  if (skew !== undefined) logSkew(client, skew);
  logMeaning(client, status, reason);
}

/**
 * Logs how far the clock of a client is from ours, and what to do.
 *
 * @param client Who has sent its time.
 * @param skew How many seconds it is ahead of ours.
 */
function logSkew(client: SocketAddress, skew: number): void {
  logger.warn(
    "the clock of {ip} differs from ours by {skew} s (below 0: it is behind), 30 are allowed: set both clocks, best by NTP",
    () => ({ ip: client.host, skew }),
  );
}

/** Says what a reason can mean that names no cause. */
function logMeaning(
  client: SocketAddress,
  status: ServerRefusal,
  reason: RefusalReason,
): void {
  if (status !== "auth_failed" || reason.startsWith("one time auth")) return;
  logger.warn(
    "what {ip} sent cannot be read: another password or method there than here, or not a shadowsocks client",
    () => ({ ip: client.host }),
  );
}

/**
 * Logs that a chunk of one-time authentication was dropped.
 *
 * @param client Who sent it.
 */
export function logDroppedChunk(client: SocketAddress): void {
  logger.warn(
    "one time auth fail, drop chunk ! connection from {client}",
    () => ({ client: `${client}` }),
  );
}
