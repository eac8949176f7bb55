/**
 * Tests of the listeners of a configuration, on a fake network.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Config, LocalConfig, ServerConfig } from "../config/mod.ts";
import type { DnsCallback } from "../dns/mod.ts";
import { FakeNet, type FakeStream } from "../loop/fakes.ts";
import { type SocketAddress, SocketError } from "../loop/mod.ts";
import type { Session } from "../relay/mod.ts";
import { FakeResolver } from "../dns/fakes.ts";
import { CipherSuite } from "../shadowsocks/mod.ts";
import { concat } from "../tests/support/mod.ts";
import { METHOD, testConfig } from "./_config_fixture.ts";
import { PROVIDERS } from "./_ways_fixture.ts";
import { Service, type ServiceOptions } from "./service.ts";

/** A resolver that tells when it has been asked what it does not know. */
class TellingResolver extends FakeResolver {
  readonly #told = Promise.withResolvers<void>();

  /** Settles when a name waits for its addresses. */
  get wasAsked(): Promise<void> {
    return this.#told.promise;
  }

  override resolve(hostname: string, done: DnsCallback): void {
    super.resolve(hostname, done);
    if (this.asked.length > 0) this.#told.resolve();
  }
}

/** A service on a fake network. */
class ServiceFixture implements Disposable {
  readonly net = new FakeNet();
  readonly resolver = new TellingResolver();
  /** Sessions in the order of their ends. */
  readonly ended: Session[] = [];
  readonly service: Service;

  constructor(config: Config, options: Partial<ServiceOptions> = {}) {
    this.service = new Service(config, {
      loop: this.net.loop,
      resolver: this.resolver,
      providers: PROVIDERS,
      observers: [{ onEnd: (session) => void this.ended.push(session) }],
      ...options,
    });
  }

  static async start(
    config: Config,
    options: Partial<ServiceOptions> = {},
  ): Promise<ServiceFixture> {
    const fixture = new ServiceFixture(config, options);
    await fixture.service.start();
    return fixture;
  }

  /** The ports of the listeners, in the order of the configuration. */
  get ports(): number[] {
    return this.service.listening.map(({ port }) => port);
  }

  /** The addresses of the TCP sockets that listen. */
  get tcp(): string[] {
    return this.net.poller.listeners.filter(({ closed }) => !closed)
      .map(({ localAddress }) => `${localAddress}`);
  }

  /** The addresses of the UDP sockets that are bound. */
  get udp(): string[] {
    return this.net.poller.datagrams.filter(({ closed }) => !closed)
      .map(({ localAddress }) => `${localAddress}`);
  }

  /** A client connects to a port, and sends each piece after an answer. */
  async talk(
    port: number,
    ...pieces: readonly Uint8Array[]
  ): Promise<FakeStream> {
    const listener = this.net.poller.listeners
      .find((each) => !each.closed && each.localAddress.port === port);
    const stream = listener!.arrive();
    for (const piece of pieces) {
      stream.bring(piece);
      await this.net.settle();
    }
    return stream;
  }

  /** Where the last connect went; `""`: there was none since the last look. */
  connect(): string {
    const { connects } = this.net.poller;
    return connects.splice(0).map(({ remoteAddress }) => `${remoteAddress}`)
      .join(" ");
  }

  /** Lets no socket listen on some addresses. */
  refuse(isRefused: (address: SocketAddress) => boolean): void {
    const { poller } = this.net;
    const listen = poller.listenTcp.bind(poller);
    poller.listenTcp = (address, options) => {
      if (!isRefused(address)) return listen(address, options);
      const message = `Cannot listen on ${address}: EADDRINUSE`;
      throw new SocketError("EADDRINUSE", message);
    };
  }

  [Symbol.dispose](): void {
    this.service.destroy();
  }
}

/** Two servers at 192.0.2.1 and 192.0.2.2, and the locals that differ so. */
function client(...locals: readonly Partial<LocalConfig>[]): Config {
  const config = testConfig("sslocal", {
    server: ["192.0.2.1", "192.0.2.2"],
    serverPort: [8388],
    mode: "tcp_only",
    groups: [],
    defaultOutbound: "192.0.2.1:8388",
  });
  const [local] = config.locals;
  return { ...config, locals: locals.map((each) => ({ ...local!, ...each })) };
}

/** A server with the ports that differ so. */
function server(...ports: readonly Partial<ServerConfig>[]): Config {
  const config = testConfig("ssserver");
  const [port] = config.servers;
  return { ...config, servers: ports.map((each) => ({ ...port!, ...each })) };
}

const utf8 = new TextEncoder();
/** Version 5, one method: none (RFC 1928, section 3). */
const HELLO = Uint8Array.of(5, 1, 0);
/** Version 5, one method: name and password (RFC 1929). */
const HELLO_WITH_NAME = Uint8Array.of(5, 1, 2);

