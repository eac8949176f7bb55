/**
 * Tests of the ways of a configuration.
 *
 * @module
 */

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import type {
  Config,
  GroupConfig,
  ProxyConfig,
  ServerConfig,
} from "../config/mod.ts";
import { CipherError } from "../crypto/mod.ts";
import { FakeNet } from "../loop/fakes.ts";
import { DirectOutbound } from "../outbound/basic.ts";
import { STRATEGY_NAMES } from "../outbound/groups/mod.ts";
import { type Outbound, Target } from "../relay/mod.ts";
import { FakeResolver } from "../dns/fakes.ts";
import { testConfig } from "./_config_fixture.ts";
import { FakeGroups, newSession, PROVIDERS } from "./_ways_fixture.ts";
import { openOutbounds, Outbounds, viaProxies } from "./outbounds.ts";

const SOCKS: ProxyConfig = {
  protocol: "socks5",
  host: "192.0.2.50",
  port: 1080,
  user: "alice",
  password: "secret",
};
const HTTP: ProxyConfig = {
  protocol: "http",
  host: "proxy.example",
  port: 3128,
  user: undefined,
  password: undefined,
};

/** A client of the servers 192.0.2.1, 192.0.2.2, …, which differ so. */
function client(
  servers: readonly Partial<ServerConfig>[],
  groups: readonly Partial<GroupConfig>[] = [],
): Config {
  const config = testConfig("sslocal");
  const [server] = config.servers;
  return {
    ...config,
    servers: servers.map((each, i) => ({
      ...server!,
      name: `server ${i + 1}`,
      host: `192.0.2.${i + 1}`,
      port: 8388,
      ...each,
    })),
    groups: groups.map((each): GroupConfig => ({
      name: "group",
      strategy: "failover",
      members: [],
      probeUrl: undefined,
      probeInterval: 0,
      selected: undefined,
      ...each,
    })),
  };
}

/** The ways of a configuration on a fake network. */
class WaysFixture implements Disposable {
  readonly net: FakeNet;
  readonly outbounds: Outbounds;

  private constructor(net: FakeNet, outbounds: Outbounds) {
    this.net = net;
    this.outbounds = outbounds;
  }

  static async open(config: Config): Promise<WaysFixture> {
    const net = new FakeNet();
    const outbounds = await openOutbounds(config, {
      loop: net.loop,
      resolver: new FakeResolver(),
      providers: PROVIDERS,
    });
    return new WaysFixture(net, outbounds);
  }

  /** The way that a name leads to at first. */
  pick(name: string, tried: readonly Outbound[] = []): Outbound | undefined {
    return this.outbounds.route(name).pick(newSession(), tried);
  }

  /** Where a way connects to. */
  destination(name: string): string {
    const session = newSession();
    const way = this.outbounds.route(name).pick(session, []);
    using stream = way!.open(Target.of("example.com", 443), session);
    return `${stream.destination}`;
  }

  [Symbol.dispose](): void {
    this.outbounds[Symbol.dispose]();
  }
}

Deno.test("openOutbounds() names the servers of a client, direct and block", async () => {
  using fixture = await WaysFixture.open(client([{}, { name: "tokyo" }]));
  for (const name of ["server 1", "tokyo", "direct", "block"]) {
    assertEquals(fixture.outbounds.route(name).name, name);
    assertEquals(fixture.pick(name)?.name, name);
  }
  assertEquals(fixture.destination("server 1"), "192.0.2.1:8388");
  assertEquals(fixture.destination("tokyo"), "192.0.2.2:8388");
});

Deno.test("Outbounds.route() throws when there is no such name", async () => {
  using fixture = await WaysFixture.open(client([{}]));
  assertThrows(
    () => fixture.outbounds.route("osaka"),
    Error,
    'Cannot find outbound "osaka": there is none',
  );
});

Deno.test("openOutbounds() has no servers on a server, where they are its ports", async () => {
  using fixture = await WaysFixture.open(testConfig("ssserver"));
  assertEquals(fixture.outbounds.ciphers, []);
  assertThrows(() => fixture.outbounds.route("127.0.0.1:0"));
  assertEquals(fixture.outbounds.route("direct").name, "direct");
});

Deno.test("openOutbounds() says which library serves each server's cipher", async () => {
  using fixture = await WaysFixture.open(client([
    {},
    { method: "chacha20-ietf-poly1305" },
  ]));
  assertEquals(
    fixture.outbounds.ciphers.map((each) => each.replace(/ by .+$/, "")),
    ["aes-256-gcm", "chacha20-ietf-poly1305"],
  );
});

Deno.test("openOutbounds() throws when the cipher of a later server cannot be had", async () => {
  await assertRejects(
    () => WaysFixture.open(client([{}, { method: "no-such-method" }])),
    CipherError,
    "no-such-method",
  );
});

