/**
 * Tests of socket addresses.
 *
 * @module
 */

import {
  assert,
  assertEquals,
  assertNotEquals,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { SocketAddress } from "./address.ts";
import { parseIp } from "./ip.ts";

Deno.test("SocketAddress.parse() reads both families", () => {
  const v4 = SocketAddress.parse("192.0.2.7", 80);
  assertEquals([v4.family, v4.host, v4.port], [4, "192.0.2.7", 80]);
  assertEquals(v4.toString(), "192.0.2.7:80");
  const v6 = SocketAddress.parse("2001:db8:0::1", 65_535);
  assertEquals([v6.family, v6.host, v6.port], [6, "2001:db8::1", 65_535]);
  assertEquals(v6.toString(), "[2001:db8::1]:65535");
});

Deno.test("SocketAddress.parse() throws SyntaxError for a name", () => {
  assertThrows(() => SocketAddress.parse("localhost", 80), SyntaxError);
});

Deno.test("SocketAddress.key is shared by equal addresses alone", () => {
  const key = SocketAddress.parse("::1", 80).key;
  assertEquals(SocketAddress.parse("0:0::1", 80).key, key);
  for (const [host, port] of [["::1", 81], ["::2", 80]] as const) {
    assertNotEquals(SocketAddress.parse(host, port).key, key);
  }
  // Host and port do not run together.
  assertNotEquals(
    SocketAddress.parse("1.1.1.1", 11).key,
    SocketAddress.parse("1.1.1.11", 1).key,
  );
});

Deno.test("SocketAddress.fromIpv4() remembers, and keeps a copy", () => {
  const source = Uint8Array.of(9, 255, 254, 253, 252, 9);
  const first = SocketAddress.fromIpv4(source, 1, 65_535);
  assertEquals(first.toString(), "255.254.253.252:65535");
  assertStrictEquals(SocketAddress.fromIpv4(source, 1, 65_535), first);
  source.fill(0);
  assertEquals(first.host, "255.254.253.252");
});

Deno.test("SocketAddress.fromIpv4() tells every address apart", () => {
  const seen = new Map<string, SocketAddress>();
  const bytes = new Uint8Array(4);
  for (let place = 0; place < 4; place++) {
    for (const value of [1, 127, 128, 255]) {
      for (const port of [0, 1, 255, 256, 32_768, 65_535]) {
        bytes.fill(0);
        bytes[place] = value;
        const address = SocketAddress.fromIpv4(bytes, 0, port);
        assertEquals(address.bytes, bytes);
        assertEquals(address.port, port);
        seen.set(address.key, address);
      }
    }
  }
  assertEquals(seen.size, 4 * 4 * 6);
});

Deno.test("SocketAddress.fromIpv4() forgets rather than grows", () => {
  const bytes = new Uint8Array(4);
  const first = SocketAddress.fromIpv4(bytes, 0, 0);
  for (let port = 1; port < 10_000; port++) {
    assertEquals(SocketAddress.fromIpv4(bytes, 0, port).port, port);
  }
  const again = SocketAddress.fromIpv4(bytes, 0, 0);
  assert(again !== first, "it was forgotten");
  assertEquals(again.key, first.key);
});

Deno.test("SocketAddress.fromIpv6() gives a mapped address as IPv4", () => {
  for (
    const [text, expected] of [
      ["::ffff:192.0.2.1", "192.0.2.1:53"],
      ["::192.0.2.1", "[::c000:201]:53"],
      ["1::ffff:192.0.2.1", "[1::ffff:c000:201]:53"],
      ["2001:db8::1", "[2001:db8::1]:53"],
    ] as const
  ) {
    const source = new Uint8Array(20);
    source.set(parseIp(text)!, 4);
    const address = SocketAddress.fromIpv6(source, 4, 53);
    assertEquals(address.toString(), expected);
    source.fill(0);
    assertEquals(address.toString(), expected, "a copy");
  }
});

Deno.test("SocketAddress.fromBytes() takes both families, and a mapped address as IPv4", () => {
  const cases = [
    ["192.0.2.1", "192.0.2.1"],
    ["2001:db8::1", "2001:db8::1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
  ] as const;
  for (const [text, host] of cases) {
    const bytes = parseIp(text)!.slice();
    const address = SocketAddress.fromBytes(bytes, 53);
    bytes.fill(0);
    assertEquals([address.host, address.port], [host, 53]);
  }
});