function login(name: string, password: string): Uint8Array {
  return concat(
    Uint8Array.of(1, name.length),
    utf8.encode(name),
    Uint8Array.of(password.length),
    utf8.encode(password),
  );
}

/** CONNECT to port 443 of an IPv4 address. */
function connectTo(...ip: readonly number[]): Uint8Array {
  return Uint8Array.of(5, 1, 0, 1, ...ip, 1, 187);
}

Deno.test("Service.start() listens on each local, with the ports that the system chose", async () => {
  using fixture = await ServiceFixture.start(client({}, { mode: "udp_only" }));
  const [first, second] = fixture.ports;
  assert(first !== 0 && second !== 0 && first !== second);
  assertEquals(fixture.service.listening, [
    { host: "127.0.0.1", port: first! },
    { host: "127.0.0.1", port: second! },
  ]);
  // SOCKS5 asks for an association by a connection.
  assertEquals(fixture.tcp, [`127.0.0.1:${first}`, `127.0.0.1:${second}`]);
  assertEquals(fixture.udp, [`127.0.0.1:${second}`]);
});

Deno.test("Service.begin() serves those who have come while the service held", async () => {
  using fixture = await ServiceFixture.start(client({}), { holds: true });
  const [port] = fixture.ports;
  const early = await fixture.talk(port!, HELLO);
  assertEquals(early.sent, new Uint8Array());
  fixture.service.begin();
  await fixture.net.settle();
  assertEquals(early.sent, Uint8Array.of(5, 0));
  const late = await fixture.talk(port!, HELLO);
  assertEquals(late.sent, Uint8Array.of(5, 0));
});

for (const end of ["close", "destroy"] as const) {
  Deno.test(`Service.${end}() ends a service that has not begun`, async () => {
    using fixture = await ServiceFixture.start(server({}), { holds: true });
    let ends = 0;
    if (end === "close") fixture.service.close(() => ends++);
    else fixture.service.destroy();
    assertEquals([fixture.tcp, fixture.udp], [[], []]);
    assertEquals(ends, end === "close" ? 1 : 0);
    fixture.service.begin();
  });
}

Deno.test("Service.start() listens for what each server's mode says", async () => {
  using fixture = await ServiceFixture.start(
    server({ mode: "tcp_only" }, { mode: "udp_only" }, { mode: "tcp_and_udp" }),
  );
  const [tcp, udp, both] = fixture.ports;
  assertEquals(fixture.tcp, [`127.0.0.1:${tcp}`, `127.0.0.1:${both}`]);
  assertEquals(fixture.udp, [`127.0.0.1:${udp}`, `127.0.0.1:${both}`]);
});

Deno.test("Service.start() listens where another service does, sharing the ports", async () => {
  using fixture = await ServiceFixture.start(client({}, {}), {
    listening: [
      { host: "127.0.0.1", port: 4711 },
      { host: "127.0.0.2", port: 4712 },
    ],
    reusePort: true,
  });
  assertEquals(fixture.tcp, ["127.0.0.1:4711", "127.0.0.2:4712"]);
  const asked = fixture.net.poller.listeners.map((each) => each.asked);
  assertEquals(asked.map(({ reusePort }) => reusePort), [true, true]);
});

Deno.test("Service sends the sessions of each local by its own outbound", async () => {
  using fixture = await ServiceFixture.start(
    client({}, { outbound: "192.0.2.2:8388" }, { outbound: "direct" }),
  );
  const ways: string[] = [];
  for (const port of fixture.ports) {
    await fixture.talk(port, HELLO, connectTo(10, 0, 0, 1));
    ways.push(fixture.connect());
  }
  assertEquals(ways, ["192.0.2.1:8388", "192.0.2.2:8388", "10.0.0.1:443"]);
});

Deno.test("Service decides by the rules of each local", async () => {
  const bypass = { path: "a", text: "[bypass_list]\n10.0.0.0/8" };
  const block = { path: "b", text: "[outbound_block_list]\n10.0.0.0/8" };
  using fixture = await ServiceFixture.start(
    client({ acl: bypass }, { acl: block, outbound: "192.0.2.2:8388" }),
  );
  const [first, second] = fixture.ports;
  await fixture.talk(first!, HELLO, connectTo(10, 0, 0, 1));
  assertEquals(fixture.connect(), "10.0.0.1:443");
  await fixture.talk(first!, HELLO, connectTo(11, 0, 0, 1));
  assertEquals(fixture.connect(), "192.0.2.1:8388");
  await fixture.talk(second!, HELLO, connectTo(10, 0, 0, 1));
  assertEquals(fixture.connect(), "");
  const [blocked] = fixture.ended;
  assertEquals([blocked?.status, blocked?.rule, blocked?.listener.port], [
    "blocked",
    "10.0.0.0/8",
    second,
  ]);
  await fixture.talk(second!, HELLO, connectTo(11, 0, 0, 1));
  assertEquals(fixture.connect(), "192.0.2.2:8388");
});

