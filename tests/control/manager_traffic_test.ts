/**
 * Tests of the ports of a manager: what they relay, what is counted, how they
 * are closed.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  echoTarget,
  freePort,
  isListening,
  type ManagerClient,
  parseStat,
  seededBytes,
  staysPending,
  UdpEcho,
  withTimeout,
} from "../support/mod.ts";
import {
  type ManagerFixture,
  managerTest,
  PortConnection,
  PortDatagrams,
} from "./_manager_fixture.ts";
import { METHOD } from "../relay/_relay_fixture.ts";

const PASSWORD = "a password of the tests";
const LIBEV = { keys: { manager_dialect: "libev" } } as const;

async function add(
  client: ManagerClient,
  port: number,
  keys: Record<string, unknown> = {},
): Promise<void> {
  const json = JSON.stringify({
    server_port: port,
    password: PASSWORD,
    ...keys,
  });
  assertEquals(await client.ask(`add: ${json}`), "ok");
}

/** Waits until a port refuses connections; Deno takes a moment to close it. */
async function closes(port: number): Promise<void> {
  const isOpen = (): Promise<boolean> => isListening(port).catch(() => true);
  while (await withTimeout(isOpen(), "an answer")) continue;
}

/** What is pushed now; undefined if nothing is. */
async function pushed(
  fixture: ManagerFixture,
  client: ManagerClient,
): Promise<string | undefined> {
  fixture.tenSeconds();
  const text = await client.ask("ping");
  if (text === "pong") return undefined;
  assertEquals(await client.receive(), "pong");
  return text;
}

managerTest(
  "Manager pushes the bytes of each port, once, to the last client",
  {},
  async (fixture) => {
    await using target = echoTarget();
    await using udpTarget = new UdpEcho();
    const [first, last] = [fixture.client(), fixture.client()];
    const [tcp, udp, idle] = [freePort(), freePort(), freePort()];
    for (const port of [tcp, udp, idle]) await add(first, port);
    assertEquals(await pushed(fixture, last), undefined);

    using one = await PortConnection.open(tcp, PASSWORD, { target });
    using two = await PortConnection.open(tcp, PASSWORD, { target });
    await one.echo(seededBytes(300_000, 1));
    await two.echo(seededBytes(17, 2));
    using datagrams = await PortDatagrams.open(udp, PASSWORD, {
      target: udpTarget,
    });
    await datagrams.echo(seededBytes(1000, 3));
    const expected = { [tcp]: one.bytes + two.bytes, [udp]: datagrams.bytes };
    const text = await pushed(fixture, last);
    assertEquals(parseStat(text!), expected);
    assertEquals(
      text,
      `stat: {"${tcp}":${expected[tcp]},"${udp}":${expected[udp]}}`,
    );
    assertEquals(await pushed(fixture, last), undefined);

    const before = one.bytes;
    await one.echo(seededBytes(1, 4));
    assertEquals(
      await pushed(fixture, last),
      `stat: {"${tcp}":${one.bytes - before}}`,
    );
    // The one that asked first gets nothing any more.
    assertEquals(await first.ask("ping"), "pong");
  },
);

managerTest(
  "Manager answers a ping with all bytes of its ports in the libev dialect",
  LIBEV,
  async (fixture) => {
    await using target = echoTarget();
    const client = fixture.client();
    const [port, idle] = [freePort(), freePort()];
    await add(client, port);
    await add(client, idle);
    using conn = await PortConnection.open(port, PASSWORD, { target });
    for (const size of [1, 100_000]) {
      await conn.echo(seededBytes(size, size));
      // Nothing is pushed: the next datagram is the answer.
      fixture.tenSeconds();
      assertEquals(
        await client.ask("ping"),
        `stat: {"${port}":${conn.bytes},"${idle}":0}`,
      );
    }
    assertEquals(await client.ask(`remove: {"server_port":${port}}`), "ok");
    await add(client, port);
    assertEquals(
      await client.ask("ping"),
      `stat: {"${idle}":0,"${port}":0}`,
    );
  },
);

managerTest(
  "Manager names at most 50 ports in one stat",
  {},
  async (fixture) => {
    await using udpTarget = new UdpEcho();
    const client = fixture.client();
    const ports: number[] = [];
    while (ports.length < 120) {
      const port = freePort();
      if (ports.includes(port)) continue;
      await add(client, port, { mode: "udp_only" });
      ports.push(port);
    }
    const expected: Record<string, number> = {};
    for (const [i, port] of ports.entries()) {
      using datagrams = await PortDatagrams.open(port, PASSWORD, {
        target: udpTarget,
      });
      await datagrams.echo(seededBytes(100 + i, i));
      expected[port] = datagrams.bytes;
    }
    assertEquals(await client.ask("ping"), "pong");
    fixture.tenSeconds();
    const sizes: number[] = [];
    const got: Record<string, number> = {};
    while (Object.keys(got).length < 120) {
      const text = await client.receive();
      assert(text.length <= 1506, text);
      const part = parseStat(text);
      sizes.push(Object.keys(part).length);
      Object.assign(got, part);
    }
    assertEquals(sizes, [50, 50, 20]);
    assertEquals(got, expected);
  },
);

/** Bytes that were not pushed yet come behind the answer. */
async function removed(
  client: ManagerClient,
  port: number,
): Promise<number | undefined> {
  assertEquals(await client.ask(`remove: {"server_port":${port}}`), "ok");
  const next = await client.ask("ping");
  if (next === "pong") return undefined;
  assertEquals(await client.receive(), "pong");
  return parseStat(next)[port];
}

