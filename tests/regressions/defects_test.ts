/**
 * The defects of the original, shadowsocks 3.0.0 in Python, that this product
 * does not have. Each has a test that fails where the defect is; those that
 * are not below are elsewhere:
 *
 * ```text
 * defect of the original                          test
 * one byte by UDP kills sslocal                   e2e/faults: both roles go on
 * forbidden_ip is not asked for a client's        relay/udp_shadowsocks_to_direct:
 *   second packet                                   checks the target of every
 *                                                   packet
 * a forbidden TCP target leaves the client hang   e2e/faults: refuses loopback
 * an IV, salt or header in two segments ends      relay/shadowsocks_to_direct:
 *   the connection                                  segments of one byte;
 *                                                   relay/one_time_auth: cut at
 *                                                   every byte
 * SIGQUIT ends all ports with the first one       e2e/signals: ends with the last
 *   that is idle                                    connection of all ports
 * an authentication failure names no client       e2e/faults: logs the address
 * ```
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { fromZone, questionOf, type Zone } from "../../dns/_fake_dns.ts";
import {
  type ConfigValues,
  echoTarget,
  freePort,
  isListening,
  ManagerClient,
  type Pair,
  PASSWORD,
  readExactly,
  readUntilClosed,
  runRole,
  seededBytes,
  serveDatagrams,
  socks5Connect,
  Socks5Refused,
  socks5UdpAssociate,
  spawnPair,
  spawnRole,
  type Target,
  TempFolder,
  UdpEcho,
  withTimeout,
  writeAll,
} from "../support/mod.ts";

const MAPPED_LOOPBACK = "0:0:0:0:0:ffff:7f00:1";
const METHOD = "aes-256-gcm";

Deno.test("ssserver refuses a packet to ::ffff:127.0.0.1 and goes on", async () => {
  await using pair = await spawnPair({ omit: ["forbidden_ip"] });
  await using echo = new UdpEcho();
  using association = await socks5UdpAssociate(pair.local.port);
  await association.send(
    { hostname: MAPPED_LOOPBACK, port: echo.port },
    seededBytes(10, 1),
  );
  const { program } = pair.server;
  await program.waitFor(/IP \S*127\.0\.0\.1 is in forbidden list/);
  await association.send(
    { hostname: "0.0.0.0", port: echo.port },
    seededBytes(10, 2),
  );
  await program.waitFor(/IP 0\.0\.0\.0 is in forbidden list/);
  assertEquals(echo.received, 0);
  assertEquals((await program.stop()).code, 0, program.output);
});

Deno.test("ssserver relays a packet to ::ffff:127.0.0.1 when nothing is forbidden", async () => {
  await using pair = await spawnPair();
  await using echo = new UdpEcho();
  using association = await socks5UdpAssociate(pair.local.port);
  const payload = seededBytes(10, 1);
  await association.send(
    { hostname: MAPPED_LOOPBACK, port: echo.port },
    payload,
  );
  const answer = await withTimeout(association.receive(), "the answer");
  assertEquals(answer.payload, payload);
  assertEquals(answer.source, { hostname: "127.0.0.1", port: echo.port });
});

Deno.test("ssmanager adds a port when its number is in quotes", async () => {
  const address = freePort();
  await using manager = await spawnRole("ssmanager", {
    format: "json",
    config: {
      server: "127.0.0.1",
      method: METHOD,
      manager_address: `127.0.0.1:${address}`,
    },
  });
  using client = new ManagerClient(address);
  const port = freePort();
  const request = { server_port: `${port}`, password: PASSWORD };
  assertEquals(await client.ask(`add: ${JSON.stringify(request)}`), "ok");
  assert(await isListening(port), manager.program.output);
  assertEquals(await client.ask("ping"), "pong");
  assertEquals(
    await client.ask(`remove: {"server_port":"${port}"}`),
    "ok",
  );
});

/** Places inside the server's machine or network, by their names in the log. */
const INSIDE: readonly (readonly [hostname: string, logged: string])[] = [
  ["127.0.0.1", "127.0.0.1"],
  ["0.0.0.0", "0.0.0.0"],
  ["169.254.169.254", "169.254.169.254"],
  ["0:0:0:0:0:0:0:0", "::"],
  ["0:0:0:0:0:ffff:a9fe:1", "169.254.0.1"],
  ["fe80:0:0:0:0:0:0:1", "fe80::1"],
  ["224.0.0.1", "224.0.0.1"],
  ["ff02:0:0:0:0:0:0:1", "ff02::1"],
  ...Deno.networkInterfaces().flatMap(({ family, address }) =>
    family === "IPv4" ? [[address, address] as const] : []
  ),
];

