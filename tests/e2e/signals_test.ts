/**
 * Signals and users: drain, end, log, root given up; with workers too.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  type ConfigValues,
  echoTarget,
  freePort,
  isListening,
  PASSWORD,
  readExactly,
  request,
  runRole,
  seededBytes,
  socks5Connect,
  spawnPair,
  spawnRole,
  TempFolder,
  withTimeout,
  writeAll,
} from "../support/mod.ts";

const SERVER = {
  server: "127.0.0.1",
  server_port: 0,
  password: PASSWORD,
  method: "aes-256-gcm",
  forbidden_ip: "",
} as const;

/** What a role may run on here; Windows has none of these signals. */
const WAYS: readonly ConfigValues[] = Deno.build.os === "linux"
  ? [{ event_loop: "epoll" }, { event_loop: "deno" }, { workers: 2 }]
  : Deno.build.os === "windows"
  ? []
  : [{}];

for (const way of WAYS) {
  const name = Object.entries(way).map((each) => each.join("=")).join(", ");

  Deno.test(`both roles drain when SIGQUIT comes (${name})`, async () => {
    await using pair = await spawnPair({ both: way });
    await using target = echoTarget();
    const open = await socks5Connect(pair.local.port, target);
    try {
      await assertEchoes(open);
      for (const { program, port } of [pair.server, pair.local]) {
        program.kill("SIGQUIT");
        await program.waitFor(new RegExp(`closed UDP port ${port}`));
        assertMatch(
          program.output,
          /WARNING +received SIGQUIT, doing graceful shutting down\.\.$/m,
        );
        assertMatch(program.output, new RegExp(`closed TCP port ${port}`));
        await assertCloses(port);
      }
      await assertEchoes(open);
    } finally {
      open.close();
    }
    for (const { program } of [pair.local, pair.server]) {
      const status = await withTimeout(program.ended, "the drained process");
      assertEquals(status.code, 0, program.output);
      assertEquals(status.signal, null);
    }
  });

  Deno.test(`ssserver ends at once when SIGTERM comes during a drain (${name})`, async () => {
    await using pair = await spawnPair({ both: way });
    await using target = echoTarget();
    using open = await socks5Connect(pair.local.port, target);
    await assertEchoes(open);
    const { program } = pair.server;
    program.kill("SIGQUIT");
    await program.waitFor(/closed UDP port/);
    assertEquals((await program.stop("SIGTERM")).code, 0, program.output);
    assertMatch(program.output, /INFO +received SIGTERM, stopping$/m);
  });

  Deno.test(`ssserver lives on when SIGHUP comes and it has a log file (${name})`, async () => {
    await using folder = new TempFolder();
    const file = folder.file("access.log");
    await using pair = await spawnPair({
      both: way,
      server: { access_log: { file } },
    });
    pair.server.program.kill("SIGHUP");
    await request(pair.local.port, { count: 4, parallel: 2 });
    assertEquals((await pair.server.program.stop()).code, 0);
  });

  Deno.test(`both roles end when their terminal goes (${name})`, async () => {
    await using pair = await spawnPair({ both: way });
    for (const { program } of [pair.local, pair.server]) {
      assertEquals((await program.stop("SIGHUP")).code, 0, program.output);
      assertMatch(program.output, /INFO +received SIGHUP, stopping$/m);
    }
  });
}

if (WAYS.length > 0) {
  Deno.test("ssserver ends with the last connection of all ports when it drains", async () => {
    const ports = [freePort(), freePort()];
    await using server = await spawnRole("ssserver", {
      config: { ...SERVER, server_port: ports.map(String) },
    });
    const { program } = server;
    await program.waitFor(new RegExp(`starting server at .*:${ports[1]}`));
    await using local = await spawnRole("sslocal", {
      config: {
        server: "127.0.0.1",
        server_port: ports[1]!,
        local_port: 0,
        password: PASSWORD,
        method: "aes-256-gcm",
      },
    });
    await using target = echoTarget();
    const open = await socks5Connect(local.port, target);
    try {
      await assertEchoes(open);
      program.kill("SIGQUIT");
      for (const port of ports) {
        await program.waitFor(new RegExp(`closed TCP port ${port}`));
        await assertCloses(port);
      }
      await assertEchoes(open);
      assert(!program.output.includes("stopping"), program.output);
    } finally {
      open.close();
    }
    const { code } = await withTimeout(program.ended, "the drained process");
    assertEquals(code, 0, program.output);
    assertMatch(program.output, /INFO +stopping$/m);
  });

  Deno.test("ssserver can be replaced without a break when SIGQUIT drains it", async () => {
    const port = freePort();
    const config = { ...SERVER, server_port: port };
    await using old = await spawnRole("ssserver", { config });
    await using local = await spawnRole("sslocal", {
      config: { ...SERVER, server_port: port, local_port: 0 },
    });
    await using target = echoTarget();
    const open = await socks5Connect(local.port, target);
    try {
      await assertEchoes(open);
      old.program.kill("SIGQUIT");
      await old.program.waitFor(/closed UDP port/);
      await using fresh = await spawnRole("ssserver", { config });
      await request(local.port, { count: 4, parallel: 4 });
      await assertEchoes(open);
      assertEquals((await fresh.program.stop("SIGINT")).code, 0);
      await assertEchoes(open);
    } finally {
      open.close();
    }
    const { code } = await withTimeout(old.program.ended, "the old process");
    assertEquals(code, 0, old.program.output);
  });

  Deno.test("ssserver exits 1 when the user does not exist", async () => {
    const result = await runRole("ssserver", {
      config: SERVER,
      args: ["--user", "no-such-user-here"],
    });
    assertEquals(result.code, 1, result.output);
    assertMatch(result.output, /ERROR +user not found: no-such-user-here$/m);
  });

  if (Deno.uid() !== 0) {
    Deno.test("ssserver exits 1 when it should become another user and is not root", async () => {
      const result = await runRole("ssserver", {
        config: SERVER,
        args: ["--user", "root"],
      });
      assertEquals(result.code, 1, result.output);
      assertMatch(result.output, /can not set user as nonroot user/);
    });
  }
}