managerTest(
  "Manager ends the connections of a removed port, and bills nobody else for them",
  {},
  async (fixture) => {
    await using target = echoTarget();
    const client = fixture.client();
    const [port, kept] = [freePort(), freePort()];
    await add(client, kept);
    using other = await PortConnection.open(kept, PASSWORD, { target });
    await other.echo(seededBytes(10, 1));
    await pushed(fixture, client);
    const before = fixture.watched;
    await add(client, port);
    using conn = await PortConnection.open(port, PASSWORD, { target });
    await conn.echo(seededBytes(1000, 1));
    assertEquals(await removed(client, port), conn.bytes);
    assertEquals(await isListening(port), false);
    await conn.ended();
    await other.echo(seededBytes(10, 1));
    await pushed(fixture, client);
    // Another password takes the port.
    await add(client, port, { password: "another password" });
    using next = await PortConnection.open(port, "another password", {
      target,
    });
    await next.echo(seededBytes(100, 3));
    assertEquals(
      await pushed(fixture, client),
      `stat: {"${port}":${next.bytes}}`,
    );
    assertEquals(await removed(client, port), undefined);
    await next.ended();
    while (fixture.watched > before) {
      assertEquals(await client.ask("ping"), "pong");
    }
  },
);

managerTest(
  "Manager ends the connections of a port whose password it replaces in the libev dialect",
  LIBEV,
  async (fixture) => {
    await using target = echoTarget();
    const client = fixture.client();
    const port = freePort();
    await add(client, port);
    using old = await PortConnection.open(port, PASSWORD, { target });
    await old.echo(seededBytes(10, 1));
    await add(client, port, { password: "another password" });
    await old.ended();
    using next = await PortConnection.open(port, "another password", {
      target,
    });
    await next.echo(seededBytes(100, 3));
    assertEquals(await client.ask("ping"), `stat: {"${port}":${next.bytes}}`);
  },
);

managerTest(
  "Manager keeps a port in the libev dialect whose new address has no name",
  LIBEV,
  async (fixture) => {
    await using target = echoTarget();
    const client = fixture.client();
    const port = freePort();
    await add(client, port);
    using conn = await PortConnection.open(port, PASSWORD, { target });
    const json = JSON.stringify({
      server_port: port,
      password: PASSWORD,
      server: "host.test",
    });
    await client.send(`add: ${json}`);
    await fixture.logs.waitFor("looking up host.test");
    fixture.resolver.answer();
    assertEquals(await client.receive(), "port is not available");
    await conn.echo(seededBytes(10, 1));
  },
);

managerTest(
  "Manager gives each port the method, networks and mode it was added with",
  {},
  async (fixture) => {
    await using target = echoTarget();
    await using udpTarget = new UdpEcho();
    const client = fixture.client();
    const [other, closed, tcpOnly] = [freePort(), freePort(), freePort()];
    const method = "chacha20-ietf-poly1305";
    await add(client, other, { method });
    await add(client, closed, { forbidden_ip: "127.0.0.0/8" });
    await add(client, tcpOnly, { mode: "tcp_only" });

    using good = await PortConnection.open(other, PASSWORD, { target, method });
    await good.echo(seededBytes(1000, 1));
    using refused = await PortConnection.open(closed, PASSWORD, { target });
    await Promise.all([
      assertRejects(() => refused.echo(seededBytes(1, 1))),
      fixture.logs.waitFor("IP 127.0.0.1 is in forbidden list, reject"),
    ]);
    using half = await PortConnection.open(tcpOnly, PASSWORD, { target });
    await half.echo(seededBytes(1000, 2));
    Deno.listenDatagram({
      transport: "udp",
      hostname: "127.0.0.1",
      port: tcpOnly,
    }).close();
    using datagrams = await PortDatagrams.open(other, PASSWORD, {
      target: udpTarget,
      method,
    });
    await datagrams.echo(seededBytes(500, 3));
  },
);

managerTest(
  "Manager.close() closes everything but the connections, then calls back",
  {},
  async (fixture) => {
    await using target = echoTarget();
    const client = fixture.client();
    const [port, second] = [freePort(), freePort()];
    await add(client, port);
    await add(client, second);
    const idle = Promise.withResolvers<void>();
    {
      using one = await PortConnection.open(port, PASSWORD, { target });
      using two = await PortConnection.open(second, PASSWORD, { target });
      await one.echo(seededBytes(1000, 1));
      await two.echo(seededBytes(1000, 2));
      fixture.service.close(() => idle.resolve());
      // What was counted so far is not lost.
      assertEquals(parseStat(await client.receive()), {
        [port]: one.bytes,
        [second]: two.bytes,
      });
      await closes(port);
      await client.send("ping").catch(() => {});
      await two.echo(seededBytes(1000, 3));
      await one.echo(seededBytes(1000, 3));
      assert(await staysPending(idle.promise, 20));
    }
    await withTimeout(idle.promise, "the end");
    assertEquals(fixture.watched, 0);
  },
);

managerTest(
  "Manager.destroy() ends connections, of ports that are drained too",
  {},
  async (fixture) => {
    await using target = echoTarget();
    const client = fixture.client();
    const [port, second] = [freePort(), freePort()];
    await add(client, port);
    await add(client, second);
    using one = await PortConnection.open(port, PASSWORD, { target });
    using two = await PortConnection.open(second, PASSWORD, { target });
    await one.echo(seededBytes(10, 1));
    await two.echo(seededBytes(10, 2));
    fixture.service.close(() => {});
    fixture.service.destroy();
    assertEquals(fixture.watched, 0);
    await one.ended();
    await two.ended();
  },
);

managerTest("Manager lists the method of each port", {}, async (fixture) => {
  const client = fixture.client();
  const port = freePort();
  await add(client, port);
  const list = JSON.parse(await client.ask("list"));
  assertEquals(list, [{ server_port: `${port}`, method: METHOD }]);
});
