/**
 * Tests of the manager's protocol, over real sockets of every poller.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { SocketError } from "../../loop/mod.ts";
import { freePort, isListening, type ManagerClient } from "../support/mod.ts";
import { ManagerFixture, managerTest } from "./_manager_fixture.ts";
import { METHOD } from "../relay/_relay_fixture.ts";

const PASSWORD = "a password of the tests";
const LIBEV = { keys: { manager_dialect: "libev" } } as const;

function add(
  port: number | string,
  keys: Record<string, unknown> = {},
): string {
  return `add: ${
    JSON.stringify({ server_port: port, password: PASSWORD, ...keys })
  }`;
}

function remove(port: number | string): string {
  return `remove: ${JSON.stringify({ server_port: port })}`;
}

function entry(port: number, method = METHOD): string {
  return `\n\t{"server_port":"${port}","method":"${method}"}`;
}

/** Whether every port takes connections. */
async function areListening(...ports: readonly number[]): Promise<boolean> {
  const answers = await Promise.all(ports.map(isListening));
  return answers.every((each) => each);
}

managerTest(
  "Manager speaks the protocol of the original when its dialect is python",
  {},
  async (fixture) => {
    const client = fixture.client();
    const [one, two] = [freePort(), freePort()];
    const dialogue: readonly (readonly [string, string])[] = [
      ["ping", "pong"],
      ["ping: {}", "pong"],
      ["list", "[\n]"],
      [add(one), "ok"],
      [add(one), "ok"],
      [`${add(`${two}`, { method: "AES-256-GCM" })}\n`, "ok"],
      ["list", `[${entry(one)},${entry(two, "aes-256-gcm")}\n]`],
      [remove(`${one}`), "ok"],
      [remove(one), "ok"],
      [`${remove(one)}\n`, "ok"],
      ["list", `[${entry(two, "aes-256-gcm")}\n]`],
    ];
    for (const [request, answer] of dialogue) {
      assertEquals(await client.ask(request), answer, request);
    }
    assert(await areListening(two));
    assertEquals(await isListening(one), false);
    const log = fixture.logs.texts;
    const expected = [
      "entering manager mode",
      `starting manager at ${fixture.service.controlName}`,
      `adding server at 127.0.0.1:${one}`,
      `starting server at 127.0.0.1:${one}`,
      `server already exists at 127.0.0.1:${one}`,
      `adding server at 127.0.0.1:${two}`,
      `starting server at 127.0.0.1:${two}`,
      `removing server at 127.0.0.1:${one}`,
      `server not exist at 127.0.0.1:${one}`,
    ];
    assertEquals(log.filter((text) => expected.includes(text)), [
      ...expected,
      expected.at(-1),
    ]);
    assert(!log.some((text) => text.includes(PASSWORD)));
  },
);

managerTest(
  "Manager says nothing to what it does not know when its dialect is python",
  {},
  async (fixture) => {
    const client = fixture.client();
    const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const requests = [
      "",
      "ping\n",
      "pong",
      "stat: {}",
      "add",
      "add:",
      "add: {bad",
      "add: {}",
      "add: []",
      'add: {"server_port":0,"password":"x"}',
      'add: {"server_port":65536,"password":"x"}',
      'add: {"server_port":[1,2],"password":"x"}',
      'add: {"server_port":1}',
      add(1, { method: "no-such-method" }),
      add((taken.addr as Deno.NetAddr).port),
      "remove",
      "remove: {}",
    ];
    for (const request of requests) {
      fixture.logs.clear();
      await client.send(request);
      assertEquals(await client.ask("ping"), "pong", request);
      assert(fixture.logs.of("error").length > 0, request);
    }
    assertEquals(await client.ask("list"), "[\n]");
    taken.close();
  },
);

managerTest(
  "Manager speaks the protocol of ss-manager when its dialect is libev",
  LIBEV,
  async (fixture) => {
    const client = fixture.client();
    const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const [one, two] = [freePort(), freePort()];
    const dialogue: readonly (readonly [string, string])[] = [
      ["ping", "stat: {}"],
      ["ping\n", "stat: {}"],
      ["list", "[\n]"],
      [add(one), "ok"],
      [add(one, { method: "aes-256-gcm" }), "ok"],
      [add(`${two}`), "ok"],
      ["list", `[${entry(one, "aes-256-gcm")},${entry(two)}\n]`],
      ["ping", `stat: {"${one}":0,"${two}":0}`],
      ["add: {bad", "err"],
      ["add", "err"],
      ["add: {}", "err"],
      ["remove: {}", "err"],
      ["remove", "err"],
      [add((taken.addr as Deno.NetAddr).port), "port is not available"],
      [remove(one), "ok"],
      [remove(one), "ok"],
      ["ping", `stat: {"${two}":0}`],
    ];
    for (const [request, answer] of dialogue) {
      assertEquals(await client.ask(request), answer, request);
    }
    for (const request of ["nonsense", "stat: {}", ""]) {
      await client.send(request);
      assertEquals(await client.ask("ping"), `stat: {"${two}":0}`, request);
    }
    taken.close();
  },
);

