/**
 * Tests of who makes room.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { SocketAddress } from "./address.ts";
import { FairShares, shareKey } from "./fair_shares.ts";

Deno.test("FairShares.largest() gives the oldest thing of who holds most", () => {
  const shares = new FairShares<string>();
  assertEquals(shares.largest(), undefined);
  for (const thing of ["a1", "a2", "b1", "b2", "b3", "c1"]) {
    shares.add(thing[0]!, thing);
  }
  const order: string[] = [];
  for (;;) {
    const found = shares.largest();
    if (found === undefined) break;
    shares.remove(found.key, found.thing);
    shares.remove(found.key, found.thing);
    order.push(found.thing);
  }
  assertEquals(order, ["b1", "a1", "b2", "c1", "a2", "b3"]);
  assertEquals(shares.size, 0);
  shares.add("a", "again");
  assertEquals(shares.largest(), { key: "a", thing: "again" });
});

Deno.test("FairShares.remove() keeps count of who holds most", () => {
  const shares = new FairShares<number>();
  for (let i = 0; i < 1000; i++) shares.add("flood", i);
  shares.add("other", -1);
  for (let i = 999; i > 0; i--) shares.remove("flood", i);
  assertEquals(shares.size, 2);
  shares.add("other", -2);
  assertEquals(shares.largest(), { key: "other", thing: -1 });
});

Deno.test("shareKey() is one for an IPv4 address and for an IPv6 network", () => {
  const key = (host: string, port = 1): string =>
    `${shareKey(SocketAddress.parse(host, port))}`;
  assertEquals(key("192.0.2.1", 1), key("192.0.2.1", 2));
  assertEquals(key("2001:db8::1"), key("2001:db8::ffff:1"));
  const hosts = ["192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8:0:1::1"];
  assertEquals(new Set(hosts.map((host) => key(host))).size, hosts.length);
});
