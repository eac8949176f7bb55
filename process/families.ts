/**
 * Listeners of one port for both IP versions: `0.0.0.0` and `::` side by side.
 *
 * @module
 */

import type { LocalConfig, Mode, ServerConfig } from "../config/mod.ts";
import { isUnspecifiedIp, parseIp } from "../loop/mod.ts";

/** What listens, as far as it matters here. */
interface Place {
  /** An IP literal or a name. */
  readonly host: string;
  /** The port. */
  readonly port: number;
  /** Which networks. */
  readonly mode: Mode;
}

/**
 * Where each listener listens, and what it leaves to the others.
 *
 * @param rows All that are to listen.
 * @param splits Whether `::` can leave IPv4 to others. If not, it serves IPv4
 * in place of a `0.0.0.0` that is configured like it, which is left out.
 * @returns The listeners, with `ipv6Only` for a `::` beside others of its port
 * that are, or by their names may be, for IPv4.
 */
export function planFamilies<T extends LocalConfig | ServerConfig>(
  rows: readonly T[],
  splits: boolean,
): { readonly row: T; readonly ipv6Only: boolean }[] {
  const every6 = rows.filter((row) => isEvery(placeOf(row).host, 16));
  const kept = splits
    ? rows
    : rows.filter((row) =>
      !isEvery(placeOf(row).host, 4) ||
      !every6.some((other) => isTwin(row, other))
    );
  return kept.map((row) => ({
    row,
    ipv6Only: every6.includes(row) &&
      kept.some((other) => isIpv4Beside(placeOf(other), placeOf(row))),
  }));
}

function placeOf(row: LocalConfig | ServerConfig): Place {
  const { port, mode } = row;
  return { host: "address" in row ? row.address : row.host, port, mode };
}

/** Whether a host is the unspecified address of a family. */
function isEvery(host: string, length: 4 | 16): boolean {
  const bytes = parseIp(host);
  return bytes?.length === length && isUnspecifiedIp(bytes);
}

/** Whether a listener is, or may be, for IPv4 on the port of another. */
function isIpv4Beside(one: Place, other: Place): boolean {
  const modes = new Set([one.mode, other.mode, "tcp_and_udp"]);
  return one.port === other.port && modes.size < 3 &&
    parseIp(one.host)?.length !== 16;
}

/** Whether two listeners differ in the address alone. */
function isTwin(
  one: LocalConfig | ServerConfig,
  other: LocalConfig | ServerConfig,
): boolean {
  const own = { ...other, name: "", address: "", host: "" };
  const its = { ...one, name: "", address: "", host: "" };
  return JSON.stringify(own) === JSON.stringify(its);
}