managerTest(
  "Manager answers each client, wherever it is",
  {},
  async (fixture) => {
    const clients = [fixture.client(), fixture.client(), fixture.client()];
    const ports = clients.map(() => freePort());
    const ask = (client: ManagerClient, i: number): Promise<string> =>
      client.ask(i === 0 ? "ping" : add(ports[i]!));
    assertEquals(await Promise.all(clients.map(ask)), ["pong", "ok", "ok"]);
    assert(await areListening(ports[1]!, ports[2]!));
  },
);

managerTest(
  "Manager has requests wait for no name of another port",
  {},
  async (fixture) => {
    const client = fixture.client();
    const [one, two, three] = [freePort(), freePort(), freePort()];
    await client.send(add(one, { server: "host.test" }));
    await client.send(remove(one));
    await client.send(add(two, { server: "host.test" }));
    await fixture.logs.waitFor("looking up host.test", 2);
    assertEquals(fixture.resolver.asked.length, 2);
    assertEquals(await client.ask(add(three)), "ok");
    assertEquals(await client.ask("ping"), "pong");
    assertEquals(await client.ask("list"), `[${entry(three)}\n]`);
    assertEquals(await areListening(three), true);
    // The removal of a port waits for its own name.
    fixture.resolver.answer("127.0.0.1");
    assertEquals(await client.receive(), "ok");
    assertEquals(await client.receive(), "ok");
    fixture.resolver.answer("127.0.0.1");
    assertEquals(await client.receive(), "ok");
    assertEquals(
      await client.ask("list"),
      `[${entry(three)},${entry(two)}\n]`,
    );
    assertEquals(await isListening(one), false);
    assert(await areListening(two, three));
  },
);

managerTest(
  "Manager opens nothing when it ends while a name is looked up",
  {},
  async (fixture) => {
    const client = fixture.client();
    const port = freePort();
    await client.send(add(port, { server: "host.test" }));
    await fixture.logs.waitFor("looking up host.test");
    fixture.service.destroy();
    fixture.resolver.answer("127.0.0.1");
    assertEquals(await isListening(port), false);
    assertEquals(fixture.watched, 0);
  },
);

managerTest(
  "Manager opens all addresses of a port or none",
  { keys: { server: ["127.0.0.1", "127.0.0.2"] } },
  async (fixture) => {
    if (Deno.build.os !== "linux") return;
    const client = fixture.client();
    const taken = Deno.listen({ hostname: "127.0.0.2", port: 0 });
    const { port } = taken.addr as Deno.NetAddr;
    const before = fixture.watched;
    await client.send(add(port));
    assertEquals(await client.ask("ping"), "pong");
    assertEquals(fixture.watched, before);
    assertEquals(await isListening(port), false);
    taken.close();
    assertEquals(await client.ask(add(port)), "ok");
    assertEquals(fixture.service.listening, [
      { host: "127.0.0.1", port },
      { host: "127.0.0.2", port },
    ]);
    assertEquals(await client.ask(remove(port)), "ok");
    assertEquals(fixture.watched, before);
  },
);

managerTest(
  "Manager logs one line a network when a port of two addresses is removed",
  { keys: { server: ["127.0.0.1", "127.0.0.2"] } },
  async (fixture) => {
    if (Deno.build.os !== "linux") return;
    const client = fixture.client();
    const port = freePort();
    assertEquals(await client.ask(add(port)), "ok");
    assertEquals(await client.ask(remove(port)), "ok");
    assertEquals(fixture.logs.with("closed"), [
      `closed TCP port ${port}`,
      `closed UDP port ${port}`,
    ]);
  },
);

managerTest(
  "Manager starts with the ports of port_password",
  () => {
    const [one, two] = [freePort(), freePort()];
    // The keys of a JSON object that are numbers come in their order.
    const [first, second] = [Math.min(one, two), Math.max(one, two)];
    return {
      first,
      second,
      keys: {
        port_password: { [first]: PASSWORD, [second]: `${PASSWORD} too` },
      },
    };
  },
  async (fixture, { first, second }) => {
    assert(await areListening(first, second));
    const client = fixture.client();
    assertEquals(
      await client.ask("list"),
      `[${entry(first)},${entry(second)}\n]`,
    );
    assertEquals(await client.ask(remove(first)), "ok");
    assertEquals(await isListening(first), false);
  },
);

const STARTS = [
  { role: "ssserver", password: PASSWORD, ports: 1 },
  { role: "ssserver", password: "", ports: 0 },
  { role: "ssmanager", password: PASSWORD, ports: 0 },
] as const;

for (const { role, password, ports } of STARTS) {
  Deno.test(`Manager starts with ${ports} ports as ${role} ${password === "" ? "without" : "with"} a password`, async () => {
    const secret = password === "" ? {} : { password };
    await using fixture = await ManagerFixture.start({
      role,
      keys: { server_port: freePort(), ...secret },
    });
    assertEquals(fixture.service.listening.length, ports);
  });
}

Deno.test("Manager.start() leaves nothing open when a port is taken", async () => {
  const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr as Deno.NetAddr;
  const free = freePort();
  await using fixture = await ManagerFixture.make({
    keys: { port_password: { [free]: PASSWORD, [port]: PASSWORD } },
  });
  await assertRejects(() => fixture.start(), SocketError, `:${port}`);
  taken.close();
  assertEquals(await isListening(free), false);
  assertEquals(fixture.watched, 0);
});
