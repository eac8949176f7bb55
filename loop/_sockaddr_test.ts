/**
 * Tests of the system's form of an address.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { SocketAddress } from "./address.ts";
import { readAddress } from "./zone.ts";
import { packSockaddr, toSockaddr, unpackSockaddr } from "./_sockaddr.ts";

Deno.test("unpackSockaddr() gives back what packSockaddr() took", () => {
  const hosts = ["0.0.0.0", "127.0.0.1", "200.1.2.3", "255.255.255.255"];
  for (const host of [...hosts, "::1", "2001:db8::ffff"]) {
    for (const port of [0, 1, 80, 65_535]) {
      const address = SocketAddress.parse(host, port);
      const sockaddr = toSockaddr(address).slice();
      const packed = packSockaddr(sockaddr);
      sockaddr.fill(0xee);
      assertEquals(`${unpackSockaddr(packed)}`, `${address}`);
    }
  }
});

Deno.test("unpackSockaddr() gives an IPv4-mapped address as IPv4", () => {
  const mapped = toSockaddr(SocketAddress.parse("::ffff:192.0.2.1", 53));
  assertEquals(`${unpackSockaddr(packSockaddr(mapped))}`, "192.0.2.1:53");
});

Deno.test("toSockaddr() and unpackSockaddr() keep the scope of an address", () => {
  for (const scope of [1, 0x01020304, 0xffff_fffe]) {
    const address = readAddress(`fe80::1%${scope}`, 53)!;
    const sockaddr = toSockaddr(address);
    assertEquals(new DataView(sockaddr.buffer).getUint32(24, true), scope);
    const back = unpackSockaddr(packSockaddr(sockaddr));
    assertEquals([back.scope, `${back}`], [scope, `[fe80::1%${scope}]:53`]);
    assertEquals(back.key, address.key);
  }
});
