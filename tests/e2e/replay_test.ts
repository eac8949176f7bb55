/**
 * Connections and packets that come again, wherever the key is served.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import {
  AEAD_METHOD,
  encodeAll,
  testEdition,
} from "../../shadowsocks/fakes.ts";
import {
  type ConfigValues,
  echoTarget,
  freePort,
  listeningPorts,
  ManagerClient,
  PASSWORD,
  readExactly,
  type RoleOptions,
  type RoleProcess,
  spawnRole,
  type TcpTarget,
  TempFolder,
  utf8,
  writeAll,
} from "../support/mod.ts";

const HELLO = utf8("hello");
const REPLAYED = /failed to handshake with 127\.0\.0\.1: replay$/gm;
const LOOPS: readonly ConfigValues[] = Deno.build.os === "linux"
  ? [{ event_loop: "epoll" }, { event_loop: "deno" }]
  : [{}];

/** Makes first flights of clients. */
async function flights(
  target: TcpTarget,
  count: number,
): Promise<Uint8Array[]> {
  using edition = await testEdition({ password: PASSWORD });
  const host = Uint8Array.of(127, 0, 0, 1);
  return Array.from({ length: count }, () => {
    using stream = edition.newClientStream({ bytes: host, port: target.port });
    return encodeAll(stream, HELLO);
  });
}

function server(
  config: ConfigValues,
  options: Pick<RoleOptions, "libraries"> = {},
): Promise<RoleProcess> {
  return spawnRole("ssserver", {
    ...options,
    config: {
      server: "127.0.0.1",
      server_port: 0,
      password: PASSWORD,
      method: AEAD_METHOD,
      forbidden_ip: "",
      ...config,
    },
  });
}

/** Sends a flight and waits for the salt of an answer. */
async function assertServed(
  flight: Uint8Array,
  port: number,
  hostname = "127.0.0.1",
): Promise<void> {
  using conn = await Deno.connect({ hostname, port });
  await writeAll(conn, flight);
  await readExactly(conn, 16);
}

/** Sends flights again, and waits until each was refused. */
async function assertRefused(
  { program }: RoleProcess,
  again: readonly Uint8Array[],
  port: number,
  hostname = "127.0.0.1",
): Promise<void> {
  const before = program.output.match(REPLAYED)?.length ?? 0;
  const conns: Deno.TcpConn[] = [];
  try {
    for (const flight of again) {
      const conn = await Deno.connect({ hostname, port });
      conns.push(conn);
      await writeAll(conn, flight);
    }
    await program.waitUntil(
      `${again.length} replays refused`,
      (output) =>
        (output.match(REPLAYED)?.length ?? 0) >= before + again.length ||
        undefined,
    );
  } finally {
    for (const conn of conns) conn.close();
  }
}

for (const loop of LOOPS) {
  const name = loop.event_loop ?? "deno";
  Deno.test(`ssserver refuses a replay at another address, at another port, and after kill -9 (${name})`, async () => {
    await using target = echoTarget();
    await using state = new TempFolder();
    const config = {
      ...loop,
      state_dir: `${state.path}/state`,
      server: ["127.0.0.1", "127.0.0.2"],
    };
    const [first, ...rest] = await flights(target, 4);
    {
      await using one = await server({ ...config, server_port: 0 });
      const [port, other] = await listeningPorts(one, 2);
      await assertServed(first!, port!);
      await assertRefused(one, [first!], port!);
      await assertRefused(one, [first!], other!, "127.0.0.2");
      for (const flight of rest) await assertServed(flight, port!);
      one.program.kill("SIGKILL");
      await one.program.ended;
    }
    // Another port, as it is chosen by the system; another process.
    await using next = await server(config);
    await assertRefused(next, [first!, ...rest], next.port);
    // Two processes at once.
    await using beside = await server(config);
    const [fresh] = await flights(target, 1);
    await assertServed(fresh!, next.port);
    await assertRefused(beside, [fresh!], beside.port);
    assertEquals(target.accepted, 5);
    await next.program.waitFor(/remembering used salts in \S+\/replay$/m);
  });
}

Deno.test({
  name: "ssserver refuses a replay that another worker gets",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    for (const replay of ["persist", "memory"]) {
      await using target = echoTarget();
      await using one = await server({ workers: 2, replay });
      const [flight] = await flights(target, 1);
      await assertServed(flight!, one.port);
      await assertRefused(one, Array(10).fill(flight), one.port);
      assertEquals(target.accepted, 1, replay);
    }
  },
});

Deno.test("a manager of libev's dialect keeps what a port remembers when it is added anew", async () => {
  await using target = echoTarget();
  await using folder = new TempFolder();
  const manager = `${folder.path}/m`;
  const port = freePort();
  await using one = await server({
    manager_address: manager,
    manager_dialect: "libev",
    server_port: port,
    replay: "memory",
  });
  using client = new ManagerClient(manager);
  const add = `add: {"server_port": ${port}, "password": "${PASSWORD}"}`;
  const [flight] = await flights(target, 1);
  await one.program.waitFor(new RegExp(`starting server at .*:${port}`));
  await assertServed(flight!, port);
  await client.ask(add);
  await assertRefused(one, [flight!], port);
  assertEquals(target.accepted, 1);
});

Deno.test("ssserver serves again what it is told to forget", async () => {
  await using target = echoTarget();
  await using one = await server({ replay: "off" });
  const [flight] = await flights(target, 1);
  await assertServed(flight!, one.port);
  await assertServed(flight!, one.port);
  assertEquals(target.accepted, 2);
});

Deno.test("ssserver serves without state_dir, and says so once", async () => {
  await using target = echoTarget();
  await using folder = new TempFolder();
  await Deno.writeTextFile(`${folder.path}/file`, "");
  await using one = await server({ state_dir: `${folder.path}/file/state` });
  const [flight] = await flights(target, 1);
  await assertServed(flight!, one.port);
  await assertRefused(one, [flight!], one.port);
  const warning = /WARNING +cannot keep used salts in \S+\/state\/replay: /g;
  assertEquals(one.program.output.match(warning)?.length, 1);
});

Deno.test("ssserver keeps salts where FFI is denied", async () => {
  await using target = echoTarget();
  await using state = new TempFolder();
  const config = { state_dir: `${state.path}/state` };
  const [flight] = await flights(target, 1);
  const start = (): Promise<RoleProcess> =>
    server(config, { libraries: "none" });
  {
    await using one = await start();
    await assertServed(flight!, one.port);
    assertEquals((await one.program.stop()).code, 0);
  }
  await using next = await start();
  await assertRefused(next, [flight!], next.port);
  assertEquals(target.accepted, 1);
});

Deno.test("sslocal keeps salts in memory unless it is asked to", async () => {
  await using local = await spawnRole("sslocal", {
    config: {
      server: "127.0.0.1",
      server_port: 1,
      local_port: 0,
      password: PASSWORD,
    },
  });
  assertEquals(local.program.output.includes("used salts"), false);
});