if (Deno.build.os === "linux") {
  Deno.test("sslocal outlives its terminal when nohup has started it", async () => {
    await using local = await spawnRole("sslocal", {
      config: { ...SERVER, server_port: 1, local_port: 0 },
      shell: "trap '' HUP",
    });
    const { program } = local;
    program.kill("SIGHUP");
    program.kill("SIGQUIT");
    assertEquals((await withTimeout(program.ended, "the end")).code, 0);
    assertMatch(program.output, /received SIGQUIT/);
    assert(!program.output.includes("received SIGHUP"), program.output);
  });

  if (Deno.uid() === 0) {
    for (const workers of [1, 2]) {
      Deno.test(`ssserver gives root up on every thread when it has ${workers} of workers`, async () => {
        await using pair = await spawnPair({
          server: { workers, user: "nobody" },
        });
        const { program } = pair.server;
        await program.waitFor(/running as user nobody/);
        const { uid, gid } = await nobody();
        let count = 0;
        for await (const task of Deno.readDir(`/proc/${program.pid}/task`)) {
          const status = await Deno.readTextFile(
            `/proc/${program.pid}/task/${task.name}/status`,
          );
          assertEquals(field(status, "Uid"), Array(4).fill(uid));
          assertEquals(field(status, "Gid"), Array(4).fill(gid));
          assert(!field(status, "Groups").includes("0"), status);
          assertEquals(field(status, "CapEff"), ["0000000000000000"]);
          count++;
        }
        assert(count > workers);
        await request(pair.local.port, { count: 8, parallel: 4 });
        assertEquals((await program.stop()).code, 0, program.output);
      });
    }
  }

  Deno.test("ssserver serves many at once when it has workers", async () => {
    await using pair = await spawnPair({
      server: { workers: 2 },
      local: { workers: 2 },
    });
    await request(pair.local.port, { count: 200, parallel: 200 });
    for (const { program } of [pair.local, pair.server]) {
      await program.waitFor(/(INFO +worker started\n[^]*){2}/);
      assertEquals(program.output.match(/INFO +starting /g)?.length, 1);
      assertEquals((await program.stop()).code, 0, program.output);
    }
  });

  Deno.test("ssserver serves with one loop when workers cannot share its ports", async () => {
    await using pair = await spawnPair({
      server: { workers: 2, event_loop: "deno" },
      local: { workers: 2, event_loop: "deno", mode: "tcp_only" },
    });
    await request(pair.local.port, { count: 8, parallel: 4 });
    const [server, local] = [pair.server, pair.local].map(({ program }) =>
      program.output
    );
    assertMatch(server!, /WARNING +workers cannot share the ports here/);
    assert(!server!.includes("worker started"), server);
    assertMatch(local!, /worker started/);
  });

  Deno.test("ssserver with workers exits 1 when others with workers have the port", async () => {
    const config = { ...SERVER, workers: 2 };
    await using first = await spawnRole("ssserver", { config });
    const result = await runRole("ssserver", {
      config: { ...config, server_port: first.port },
    });
    assertEquals(result.code, 1, result.output);
    assertMatch(
      result.output,
      new RegExp(`ERROR .*:${first.port}: EADDRINUSE`),
    );
  });
}

/** The ids of the user nobody. */
async function nobody(): Promise<
  { readonly uid: string; readonly gid: string }
> {
  const entry = /^nobody:[^:]*:(\d+):(\d+):/m.exec(
    await Deno.readTextFile("/etc/passwd"),
  );
  return { uid: entry![1]!, gid: entry![2]! };
}

/** The words of a line of /proc/…/status. */
function field(status: string, name: string): string[] {
  const line = new RegExp(`^${name}:(.*)$`, "m").exec(status)![1]!;
  return line.trim().split(/\s+/);
}

/** Workers close one after the other, and Deno's sockets a turn later. */
async function assertCloses(port: number): Promise<void> {
  const limit = performance.now() + 5_000;
  while (await isListening(port)) {
    assert(performance.now() < limit, `port ${port} is still open`);
  }
}

async function assertEchoes(conn: Deno.TcpConn): Promise<void> {
  const sent = seededBytes(500, 1);
  await writeAll(conn, sent);
  const back = await withTimeout(readExactly(conn, sent.length), "the echo");
  assertEquals(back, sent);
}