Deno.test("ssserver forbids what is inside when forbidden_ip is not given", async () => {
  await using pair = await spawnPair({ omit: ["forbidden_ip"] });
  await using target = echoTarget();
  for (const [hostname, logged] of INSIDE) {
    await assertRefused(pair, { hostname, port: target.port });
    await pair.server.program.waitFor(
      new RegExp(`IP (::ffff:)?${logged} is in forbidden list`),
    );
  }
  assertEquals(target.accepted, 0);
  // Of datagrams to one network the first of a client is logged.
  for (const [hostname, logged] of INSIDE) {
    using datagrams = await socks5UdpAssociate(pair.local.port);
    await datagrams.send({ hostname, port: target.port }, seededBytes(10));
    await pair.server.program.waitFor(
      new RegExp(`IP (::ffff:)?${logged} is in forbidden list, drop, UDP from`),
    );
  }
});

Deno.test("ssserver reaches its own addresses when forbidden_ip has allow-own", async () => {
  const own = Deno.networkInterfaces()
    .find(({ family, address }) =>
      family === "IPv4" && !/^(127|169\.254)\./.test(address)
    )?.address;
  // A machine without a network has loopback alone.
  if (own === undefined) return;
  await using pair = await spawnPair({ server: { forbidden_ip: "allow-own" } });
  await assertRefused(pair, { hostname: "224.0.0.1", port: 9 });
  await assertRefused(pair, { hostname: "127.0.0.1", port: 9 });
  await assertRefused(pair, { hostname: own, port: 9 });
  await pair.server.program.waitFor(/IP 127\.0\.0\.1 is in forbidden list/);
  const { output } = pair.server.program;
  assertEquals(output.includes(`IP ${own} is in forbidden`), false, output);
});

/** Connects, talks, and sees the connection end without an answer. */
async function assertRefused(pair: Pair, target: Target): Promise<void> {
  let conn: Deno.TcpConn;
  try {
    conn = await socks5Connect(pair.local.port, target);
  } catch (error) {
    if (error instanceof Socks5Refused) return;
    throw error;
  }
  using _ = conn;
  await writeAll(conn, seededBytes(100, 1));
  const { bytes } = await withTimeout(readUntilClosed(conn), "the end");
  assertEquals(bytes.length, 0, target.hostname);
}

for (const forbidden_ip of ["127.0.0.0/8,::1", ["127.0.0.0/8", "::1/128"]]) {
  Deno.test(`ssserver obeys forbidden_ip when JSON has ${JSON.stringify(forbidden_ip)}`, async () => {
    await using pair = await spawnPair({
      format: "json",
      server: { forbidden_ip },
    });
    await using target = echoTarget();
    await assertRefused(pair, target);
    assertEquals(target.accepted, 0);
  });
}

Deno.test("ssserver takes user when JSON has it", async () => {
  const config = { server_port: 0, password: PASSWORD, method: METHOD };
  const user = "nobody-of-this-name";
  const result = await runRole("ssserver", {
    format: "json",
    config: { ...config, user },
  });
  assertEquals(result.code, 1, result.output);
  assertMatch(result.output, /ERROR .*user/);
});

Deno.test("both roles say where in one line when JSON is wrong", async () => {
  await using folder = new TempFolder();
  const file = folder.file("wrong.json");
  const text = '{\n  "server": "127.0.0.1",\n  "server_port" 8388\n}\n';
  await Deno.writeTextFile(file, text);
  for (const role of ["sslocal", "ssserver"] as const) {
    const result = await runRole(role, { args: ["-c", file] });
    assertEquals(result.code, 1, result.output);
    const errors = result.lines.filter((line) => !line.includes(" INFO "));
    assertEquals(errors.length, 1, result.output);
    assertMatch(errors[0]!, /wrong\.json:3:17: /);
  }
});

