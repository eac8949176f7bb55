/**
 * Tests of the routes to this machine, with files of Linux 6.1.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { formatCidr } from "../loop/mod.ts";
import { readLocalRoutes } from "./_local_routes.ts";

const FIB_TRIE = `Id 77:
  |-- 192.0.2.77
     /32 host LOCAL
Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     |-- 198.51.100.0
        /24 link UNICAST
Local:
  +-- 0.0.0.0/0 2 0 2
     +-- 127.0.0.0/8 2 0 2
        +-- 127.0.0.0/31 1 0 0
           |-- 127.0.0.0
              /8 host LOCAL
           |-- 127.0.0.1
              /32 host LOCAL
        |-- 127.255.255.255
           /32 link BROADCAST
     +-- 203.0.113.0/25 2 0 2
        |-- 203.0.113.64
           /26 host LOCAL
           /32 host LOCAL tos=8
     |-- 0.0.0.0
        /0 host LOCAL
Id 100:
  |-- 0.0.0.0
     /0 host LOCAL
  |-- 192.0.2.0
     /24 host LOCAL
`;

/** A line of ipv6_route. */
function route(digits: string, prefix: string, flags: string): string {
  const zeros = "0".repeat(32);
  return `${digits.padEnd(32, "0")} ${prefix} ${zeros} 00 ${zeros} 00000000 ` +
    `00000001 00000000 ${flags}       lo\n`;
}

const IPV6_ROUTE = [
  // A network, its router's anycast address, an address, a network of ours.
  route("20010db80001", "40", "00000001"),
  route("20010db80001", "80", "00300001"),
  route("20010db8000100000000000000000002", "80", "80200001"),
  route("20010db80002", "40", "80000001"),
  route("ff", "08", "00000001"),
  // Of a transparent proxy.
  route("", "00", "80000001"),
  route("20", "03", "80000001"),
  route("", "00", "00200200"),
].join("");

function read(files: Readonly<Record<string, string>>): string[] {
  return readLocalRoutes((path) => files[path]).map(formatCidr);
}

Deno.test("readLocalRoutes() finds what is delivered to this machine", () => {
  assertEquals(
    read({
      "/proc/net/fib_trie": FIB_TRIE,
      "/proc/net/ipv6_route": IPV6_ROUTE,
    }),
    [
      "127.0.0.0/8",
      "127.0.0.1/32",
      "127.255.255.255/32",
      "203.0.113.64/26",
      "203.0.113.64/32",
      "2001:db8:1::/128",
      "2001:db8:1::2/128",
      "2001:db8:2::/64",
    ],
  );
});

Deno.test("readLocalRoutes() has none where files are missing, cut or others", () => {
  assertEquals(read({}), []);
  const cut = FIB_TRIE.slice(0, FIB_TRIE.indexOf("           /26"));
  for (
    const [text, expected] of [[cut, 3], ["Local:", 0], ["\0", 0]] as const
  ) {
    const found = read({ "/proc/net/fib_trie": text });
    assertEquals(found.length, expected);
  }
  const short = IPV6_ROUTE.slice(0, 200);
  assertEquals(read({ "/proc/net/ipv6_route": short }), []);
  assertEquals(
    read({ "/proc/net/ipv6_route": "x 80\nzz 80 f f f f f f f" }),
    [],
  );
});
