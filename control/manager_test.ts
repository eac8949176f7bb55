/**
 * Tests of the manager on a server whose ports exist in name only.
 *
 * @module
 */

import { assertEquals, assertRejects } from "@std/assert";
import { FakeManagerNet } from "./_fake_server.ts";

function add(port: number, keys: Record<string, unknown> = {}): string {
  return `add: ${JSON.stringify({ server_port: port, ...keys })}`;
}

function remove(port: number): string {
  return `remove: {"server_port":${port}}`;
}

function entry(port: number, method = "aes-128-gcm"): string {
  return `\n\t{"server_port":"${port}","method":"${method}"}`;
}

Deno.test("Manager.start() opens the ports that the server begins with", async () => {
  using fixture = new FakeManagerNet();
  const { server } = fixture;
  server.startPorts = [server.port(8001), server.port(8002, "aes-256-gcm")];
  await fixture.manager.start();
  assertEquals(fixture.manager.controlName, "127.0.0.1:6001");
  assertEquals(server.told, ["open 8001", "open 8002"]);
  await fixture.send("list");
  assertEquals(fixture.answers(), [
    `[${entry(8001)},${entry(8002, "aes-256-gcm")}\n]`,
  ]);
});

Deno.test("Manager.start() throws what a first port could not be opened for", async () => {
  using fixture = new FakeManagerNet();
  const { server } = fixture;
  server.startPorts = [server.port(8001), server.port(8002)];
  server.errors.set(8001, new Error("taken"));
  await assertRejects(() => fixture.manager.start(), Error, "taken");
  assertEquals(server.told, ["open 8001"]);
});

Deno.test("Manager.start() throws when its own address is in use", async () => {
  using fixture = new FakeManagerNet();
  fixture.net.poller.bindErrors.push("EADDRINUSE");
  await assertRejects(() => fixture.manager.start(), Error, "127.0.0.1:6001");
  assertEquals(fixture.server.told, []);
  assertEquals(fixture.net.poller.open, []);
});

Deno.test("Manager.start() opens nothing when it was closed before", async () => {
  using fixture = new FakeManagerNet();
  fixture.server.startPorts = [fixture.server.port(8001)];
  fixture.manager.close();
  await fixture.manager.start();
  assertEquals(fixture.server.told, []);
  assertEquals(fixture.net.poller.open, []);
});

/** Requests with what each dialect answers; `""`: nothing. */
const DIALOGUE: readonly (readonly [string, string, string])[] = [
  ["ping", "pong", "stat: {}"],
  [add(8001), "ok", "ok"],
  [add(8001, { method: "aes-256-gcm" }), "ok", "ok"],
  ["list", `[${entry(8001)}\n]`, `[${entry(8001, "aes-256-gcm")}\n]`],
  ["ping", "pong", 'stat: {"8001":0}'],
  [add(8666), "", "port is not available"],
  ["add: {bad", "", "err"],
  ["add", "", "err"],
  ["remove: {}", "", "err"],
  ["nonsense", "", ""],
  [remove(8001), "ok", "ok"],
  [remove(8001), "ok", "ok"],
  ["list", "[\n]", "[\n]"],
];

for (const [i, dialect] of (["python", "libev"] as const).entries()) {
  Deno.test(`Manager answers in the ${dialect} dialect`, async () => {
    using fixture = await FakeManagerNet.start(dialect);
    fixture.server.errors.set(8666, new Error("taken"));
    for (const [request, ...answers] of DIALOGUE) {
      await fixture.send(request);
      const answer = answers[i];
      assertEquals(
        fixture.answers(),
        answer === "" ? [] : [answer],
        request,
      );
    }
  });
}

Deno.test("Manager replaces a port in the libev dialect alone", async () => {
  for (const dialect of ["python", "libev"] as const) {
    using fixture = await FakeManagerNet.start(dialect);
    await fixture.send(add(8001), add(8001));
    assertEquals(
      fixture.server.told,
      dialect === "python"
        ? ["open 8001"]
        : ["open 8001", "close 8001", "open 8001"],
    );
  }
});

Deno.test("Manager closes no port that it has not opened", async () => {
  using fixture = await FakeManagerNet.start();
  fixture.server.errors.set(8666, new Error("taken"));
  await fixture.send(remove(8001), add(8666), remove(8666));
  assertEquals(fixture.server.told, ["open 8666"]);
});

