/**
 * Tests of the router where what it chooses stands in a group.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { SocketAddress } from "../loop/mod.ts";
import { type Route, type Session, Target } from "../relay/mod.ts";
import {
  aclOf,
  PROXY,
  RouterFixture,
  textOf,
  ZoneResolver,
} from "./_router_fixture.ts";
import { IpNetworks } from "./acl/ip_networks.ts";
import { DirectOutbound } from "./direct.ts";
import { FakeOutbound, FakeTiming } from "./groups/_group_fixture.ts";
import { FailoverStrategy } from "./groups/strategy_failover.ts";
import {
  Group,
  Health,
  type OutboundKind,
  WatchedOutbound,
} from "./groups/mod.ts";
import { makeRouter } from "./router.ts";
import { LogCapture } from "../tests/support/logs.ts";

const ZONE = { "both.example": ["8.8.8.8", "10.0.0.1"] };
const RULES = "[outbound_block_list]\n10.0.0.0/8\n";

function watched(kind: OutboundKind): WatchedOutbound {
  const outbound = kind === "direct"
    ? new DirectOutbound()
    : new FakeOutbound(kind);
  return new WatchedOutbound(
    outbound,
    kind,
    new Health(kind, new FakeTiming()),
  );
}

function groupOf(...kinds: readonly OutboundKind[]): Group {
  const members = kinds.map((kind) => ({
    route: watched(kind),
    tcpWeight: 1,
    udpWeight: 1,
  }));
  const strategy = new FailoverStrategy();
  return new Group({ name: "group", members, strategy });
}

/** The decision about a name, and the names that were looked up for it. */
function askBy(route: Route): [string, readonly string[]] {
  const resolver = new ZoneResolver(ZONE);
  const router = makeRouter({
    role: "client",
    routes: { default: route, direct: PROXY },
    acl: aclOf(RULES),
    resolver,
  });
  const session = newSession();
  let text = "no answer";
  router.route(Target.of("both.example", 443), session, (decision) => {
    text = textOf(decision);
  });
  return [text, resolver.asked];
}

function newSession(): Session {
  return new RouterFixture({ role: "client" }).session();
}

Deno.test("AclRouter.route() leaves the addresses of a name to the connect where all is direct", () => {
  for (const route of [watched("direct"), groupOf("direct", "direct")]) {
    assertEquals(askBy(route), [`${route.name}: `, []]);
  }
});

Deno.test("AclRouter.route() looks a name up where a group may pick a server", () => {
  using _log = new LogCapture();
  for (const route of [watched("server"), groupOf("direct", "server")]) {
    assertEquals(askBy(route), ["blocked: 10.0.0.0/8", ["both.example"]]);
  }
});

Deno.test("AclRouter forbids an address before and after a group has picked", () => {
  using _log = new LogCapture();
  const router = makeRouter({
    role: "client",
    routes: { default: groupOf("server", "direct"), direct: PROXY },
    forbidden: IpNetworks.of("10.0.0.0/8"),
    resolver: new ZoneResolver({}),
  });
  const session = newSession();
  const rule = "forbidden_ip 10.0.0.0/8";
  router.route(Target.of("10.0.0.1", 443), session, (decision) => {
    assertEquals(textOf(decision), `blocked: ${rule}`);
  });
  const address = SocketAddress.parse("10.0.0.1", 443);
  assertEquals(router.forbids(address, session), rule);
});