Deno.test("Service serves the users of each local alone", async () => {
  using fixture = await ServiceFixture.start(client(
    { users: [{ name: "alice", password: "one" }] },
    { users: [{ name: "bob", password: "two" }] },
    {},
  ));
  const [alices, bobs, open] = fixture.ports;
  const target = connectTo(10, 0, 0, 1);
  const served: (readonly [number, string, string, boolean])[] = [
    [alices!, "alice", "one", true],
    [alices!, "alice", "two", false],
    [alices!, "bob", "two", false],
    [bobs!, "alice", "one", false],
    [bobs!, "bob", "two", true],
  ];
  for (const [port, name, password, isServed] of served) {
    const fields = [HELLO_WITH_NAME, login(name, password)];
    // Whoever is refused is not listened to any more.
    await fixture.talk(port, ...fields, ...isServed ? [target] : []);
    assertEquals(
      fixture.connect(),
      isServed ? "192.0.2.1:8388" : "",
      `${name} with ${password} at ${port}`,
    );
  }
  assertEquals(
    fixture.ended.map(({ status }) => status),
    ["auth_failed", "auth_failed", "auth_failed"],
  );
  await fixture.talk(open!, HELLO, target);
  assertEquals(fixture.connect(), "192.0.2.1:8388");
});

Deno.test("Service tells the ciphers in use, each once", async () => {
  using fixture = await ServiceFixture.start(server({}, {}));
  const { ciphers } = fixture.service;
  assertEquals(ciphers.map((each) => each.replace(/ by .+$/, "")), [METHOD]);
});

const TAKEN = 4711;

for (
  const [role, config] of [
    ["local", client({}, {}, { port: TAKEN })],
    ["server", server({}, {}, { port: TAKEN })],
  ] as const
) {
  Deno.test(`Service.start() leaves nothing open when the port of a ${role} is in use`, async () => {
    using fixture = new ServiceFixture(config);
    const { poller } = fixture.net;
    fixture.refuse(({ port }) => port === TAKEN);
    await assertRejects(() => fixture.service.start(), SocketError, ":4711");
    assertEquals(poller.listeners.length, 2);
    assertEquals(poller.open, []);
    assertEquals(poller.watched, 0);
    assertEquals(fixture.service.listening, []);
  });
}

Deno.test("Service.start() leaves nothing open when the name of a local has no address", async () => {
  using fixture = new ServiceFixture(client({}, { address: "host.test" }));
  const starting = fixture.service.start();
  await fixture.resolver.wasAsked;
  fixture.resolver.answer();
  await assertRejects(() => starting, SocketError, "host.test");
  assertEquals(fixture.net.poller.open, []);
});

Deno.test("Service.addServers() opens all ports or none", async () => {
  using fixture = await ServiceFixture.start(server({}));
  const { poller } = fixture.net;
  const before = poller.open;
  const more = server({ port: 4711 }, { port: 4712 }).servers;
  let taken = 4712;
  fixture.refuse(({ port }) => port === taken);
  await assertRejects(
    () => fixture.service.addServers(more),
    SocketError,
    ":4712",
  );
  assertEquals(poller.open, before);
  assertEquals(fixture.ports.length, 1);
  taken = 0;
  await fixture.service.addServers(more);
  assertEquals(fixture.ports.slice(1), [4711, 4712]);
});

Deno.test("Service.removePort() closes a port at all its addresses, and no other", async () => {
  using fixture = await ServiceFixture.start(server(
    { host: "127.0.0.1", port: 4711 },
    { host: "127.0.0.2", port: 4711 },
    { host: "127.0.0.1", port: 4712 },
  ));
  const client = await fixture.talk(4711);
  const other = await fixture.talk(4712);
  await fixture.net.settle();
  assertEquals(fixture.service.removePort(4711), true);
  assertEquals(fixture.tcp, ["127.0.0.1:4712"]);
  assertEquals(fixture.udp, ["127.0.0.1:4712"]);
  assertEquals(fixture.ports, [4712]);
  assertEquals(fixture.service.removePort(4711), false);
  // Its connections end with it.
  assertEquals([client.closed, other.closed], [true, false]);
  assertEquals(fixture.ended.map(({ status }) => status), ["removed"]);
  await fixture.service.addServers(server({ port: 4711 }).servers);
  assertEquals(fixture.ports, [4712, 4711]);
});

