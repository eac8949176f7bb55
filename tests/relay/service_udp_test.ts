/**
 * A server and a local on real sockets: datagrams.
 *
 * @module
 */

import { assertEquals, assertRejects } from "@std/assert";
import { servicesTest } from "../faults/_services.ts";
import {
  concat,
  echoDatagrams,
  request,
  seededBytes,
  socks5Connect,
  type Socks5Datagrams,
  Socks5Refused,
  socks5UdpAssociate,
  type Target,
  text,
  UdpEcho,
  utf8,
  withTimeout,
} from "../support/mod.ts";
import { header } from "./_relay_fixture.ts";

servicesTest(
  "Service relays datagrams of every size",
  (services) =>
    echoDatagrams(services.localPort, [1, 2, 100, 1200, 1472, 8192, 65_000]),
);

servicesTest(
  "Service reaches two targets from one port of its own",
  async (services) => {
    await using one = new UdpEcho();
    await using two = new UdpEcho();
    using association = await socks5UdpAssociate(services.localPort);
    for (const target of [one, two, one]) {
      assertEquals(await echo(association, target), target.port);
    }
    assertEquals(one.sources, two.sources);
    assertEquals(one.sources.size, 1);
  },
);

servicesTest(
  "Service looks names of datagrams up at the server",
  async (services) => {
    await using target = new UdpEcho();
    services.resolver.known.set("echo.example", ["127.0.0.1"]);
    using association = await socks5UdpAssociate(services.localPort);
    const named = { hostname: "echo.example", port: target.port };
    assertEquals(await echo(association, named), target.port);
  },
);

servicesTest(
  "Service drops fragments and garbage, and relays on",
  async (services) => {
    await using target = new UdpEcho();
    using association = await socks5UdpAssociate(services.localPort);
    const { localPort, serverPort } = services;
    using socket = plainSocket();
    const head = header({ host: "127.0.0.1", port: target.port });
    await socket.send(
      localPort,
      concat(Uint8Array.of(0, 0, 1), head, utf8("x")),
    );
    for (let length = 0; length <= 120; length++) {
      for (const port of [localPort, serverPort]) {
        await socket.send(port, seededBytes(length, length));
      }
      // No more than the system's queue holds.
      if (length % 20 === 0) await echo(association, target);
    }
    await echo(association, target);
    assertEquals(target.received, 8);
    assertEquals(services.logs.with("Unexpected"), []);
  },
);

servicesTest(
  "Service drops a datagram that is too long when sealed, and relays on",
  async (services) => {
    await using target = new UdpEcho();
    using association = await socks5UdpAssociate(services.localPort);
    // The longest that an application can send at all.
    await association.send(target, new Uint8Array(65_507 - 10));
    await echo(association, target);
    assertEquals(target.received, 1);
  },
);

servicesTest(
  "Service refuses forbidden targets with every datagram",
  async (services) => {
    await using forbidden = new UdpEcho();
    using association = await socks5UdpAssociate(services.localPort);
    const line = "is in forbidden list";
    for (let count = 1; count <= 2; count++) {
      await association.send(forbidden, utf8("x"));
      await withTimeout(services.logs.waitFor(line, count), "the refusal");
    }
    assertEquals(forbidden.received, 0);
  },
  { server: { forbiddenIp: ["127.0.0.0/8"] } },
);

servicesTest(
  "Service refuses a forbidden target written as IPv4-mapped, also after others",
  async (services) => {
    await using allowed = new UdpEcho();
    await using forbidden = new UdpEcho();
    using socket = plainSocket();
    const head = header({ host: "127.0.0.1", port: allowed.port });
    await socket.send(services.localPort, concat(PREFIX, head, utf8("good")));
    await withTimeout(socket.receive(), "the first answer");
    const { port } = forbidden;
    for (let count = 1; count <= 2; count++) {
      const mapped = Uint8Array.of(
        ...[4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        ...[255, 255, 127, 9, 9, 9, port >> 8, port & 255],
      );
      await socket.send(services.localPort, concat(PREFIX, mapped, utf8("x")));
      await withTimeout(
        services.logs.waitFor("IP 127.9.9.9 is in forbidden list", count),
        "the refusal",
      );
    }
    assertEquals(forbidden.received, 0);
  },
  { server: { forbiddenIp: ["127.9.0.0/16"] } },
);

servicesTest(
  "Service drops the oldest association when there are too many",
  async (services) => {
    await using target = new UdpEcho();
    const head = header({ host: "127.0.0.1", port: target.port });
    const before = services.watched;
    for (let i = 0; i < 12; i++) {
      using socket = plainSocket();
      await socket.send(services.localPort, concat(PREFIX, head, utf8("x")));
      await withTimeout(socket.receive(), "an answer");
    }
    // Three at the local, three at the server.
    assertEquals(services.watched - before, 6);
    assertEquals(target.received, 12);
    await request(services.localPort, { count: 2, parallel: 1 });
  },
  { both: { udpMaxAssociations: 3 } },
);

servicesTest(
  "Service ends the associations when the UDP ASSOCIATE connection ends",
  async (services) => {
    await using target = new UdpEcho();
    const before = services.watched;
    const association = await socks5UdpAssociate(services.localPort);
    await echo(association, target);
    // The connection and the outgoing sockets of local and server.
    assertEquals(services.watched - before, 3);
    association[Symbol.dispose]();
    // A new one is served after the end of the old one was seen.
    using next = await socks5UdpAssociate(services.localPort);
    await echo(next, target);
    assertEquals(target.sources.size, 2);
  },
);

servicesTest(
  "Service refuses UDP ASSOCIATE when the mode is tcp_only",
  async (services) => {
    const error = await assertRejects(
      () => socks5UdpAssociate(services.localPort),
      Socks5Refused,
    );
    assertEquals((error as Socks5Refused).reply, 7);
    await request(services.localPort, { count: 1, parallel: 1 });
  },
  { both: { mode: "tcp_only" } },
);

servicesTest(
  "Service relays datagrams alone when the mode is udp_only",
  async (services) => {
    await echoDatagrams(services.localPort, [1, 1000]);
    const error = await assertRejects(
      () =>
        socks5Connect(services.localPort, { hostname: "127.0.0.1", port: 9 }),
      Socks5Refused,
    );
    assertEquals((error as Socks5Refused).reply, 2);
    await assertRejects(
      () => Deno.connect({ hostname: "127.0.0.1", port: services.serverPort }),
      Deno.errors.ConnectionRefused,
    );
  },
  { both: { mode: "udp_only" } },
);

const PREFIX = new Uint8Array(3);

/** Sends one datagram; gives the port that the answer came from. */
async function echo(
  association: Socks5Datagrams,
  target: Target,
): Promise<number> {
  await association.send(target, utf8("hello"));
  const answer = await withTimeout(association.receive(), "a datagram");
  assertEquals(text(answer.payload), "hello");
  return answer.source.port;
}

interface PlainSocket extends Disposable {
  send(port: number, data: Uint8Array): Promise<void>;
  receive(): Promise<Uint8Array>;
}

/** A UDP socket without a SOCKS5 connection. */
function plainSocket(): PlainSocket {
  const address = { transport: "udp", hostname: "127.0.0.1" } as const;
  const socket = Deno.listenDatagram({ ...address, port: 0 });
  return {
    async send(port, data): Promise<void> {
      await socket.send(data, { ...address, port });
    },
    receive: async () => (await socket.receive())[0],
    [Symbol.dispose]: () => socket.close(),
  };
}
