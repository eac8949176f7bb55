/**
 * Tests of forbidden networks for names that a proxy will look up.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { DnsError } from "../dns/mod.ts";
import { type Decision, Sessions, Target } from "../relay/mod.ts";
import { SocketAddress } from "../loop/mod.ts";
import { IpNetworks } from "./acl/ip_networks.ts";
import {
  DIRECT,
  PROXY,
  RouterFixture,
  textOf,
  ZoneResolver,
} from "./_router_fixture.ts";
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

/** A name, what it means to the resolver, and what becomes of it. */
const BLOCKED: readonly (readonly [string, string])[] = [
  ["inside.example", "blocked: 127.0.0.0/8"],
  ["outside.example", "proxy: "],
  ["unknown.example", "proxy: "],
  ["localhost", "blocked: 127.0.0.0/8"],
  ["a.LOCALHOST.", "blocked: 127.0.0.0/8"],
  ["127.1", "blocked: outbound_block_list number"],
  ["0x7f000001", "blocked: outbound_block_list number"],
  ["2130706433.", "blocked: outbound_block_list number"],
  ["bad.example", "blocked: ||bad.example"],
];

for (const role of ["server", "client"] as const) {
  for (const [host, expected] of BLOCKED) {
    Deno.test(`AclRouter.route() of a ${role} heeds blocked networks when ${host} goes to a proxy`, () => {
      const fixture = new RouterFixture({
        role,
        isProxied: true,
        acl: "[outbound_block_list]\n127.0.0.0/8\n||bad.example\n",
        zone: ZONE,
      });
      assertEquals(fixture.ask(host), expected);
    });
  }
}

Deno.test("AclRouter.route() forbids networks to a name that a rule allows", () => {
  const fixture = new RouterFixture({
    role: "server",
    isProxied: true,
    acl: "[outbound_block_list]\n127.0.0.0/8\n" +
      "[outbound_allow_list]\n||example\n",
    zone: ZONE,
  });
  assertEquals(fixture.ask("inside.example"), "blocked: 127.0.0.0/8");
  assertEquals(fixture.ask("outside.example"), "proxy: ||example");
});

Deno.test("AclRouter.route() lets localhost pass when loopback is not blocked", () => {
  const acl = "[outbound_block_list]\n10.0.0.0/8\n";
  const fixture = new RouterFixture({ role: "client", acl });
  assertEquals(fixture.ask("localhost"), "proxy: ");
  assertEquals(fixture.resolver.asked, []);
});

/** Rules for which a name is looked up before it is known to go to a proxy. */
const ASKING = [
  "[bypass_list]\n10.0.0.0/8\n",
  "[outbound_block_all]\n[outbound_allow_list]\n203.0.113.0/24\n",
];

for (const acl of ASKING) {
  for (const isSlow of [false, true]) {
    const when = isSlow ? "later" : "at once";
    Deno.test(`AclRouter.route() looks a name up once for all rules, answered ${when}, with ${acl.split("\n")[0]}`, () => {
      const fixture = new RouterFixture({
        role: "client",
        acl: `${acl}[outbound_block_list]\n127.0.0.0/8\n`,
        zone: ZONE,
        isSlow,
      });
      const answers: string[] = [];
      fixture.router.route(
        Target.of("outside.example", 80),
        fixture.session(),
        (decision) => answers.push(textOf(decision)),
      );
      fixture.resolver.answer();
      assertEquals(answers.map((text) => text.split(":")[0]), ["proxy"]);
      assertEquals(fixture.resolver.asked, ["outside.example"]);
    });
  }
}

for (const code of ["invalid-name", "busy", "timeout", "not-found"] as const) {
  Deno.test(`AclRouter.route() knows what to do behind a proxy when a look-up fails with ${code}`, () => {
    const resolver = new ZoneResolver({});
    resolver.resolve = (hostname, callback) =>
      callback({
        hostname,
        addresses: [],
        error: new DnsError(code, "it failed"),
      });
    const router = makeRouter({
      role: "server",
      routes: { default: PROXY, direct: PROXY },
      forbidden: IpNetworks.of(["127.0.0.0/8"]),
      resolver,
    });
    const session = new RouterFixture({ role: "server" }).session();
    const answers: string[] = [];
    router.route(
      Target.of("::1%lo", 80),
      session,
      (decision) => answers.push(textOf(decision)),
    );
    // No host name may be smuggled past, and nobody gains by a flood of others.
    const isRefused = code === "invalid-name" || code === "busy";
    assertEquals(answers, [
      isRefused ? `blocked: forbidden_ip ${code}` : "proxy: ",
    ]);
  });
}