Deno.test("Service.close() tells when the last connection has ended", async () => {
  using fixture = await ServiceFixture.start(server({}, { port: 4711 }));
  const one = await fixture.talk(fixture.ports[0]!);
  const two = await fixture.talk(4711);
  await fixture.net.settle();
  let isIdle = false;
  fixture.service.close(() => {
    assertEquals(isIdle, false);
    isIdle = true;
  });
  assertEquals([fixture.tcp, fixture.udp, fixture.ports], [[], [], []]);
  for (const client of [one, two]) {
    assertEquals(isIdle, false);
    client.fail("ECONNRESET");
    await fixture.net.settle();
  }
  assertEquals(isIdle, true);
});

Deno.test("Service.close() tells at once when nobody is connected", async () => {
  using fixture = await ServiceFixture.start(server({}, {}));
  let calls = 0;
  fixture.service.close(() => calls++);
  assertEquals(calls, 1);
});

Deno.test("Service.destroy() ends connections, of ports that are drained too", async () => {
  const fixture = await ServiceFixture.start(server({}, { port: 4711 }));
  await fixture.talk(fixture.ports[0]!);
  await fixture.talk(4711);
  await fixture.net.settle();
  fixture.service.close(() => {});
  fixture.service.destroy();
  assertEquals(fixture.net.poller.open, []);
  assertEquals(
    fixture.ended.map(({ status }) => status),
    ["shutdown", "shutdown"],
  );
  // Once more does no harm.
  fixture.service.destroy();
});

for (
  const [role, config] of [
    ["local", client({})],
    ["server", server({})],
  ] as const
) {
  Deno.test(`Service.start() opens nothing when a ${role} is destroyed before it has its ways`, async () => {
    const fixture = new ServiceFixture(config);
    const starting = fixture.service.start();
    fixture.service.destroy();
    await assertRejects(() => starting, SocketError, "the service has ended");
    assertEquals(fixture.net.poller.open, []);
    assertEquals(fixture.service.listening, []);
  });
}

Deno.test("Service.start() opens nothing more when it is destroyed while a name is looked up", async () => {
  for (
    const config of [
      client({}, { address: "host.test" }),
      server({}, { host: "host.test" }),
    ]
  ) {
    const fixture = new ServiceFixture(config);
    const starting = fixture.service.start();
    await fixture.resolver.wasAsked;
    assertEquals(fixture.ports.length, 1);
    fixture.service.destroy();
    assertEquals(fixture.net.poller.open, []);
    fixture.resolver.answer("127.0.0.1");
    await assertRejects(() => starting, SocketError, "the service has ended");
    assertEquals(fixture.net.poller.open, []);
    assertEquals(fixture.service.listening, []);
  }
});

Deno.test("Service.start() opens nothing more when it is closed while a name is looked up", async () => {
  for (
    const config of [
      client({}, { address: "host.test" }),
      server({}, { host: "host.test" }),
    ]
  ) {
    using fixture = new ServiceFixture(config);
    const starting = fixture.service.start();
    await fixture.resolver.wasAsked;
    fixture.service.close(() => {});
    fixture.resolver.answer("127.0.0.1");
    await assertRejects(() => starting, SocketError, "the service has ended");
    assertEquals(fixture.net.poller.open, []);
  }
});

Deno.test("Service.addServers() takes networks and limits of the ports' own", async () => {
  const config = testConfig("ssserver", { mode: "tcp_only" });
  using fixture = await ServiceFixture.start({
    ...config,
    forbiddenIp: ["10.0.0.0/8"],
  });
  const more = config.servers.map((each) => ({ ...each, port: 4711 }));
  await fixture.service.addServers(more, {
    forbiddenIp: ["11.0.0.0/8"],
    udpTimeout: 60,
    udpMaxAssociations: 8,
  });
  const ways: string[] = [];
  for (const port of fixture.ports) {
    for (const ip of ["10.0.0.1", "11.0.0.1"]) {
      await fixture.talk(port, await sealed(ip));
      ways.push(fixture.connect());
    }
  }
  assertEquals(ways, ["", "11.0.0.1:443", "10.0.0.1:443", ""]);
});

/** A connection's first bytes for port 443 of an address, encrypted. */
async function sealed(ip: string): Promise<Uint8Array> {
  const { password } = testConfig("ssserver").servers[0]!;
  using suite = await CipherSuite.create(METHOD, password, PROVIDERS);
  using cryptor = suite.newCryptor();
  const header = Uint8Array.of(1, ...ip.split(".").map(Number), 1, 187);
  const out = new Uint8Array(cryptor.encryptedLength(header.length));
  return out.subarray(0, cryptor.encrypt(header, out));
}
