/**
 * Zones of IPv6 addresses (RFC 4007, section 11): the interface that a
 * link-local address belongs to, `fe80::1%eth0` or `fe80::1%2`.
 *
 * @module
 */

import { SocketAddress } from "./address.ts";
import { parseIp } from "./ip.ts";

/**
 * A name of an interface: at most 15 bytes (IFNAMSIZ of linux/if.h), and
 * nothing that leads to another file.
 */
const INTERFACE_REGEXP = /^(?!\.)[\w.:-]{1,15}$/;
/** The largest scope ID: 32 bits of `sockaddr_in6`. */
const MAX_SCOPE = 0xffff_ffff;

/**
 * Reads an IP literal as it stands in settings: an IPv6 address may have a
 * zone.
 *
 * @param host The literal, without brackets.
 * @param port The port.
 * @returns The address; undefined if `host` is no literal, or its interface
 * does not exist here.
 */
export function readAddress(
  host: string,
  port: number,
): SocketAddress | undefined {
  const at = host.indexOf("%");
  const bytes = parseIp(at < 0 ? host : host.slice(0, at));
  if (bytes === undefined) return undefined;
  if (at < 0) return new SocketAddress(bytes, port);
  if (bytes.length === 4) return undefined;
  const scope = scopeOf(host.slice(at + 1));
  return scope === undefined
    ? undefined
    : new SocketAddress(bytes, port, scope);
}

function scopeOf(zone: string): number | undefined {
  if (/^\d{1,10}$/.test(zone)) {
    const scope = Number(zone);
    return scope <= MAX_SCOPE ? scope : undefined;
  }
  if (!INTERFACE_REGEXP.test(zone)) return undefined;
  try {
    return Number(Deno.readTextFileSync(`/sys/class/net/${zone}/ifindex`));
  } catch {
    // Not Linux, or no such interface.
  }
  try {
    return Deno.networkInterfaces().find(({ name, scopeid }) =>
      name === zone && (scopeid ?? 0) > 0
    )?.scopeid ?? undefined;
  } catch {
    return undefined;
  }
}