const ZONE: Zone = {
  "server.test": ["127.0.0.1"],
  "echo.test": ["127.0.0.1"],
};

/** A name server of `ZONE`; it remembers who was asked for. */
class NameServer implements AsyncDisposable {
  readonly address: string;
  readonly asked: string[] = [];
  readonly #socket: Deno.DatagramConn;
  readonly #serving: Promise<void>;

  constructor() {
    const hostname = "127.0.0.1";
    this.#socket = Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
    this.address = `${hostname}:${(this.#socket.addr as Deno.NetAddr).port}`;
    this.#serving = serveDatagrams(this.#socket, (query) => {
      this.asked.push(questionOf(query).name);
      return fromZone(query, ZONE);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
    await this.#serving;
  }
}

/** As a text and as a list: the original read a text letter by letter. */
const FORMS: readonly ((address: string) => ConfigValues)[] = [
  (address) => ({ dns_server: address }),
  (address) => ({ dns_server: [address] }),
];

for (const [index, form] of FORMS.entries()) {
  const shown = index === 0 ? "a text" : "a list";
  Deno.test(`ssserver asks dns_server for datagrams and connections when it is ${shown}`, async () => {
    await using names = new NameServer();
    await using pair = await spawnPair({ server: form(names.address) });
    await using echo = new UdpEcho();
    using association = await socks5UdpAssociate(pair.local.port);
    const target = { hostname: "echo.test", port: echo.port };
    for (let size = 1; size <= 5; size++) {
      await association.send(target, seededBytes(size, size));
      const answer = await withTimeout(association.receive(), `${size} bytes`);
      assertEquals(answer.payload, seededBytes(size, size));
    }
    // Once for each type, not for each packet.
    assertEquals(names.asked.length, 2, `${names.asked}`);
    await using stream = echoTarget();
    await assertEchoes(
      await socks5Connect(pair.local.port, { ...target, port: stream.port }),
    );
  });
}

Deno.test("sslocal asks dns_server for its server", async () => {
  await using names = new NameServer();
  await using pair = await spawnPair({
    local: { server: "server.test", dns_server: names.address },
  });
  await using target = echoTarget();
  await assertEchoes(await socks5Connect(pair.local.port, target));
  assert(names.asked.includes("server.test"), `${names.asked}`);
});

for (const method of ["aes-256-gcm", "aes-256-cfb"]) {
  Deno.test(`sstunnel relays when one_time_auth is required (${method})`, async () => {
    const common = { password: PASSWORD, method, one_time_auth: true };
    await using server = await spawnRole("ssserver", {
      config: {
        server: "127.0.0.1",
        server_port: 0,
        forbidden_ip: "",
        ...common,
      },
    });
    await using target = echoTarget();
    await using echo = new UdpEcho();
    for (
      const { port, talk } of [
        { port: target.port, talk: assertStreamEchoes },
        { port: echo.port, talk: assertDatagramEchoes },
      ]
    ) {
      const near = freePort();
      await using _tunnel = await spawnRole("sstunnel", {
        config: {
          server: "127.0.0.1",
          server_port: server.port,
          local_address: "127.0.0.1",
          tunnel_port: near,
          tunnel_remote: "127.0.0.1",
          tunnel_remote_port: port,
          ...common,
        },
      });
      await talk(near);
    }
  });
}

async function assertStreamEchoes(port: number): Promise<void> {
  await assertEchoes(await Deno.connect({ hostname: "127.0.0.1", port }));
}

async function assertEchoes(stream: Deno.TcpConn): Promise<void> {
  using conn = stream;
  for (const size of [1, 100, 20_000]) {
    const data = seededBytes(size, size);
    await writeAll(conn, data);
    const back = await withTimeout(readExactly(conn, size), `${size} bytes`);
    assertEquals(back, data);
  }
}

async function assertDatagramEchoes(port: number): Promise<void> {
  const address = { transport: "udp", hostname: "127.0.0.1" } as const;
  const socket = Deno.listenDatagram({ ...address, port: 0 });
  try {
    for (const size of [1, 100, 1200]) {
      const data = seededBytes(size, size);
      await socket.send(data, { ...address, port });
      const [back] = await withTimeout(socket.receive(), `${size} bytes`);
      assertEquals(back, data);
    }
  } finally {
    socket.close();
  }
}
