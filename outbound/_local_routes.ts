/**
 * What Linux delivers to this machine beside the addresses of its interfaces:
 * networks with a route of the type `local`, as load balancers of clouds have
 * them set, broadcast addresses that no netmask tells, and the anycast address
 * of each network that it is a router of.
 *
 * ```text
 * /proc/net/fib_trie     Local:
 *                           |-- 203.0.113.64
 *                              /26 host LOCAL
 * /proc/net/ipv6_route   20010db8…0000 40 (destination, prefix; 32 hexadecimal
 *                        digits and two) … flags device
 * ```
 *
 * @module
 */

import { type Cidr, parseIp } from "../loop/mod.ts";

/** Flags of a route in linux/ipv6_route.h: RTF_LOCAL and RTF_ANYCAST. */
const OURS = 0x8010_0000;
/** Where the flags stand in a line of ipv6_route. */
const FLAGS_FIELD = 8;
/**
 * The shortest prefix that counts for IPv6, whose file does not tell in which
 * table a route is: transparent proxies have one with `local ::/0`, or 2000::/3.
 */
const SHORTEST_PREFIX = 16;

/** Most bytes read of a file: a router with all routes of the net has 100 MB. */
const MAX_BYTES = 1 << 19;
/** Room for the files of most machines, which have some addresses. */
const FIRST_BYTES = 8192;

/**
 * Reads them.
 *
 * @param read Gives the text of a file, or its beginning. Default: the
 * system's; on others than Linux there is none.
 * @returns The networks; none where the system does not tell.
 */
export function readLocalRoutes(
  read: (path: string) => string | undefined = readStart,
): Cidr[] {
  return [
    ...routesV4(read("/proc/net/fib_trie") ?? ""),
    ...routesV6(read("/proc/net/ipv6_route") ?? ""),
  ];
}

/** Other tables than `Local` may hold for marked packets alone. */
function routesV4(text: string): Cidr[] {
  const start = /^Local:$/m.exec(text);
  if (start === null) return [];
  const section = text.slice(start.index + start[0].length)
    .split(/^\S/m, 1)[0]!;
  const found: Cidr[] = [];
  let address: Uint8Array | undefined;
  for (const line of section.split("\n")) {
    const leaf = /^\s+\|-- (\S+)$/.exec(line);
    if (leaf !== null) address = parseIp(leaf[1]!);
    const route = /^\s+\/(\d+) \S+ (?:LOCAL|BROADCAST)\b/.exec(line);
    const prefix = Number(route?.[1] ?? 0);
    if (prefix > 0 && address !== undefined) found.push({ address, prefix });
  }
  return found;
}

function routesV6(text: string): Cidr[] {
  const found: Cidr[] = [];
  for (const line of text.split("\n")) {
    const fields = line.split(/\s+/);
    const [digits = "", length = ""] = fields;
    const prefix = Number.parseInt(length, 16);
    const flags = Number.parseInt(fields[FLAGS_FIELD] ?? "", 16);
    if ((flags & OURS) === 0 || !(prefix >= SHORTEST_PREFIX)) continue;
    const address = parseIp(digits.replace(/.{4}(?=.)/g, "$&:"));
    if (address?.length === 16) found.push({ address, prefix });
  }
  return found;
}

function readStart(path: string): string | undefined {
  if (Deno.build.os !== "linux") return undefined;
  try {
    using file = Deno.openSync(path);
    let bytes = new Uint8Array(FIRST_BYTES);
    let length = 0;
    while (length < MAX_BYTES) {
      const count = file.readSync(bytes.subarray(length));
      if (count === null) break;
      length += count;
      if (length < bytes.length) continue;
      const longer = new Uint8Array(2 * length);
      longer.set(bytes);
      bytes = longer;
    }
    return new TextDecoder().decode(bytes.subarray(0, length));
  } catch {
    // There is no /proc, or it must not be read.
    return undefined;
  }
}