Deno.test("openOutbounds() makes groups of servers, direct, and other groups", async () => {
  using fixture = await WaysFixture.open(client([{}, {}], [
    { name: "outer", members: ["inner", "direct"] },
    { name: "inner", members: ["server 2", "server 1"] },
  ]));
  assertEquals(fixture.outbounds.route("outer").name, "outer");
  const first = fixture.pick("outer");
  const second = fixture.pick("outer", [first!]);
  const third = fixture.pick("outer", [first!, second!]);
  assertEquals(
    [first, second, third].map((each) => each?.name),
    ["server 2", "server 1", "direct"],
  );
  assertEquals(fixture.pick("outer", [first!, second!, third!]), undefined);
  // Whoever names the server itself sees the health that the group knows.
  assertEquals(fixture.pick("server 2") === first, true);
});

Deno.test("openOutbounds() gives groups the weights of servers", async () => {
  using fixture = await WaysFixture.open(client(
    [{ tcpWeight: 0 }, { udpWeight: 0 }],
    [{ members: ["server 1", "server 2"] }],
  ));
  const group = fixture.outbounds.route("group");
  assertEquals(group.pick(newSession("tcp"), [])?.name, "server 2");
  assertEquals(group.pick(newSession("udp"), [])?.name, "server 1");
});

Deno.test("openOutbounds() gives no UDP to servers that cannot carry it", async () => {
  using fixture = await WaysFixture.open(client(
    [{ mode: "tcp_only" }, { proxy: [SOCKS] }, {}],
    [{ members: ["server 1", "server 2", "server 3"] }],
  ));
  const group = fixture.outbounds.route("group");
  assertEquals(group.pick(newSession("tcp"), [])?.name, "server 1");
  assertEquals(group.pick(newSession("udp"), [])?.name, "server 3");
});

Deno.test("openOutbounds() gives no TCP to servers that carry UDP alone", async () => {
  using fixture = await WaysFixture.open(client(
    [{ mode: "udp_only" }, {}],
    [{ members: ["server 1", "server 2"] }],
  ));
  const group = fixture.outbounds.route("group");
  assertEquals(group.pick(newSession("tcp"), [])?.name, "server 2");
  assertEquals(group.pick(newSession("udp"), [])?.name, "server 1");
});

Deno.test("openOutbounds() counts a server of tcp_only out whatever its weight and the strategy", async () => {
  for (const strategy of STRATEGY_NAMES) {
    using fixture = await WaysFixture.open(client(
      [{ mode: "tcp_only", udpWeight: 1 }, { udpWeight: 0.01 }, {
        udpWeight: 0,
      }],
      [{
        strategy,
        members: ["server 1", "server 2", "server 3"],
        selected: "server 2",
      }],
    ));
    const group = fixture.outbounds.route("group");
    // A random pick of the two others would be seen in one run of 3 ** 20.
    for (let i = 0; i < 20; i++) {
      const picked = group.pick(newSession("udp"), []);
      assertEquals(picked?.name, "server 2", strategy);
      assertEquals(group.pick(newSession("udp"), [picked!]), undefined);
    }
  }
});

Deno.test("openOutbounds() selects what the configuration says", async () => {
  using fixture = await WaysFixture.open(client([{}, {}], [{
    strategy: "select",
    members: ["server 1", "server 2"],
    selected: "server 2",
  }]));
  assertEquals(fixture.pick("group")?.name, "server 2");
});

Deno.test("openOutbounds() puts the proxies of a server in front of it", async () => {
  using fixture = await WaysFixture.open(client([
    { proxy: [SOCKS] },
    { proxy: [HTTP, SOCKS] },
    {},
  ]));
  assertEquals(
    ["server 1", "server 2", "server 3"].map((name) =>
      fixture.destination(name)
    ),
    ["192.0.2.50:1080", "proxy.example:3128", "192.0.2.3:8388"],
  );
});

Deno.test("viaProxies() leaves a way as it is when there are none", async () => {
  const direct = new DirectOutbound();
  assertEquals(await viaProxies(direct, []) === direct, true);
});

Deno.test("viaProxies() leads to the first proxy", async () => {
  const way = await viaProxies(new DirectOutbound(), [HTTP, SOCKS]);
  using stream = way.open(Target.of("example.com", 443), newSession());
  assertEquals(`${stream.destination}`, "proxy.example:3128");
});

const PROBED = client([{}], [{
  members: ["server 1"],
  probeUrl: "http://probe.example/",
  probeInterval: 10,
}]);

Deno.test("Outbounds.start() begins to probe, and its disposal ends that", async () => {
  const fixture = await WaysFixture.open(PROBED);
  const { net } = fixture;
  await net.advance(60_000);
  assertEquals(net.poller.connects.length, 0);
  fixture.outbounds.start();
  await net.advance(60_000);
  const begun = net.poller.connects.length;
  assertEquals(begun > 0, true);
  assertEquals(`${net.poller.connects[0]?.remoteAddress}`, "192.0.2.1:8388");
  fixture[Symbol.dispose]();
  await net.advance(60_000);
  assertEquals(net.poller.connects.length, begun);
  assertEquals(net.poller.open, []);
});

Deno.test("Outbounds ends probes before the ciphers that they use", () => {
  const groups = new FakeGroups();
  const stack = new DisposableStack();
  stack.defer(() => groups.told.push("ciphers"));
  const outbounds = new Outbounds({
    routes: new Map(),
    ciphers: [],
    groups,
    stack,
  });
  outbounds.start();
  outbounds[Symbol.dispose]();
  assertEquals(groups.told, ["start", "stop", "ciphers"]);
});
