/**
 * Forms that are words, used in more than one table.
 *
 * @module
 */

import type { Shape } from "./_shape.ts";
import { word } from "./_shapes.ts";
import type { LocalProtocol, Mode } from "./types.ts";

/** Which protocols are relayed. */
export const MODE: Shape<Mode> = word("tcp_only", "tcp_and_udp", "udp_only");

const PROTOCOLS: readonly LocalProtocol[] = [
  "mixed",
  "socks",
  "http",
  "tunnel",
];

/** What shadowsocks-rust has beside them. */
const ELSEWHERE: ReadonlySet<unknown> = new Set([
  "redir",
  "dns",
  "tun",
  "fake-dns",
]);

/** What a local speaks. */
export const PROTOCOL: Shape<LocalProtocol> = {
  read(value, report): LocalProtocol | undefined {
    if (ELSEWHERE.has(value)) {
      return report.refused(
        `protocol "${value}" is not available in this version: expected ` +
          `one of ${PROTOCOLS.join(", ")}`,
      );
    }
    return word(...PROTOCOLS).read(value, report);
  },
  schema: { enum: PROTOCOLS },
};