Deno.test("Manager does requests in their order while a port opens slowly", async () => {
  using fixture = await FakeManagerNet.start();
  const { promise, resolve } = Promise.withResolvers<void>();
  fixture.server.waits.set(8001, promise);
  await fixture.send(add(8001), "ping", add(8002));
  assertEquals(fixture.answers(), []);
  assertEquals(fixture.server.told, ["open 8001"]);
  resolve();
  await fixture.net.settle();
  assertEquals(fixture.answers(), ["ok", "pong", "ok"]);
  assertEquals(fixture.server.told, ["open 8001", "open 8002"]);
});

Deno.test("Manager loses requests when too many wait", async () => {
  using fixture = await FakeManagerNet.start();
  const { promise, resolve } = Promise.withResolvers<void>();
  fixture.server.waits.set(8001, promise);
  await fixture.send(add(8001));
  await fixture.send(...new Array(2000).fill("ping"));
  assertEquals(fixture.answers(), []);
  resolve();
  // Each answer takes a few turns of the queue of promises.
  while (fixture.socket.sends.length < 1025) await null;
  await fixture.net.settle();
  assertEquals(fixture.answers(), ["ok", ...new Array(1024).fill("pong")]);
  await fixture.send("ping");
  assertEquals(fixture.answers(), ["pong"]);
});

Deno.test("Manager goes on when the server throws", async () => {
  using fixture = await FakeManagerNet.start();
  fixture.server.faults.set(8001, new TypeError("a fault"));
  await fixture.send(add(8001), "ping");
  assertEquals(fixture.answers(), ["pong"]);
});

Deno.test("Manager pushes what was moved to whoever asked last, once", async () => {
  using fixture = await FakeManagerNet.start();
  fixture.traffic.count(8001, 5);
  fixture.bring(4001, "ping");
  fixture.bring(4002, "ping");
  fixture.bring(4003, "nonsense");
  await fixture.net.settle();
  fixture.answers();
  fixture.traffic.count(8001, 6);
  fixture.traffic.count(8002, 1);
  await fixture.net.advance(10_000);
  assertEquals(fixture.socket.sends.map(({ to }) => to.port), [4002]);
  assertEquals(fixture.answers(), ['stat: {"8001":11,"8002":1}']);
  await fixture.net.advance(10_000);
  assertEquals(fixture.answers(), []);
});

Deno.test("Manager pushes nothing in the libev dialect, and tells totals", async () => {
  using fixture = await FakeManagerNet.start("libev");
  await fixture.send(add(8001));
  fixture.answers();
  fixture.traffic.count(8001, 5);
  await fixture.net.advance(10_000);
  fixture.traffic.count(8001, 6);
  await fixture.net.advance(10_000);
  await fixture.send("ping", "ping", remove(8001), add(8001), "ping");
  assertEquals(fixture.answers(), [
    'stat: {"8001":11}',
    'stat: {"8001":11}',
    "ok",
    "ok",
    'stat: {"8001":0}',
  ]);
});

Deno.test("Manager splits what one datagram does not hold", async () => {
  using fixture = await FakeManagerNet.start();
  const { server, traffic } = fixture;
  await fixture.send("ping");
  const ports = Array.from({ length: 901 }, (_, i) => 10_000 + i);
  for (const port of ports) traffic.count(port, port);
  fixture.answers();
  await fixture.net.advance(10_000);
  const parts = fixture.answers()
    .map((text) => Object.keys(JSON.parse(text.slice("stat: ".length))).length);
  assertEquals(parts, [...new Array(18).fill(50), 1]);

  using other = new FakeManagerNet();
  other.server.startPorts = ports.map((port) => server.port(port));
  await other.manager.start();
  await other.send("list");
  const lists = other.answers().map((text) => JSON.parse(text).length);
  assertEquals(lists, [900, 1]);
});

Deno.test("Manager.close() pushes what was counted, and takes no more requests", async () => {
  using fixture = await FakeManagerNet.start();
  await fixture.send("ping");
  fixture.answers();
  fixture.traffic.count(8001, 7);
  fixture.bring(4000, add(8001));
  fixture.manager.close();
  fixture.manager.close();
  await fixture.net.settle();
  assertEquals(fixture.answers(), ['stat: {"8001":7}']);
  assertEquals(fixture.server.told, []);
  assertEquals(fixture.net.poller.open, []);
  assertEquals(fixture.net.loop.size, 0);
});

Deno.test("Manager.close() drops the requests that wait for the one before", async () => {
  using fixture = await FakeManagerNet.start();
  const { promise, resolve } = Promise.withResolvers<void>();
  fixture.server.waits.set(8001, promise);
  await fixture.send(add(8001), add(8002), remove(8001));
  fixture.manager.close();
  resolve();
  await fixture.net.settle();
  assertEquals(fixture.server.told, ["open 8001"]);
});
