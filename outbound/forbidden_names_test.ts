/**
 * Tests of forbidden networks for names that a proxy will look up.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { type Decision, Sessions, Target } from "../relay/mod.ts";
import { SocketAddress } from "../loop/mod.ts";
import { IpNetworks } from "./acl/ip_networks.ts";
import { DIRECT, PROXY, ZoneResolver } from "./_router_fixture.ts";
import { makeRouter } from "./router.ts";

const ZONE = {
  "inside.example": ["203.0.113.1", "127.0.0.1"],
  "outside.example": ["203.0.113.1"],
};

function decide(
  host: string,
  options: { readonly isSlow?: boolean; readonly isDirect?: boolean } = {},
): Decision | undefined {
  const resolver = new ZoneResolver(ZONE, options);
  const route = options.isDirect === true ? DIRECT : PROXY;
  const router = makeRouter({
    role: "server",
    routes: { default: route, direct: route },
    forbidden: IpNetworks.of(["127.0.0.0/8"]),
    resolver,
  });
  const session = new Sessions().open({
    listener: { protocol: "shadowsocks", port: 1 },
    network: "tcp",
    client: SocketAddress.parse("198.51.100.1", 1),
  }, 0);
  let decision: Decision | undefined;
  router.route(Target.of(host, 80), session, (given) => decision = given);
  if (options.isSlow === true) {
    assertEquals(decision, undefined);
    resolver.answer();
  }
  return decision;
}

const REFUSED = [
  "inside.example",
  "localhost",
  "LOCALHOST.",
  "a.localhost",
  "127.1",
  "2130706433",
  "0x7f000001",
  "0177.0.0.1",
  "127.0.0.1",
];

for (const host of REFUSED) {
  Deno.test(`AclRouter.route() refuses ${host} when a proxy would look it up`, () => {
    assertEquals("blocked" in decide(host)!, true);
  });
}

Deno.test("AclRouter.route() hands names to a proxy when none of their addresses is forbidden", () => {
  for (const host of ["outside.example", "unknown.example", "0x.example"]) {
    assertEquals("route" in decide(host)!, true, host);
  }
  assertEquals("blocked" in decide("inside.example", { isSlow: true })!, true);
});

Deno.test("AclRouter.route() asks nobody about names when they are connected to directly", () => {
  assertEquals("route" in decide("inside.example", { isDirect: true })!, true);
});
