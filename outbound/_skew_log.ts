/**
 * What the log says where the clock of a server of the 2022 edition differs too
 * much from ours; the same words for connections and datagrams.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import type { SocketAddress } from "../loop/mod.ts";

const logger = getLogger(["shadowsocks", "outbound"]);

/**
 * Logs how far both clocks differ, and what to do.
 *
 * @param server Who has sent its time; undefined: it is not known.
 * @param skew How many seconds the server's clock is ahead of ours.
 */
export function logServerSkew(
  server: SocketAddress | undefined,
  skew: number | undefined,
): void {
  logger.error(
    "the clock of {server} differs from ours by {skew} s (below 0: it is behind), 30 are allowed: set both clocks, best by NTP",
    () => ({ server: `${server}`, skew }),
  );
}
