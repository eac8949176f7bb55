/**
 * The manager as a process: `ssmanager`, and `ssserver` with a manager's
 * address, controlled over both kinds of socket.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  type ConfigValues,
  echoTarget,
  freePort,
  isListening,
  ManagerClient,
  parseStat,
  PASSWORD,
  readExactly,
  readUntilClosed,
  request,
  type RoleProcess,
  runRole,
  seededBytes,
  socks5Connect,
  spawnRole,
  type TestedRole,
  withTimeout,
  writeAll,
} from "../support/mod.ts";

const METHOD = "aes-256-gcm";
const TRANSPORTS = Deno.build.os === "windows"
  ? ["udp"] as const
  : ["udp", "unix"] as const;
const LOOPS: readonly ConfigValues[] = Deno.build.os === "linux"
  ? [{ event_loop: "epoll" }, { event_loop: "deno" }]
  : [{}];

/** A manager as a process, and a client of its socket. */
interface Managed extends AsyncDisposable {
  readonly role: RoleProcess;
  readonly client: ManagerClient;
  readonly address: string;
}

async function spawnManager(
  role: TestedRole,
  transport: "udp" | "unix",
  config: ConfigValues,
): Promise<Managed> {
  await using stack = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "ss-e2e-" });
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const port = freePort();
  const address = transport === "unix" ? `${folder}/m` : `127.0.0.1:${port}`;
  const process = stack.use(
    await spawnRole(role, {
      config: {
        server: "127.0.0.1",
        method: METHOD,
        forbidden_ip: "",
        manager_address: address,
        ...config,
      },
    }),
  );
  const client = stack.use(
    new ManagerClient(transport === "unix" ? address : port),
  );
  const kept = stack.move();
  return {
    role: process,
    client,
    address,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

function spawnLocal(serverPort: number): Promise<RoleProcess> {
  return spawnRole("sslocal", {
    config: {
      server: "127.0.0.1",
      server_port: serverPort,
      local_address: "127.0.0.1",
      local_port: 0,
      password: PASSWORD,
      method: METHOD,
    },
  });
}

function add(port: number): string {
  return `add: ${JSON.stringify({ server_port: port, password: PASSWORD })}`;
}

async function assertEchoes(conn: Deno.TcpConn): Promise<void> {
  const data = seededBytes(1000, 1);
  await writeAll(conn, data);
  assertEquals(await readExactly(conn, data.length), data);
}

/** Waits until a port refuses connections. */
async function assertCloses(port: number): Promise<void> {
  const isOpen = (): Promise<boolean> => isListening(port).catch(() => true);
  while (await withTimeout(isOpen(), "an answer")) continue;
}

Deno.test("ssmanager adds a port, relays, reports, removes it", async () => {
  // Side by side: a report takes ten seconds.
  await Promise.all(
    TRANSPORTS.flatMap((transport) =>
      LOOPS.map((loop) => addAndRemove(transport, loop))
    ),
  );
});

async function addAndRemove(
  transport: "udp" | "unix",
  loop: ConfigValues,
): Promise<void> {
  await using managed = await spawnManager("ssmanager", transport, loop);
  const { client, role: { program } } = managed;
  await using target = echoTarget();
  const port = freePort();
  assertEquals(await client.ask("ping"), "pong");
  assertEquals(await client.ask(add(port)), "ok");
  await using local = await spawnLocal(port);
  using conn = await socks5Connect(local.port, target);
  await assertEchoes(conn);
  const relayed = parseStat(await client.receive())[port];
  // 1,000 bytes twice, salt, address, length and two tags.
  assertEquals(relayed, 1000 + 1000 + 32 + 7 + 2 + 16 + 16);
  assertEquals(await client.ask(`remove: {"server_port":${port}}\n`), "ok");
  await assertCloses(port);
  // Who was removed is served no more, and does not take it for an end.
  const { reset } = await withTimeout(readUntilClosed(conn), "the end");
  if (loop.event_loop !== "deno") assert(reset, "it looks like a clean end");
  assertEquals((await program.stop("SIGTERM")).code, 0, program.output);
  assert(!program.output.includes(PASSWORD));
}

for (const transport of TRANSPORTS) {
  Deno.test(`ssserver with a manager serves port_password (${transport})`, async () => {
    const ports = [freePort(), freePort()] as const;
    await using managed = await spawnManager("ssserver", transport, {
      port_password: { [ports[0]]: PASSWORD, [ports[1]]: `${PASSWORD} too` },
    });
    const { client, role: { program } } = managed;
    await program.waitFor(new RegExp(`starting server at .*:${ports[1]}`));
    const lines = [
      /INFO +entering manager mode$/m,
      new RegExp(`INFO +adding server at 127.0.0.1:${ports[0]}$`, "m"),
      new RegExp(`INFO +starting server at 127.0.0.1:${ports[0]}$`, "m"),
    ];
    for (const line of lines) await program.waitFor(line);
    const listed = JSON.parse(await client.ask("list")) as {
      readonly server_port: string;
      readonly method: string;
    }[];
    assertEquals(
      listed.map((each) => `${each.server_port} ${each.method}`).sort(),
      ports.map((port) => `${port} ${METHOD}`).sort(),
    );
    await using local = await spawnLocal(ports[0]);
    await request(local.port, { count: 5, parallel: 5 });
  });

  if (Deno.build.os === "windows") continue;

  Deno.test(`a manager drains when SIGQUIT comes (${transport})`, async () => {
    await using managed = await spawnManager("ssmanager", transport, {});
    const { client, address, role: { program } } = managed;
    await using target = echoTarget();
    const [kept, other] = [freePort(), freePort()];
    assertEquals(await client.ask(add(kept)), "ok");
    assertEquals(await client.ask(add(other)), "ok");
    await using first = await spawnLocal(kept);
    await using second = await spawnLocal(other);
    {
      using one = await socks5Connect(first.port, target);
      using two = await socks5Connect(second.port, target);
      await assertEchoes(one);
      await assertEchoes(two);
      program.kill("SIGQUIT");
      await program.waitFor(new RegExp(`closed UDP port ${kept}`));
      await assertCloses(kept);
      if (transport === "unix") {
        await assertRejects(() => Deno.lstat(address), Deno.errors.NotFound);
      }
      await assertEchoes(one);
      await assertEchoes(two);
    }
    const status = await withTimeout(program.ended, "the drained manager");
    assertEquals([status.code, status.signal], [0, null], program.output);
  });
}

Deno.test("ssmanager exits 1 when its address is taken", async () => {
  const port = freePort();
  const taken = Deno.listenDatagram({
    transport: "udp",
    hostname: "127.0.0.1",
    port,
  });
  const { code, output } = await runRole("ssmanager", {
    config: { server: "127.0.0.1", manager_address: `127.0.0.1:${port}` },
  });
  taken.close();
  assertEquals(code, 1, output);
  assert(output.includes("can not bind to manager address"), output);
  assert(output.includes(`127.0.0.1:${port}`), output);
});

Deno.test("ssmanager starts no process when requests hold commands", async () => {
  await using managed = await spawnManager("ssmanager", "udp", {});
  const { client, role: { program } } = managed;
  const folder = await Deno.makeTempDir({ prefix: "ss-e2e-" });
  const file = `${folder}/made`;
  for (
    const [before, after] of [[";", ""], ["|", ""], ["&", "&"], ["$(", ")"], [
      "`",
      "`",
    ], ['"; ', ';"']]
  ) {
    const command = `${before}touch ${file}${after}`;
    for (const key of ["password", "method", "server", "plugin", "user"]) {
      const keys = { server_port: 1, password: "a password", [key]: command };
      await client.send(
        `add: ${JSON.stringify({ ...keys, method: "rc4" + command })}`,
      );
      await client.send(`remove: ${JSON.stringify({ server_port: command })}`);
    }
    await client.send(command);
    assertEquals(await client.ask("ping"), "pong");
  }
  await assertRejects(() => Deno.lstat(file), Deno.errors.NotFound);
  if (Deno.build.os === "linux") {
    const { pid } = program;
    assertEquals(
      await Deno.readTextFile(`/proc/${pid}/task/${pid}/children`),
      "",
    );
  }
  await Deno.remove(folder, { recursive: true });
});
