/**
 * The program in the background: start, stop, restart, its files.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import {
  echoTarget,
  freePort,
  isListening,
  PASSWORD,
  readExactly,
  type RoleResult,
  runRole,
  seededBytes,
  socks5Connect,
  spawnRole,
  TempFolder,
  waitForFile,
  writeAll,
} from "../support/mod.ts";

/** Windows has no daemons. */
const ROLES = Deno.build.os === "windows"
  ? []
  : ["sslocal", "ssserver"] as const;

type DaemonRole = "sslocal" | "ssserver";

/** A role in the background with a folder for its files. */
class DaemonFixture implements AsyncDisposable {
  readonly port: number = freePort();
  readonly pidFile: string;
  readonly logFile: string;
  readonly folder: TempFolder = new TempFolder();
  readonly #role: DaemonRole;
  readonly #started: number[] = [];

  constructor(role: DaemonRole) {
    this.#role = role;
    this.pidFile = this.folder.file("shadowsocks.pid");
    this.logFile = this.folder.file("shadowsocks.log");
  }

  /** The process id in the pid file. */
  get pid(): number {
    return Number(Deno.readTextFileSync(this.pidFile));
  }

  /** The text of the log file. */
  get log(): string {
    return Deno.readTextFileSync(this.logFile);
  }

  /** Runs the role with `-d` and the configuration of this fixture. */
  async control(
    action: "start" | "stop" | "restart",
    args: readonly string[] = [],
  ): Promise<RoleResult> {
    const own = this.#role === "sslocal"
      ? { server_port: 1, local_address: "127.0.0.1", local_port: this.port }
      : { server_port: this.port, forbidden_ip: "" };
    const result = await runRole(this.#role, {
      config: {
        server: "127.0.0.1",
        password: PASSWORD,
        method: "aes-256-gcm",
        pid_file: this.pidFile,
        log_file: this.logFile,
        ...own,
      },
      args: ["-d", action, ...args],
    });
    if (result.code === 0 && action !== "stop") this.#started.push(this.pid);
    return result;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const pid of this.#started) {
      try {
        Deno.kill(pid, "SIGKILL");
      } catch {
        // It has ended, as it should.
      }
    }
    await this.folder[Symbol.asyncDispose]();
  }
}

for (const role of ROLES) {
  Deno.test(`${role} -d keeps the exit codes and words of a daemon's life`, async () => {
    await using daemon = new DaemonFixture(role);
    await assertStops(daemon, /ERROR +not running$/m);

    const started = await daemon.control("start");
    assertEquals(started.code, 0, started.output);
    assertEquals(started.lines.at(-1), "started");
    const { pid } = daemon;
    assert(await isListening(daemon.port));

    const again = await daemon.control("start");
    assertEquals(again.code, 1, again.output);
    assertMatch(
      again.output,
      new RegExp(`ERROR +already started at pid ${pid}$`, "m"),
    );
    assertEquals(daemon.pid, pid);

    await assertStops(daemon, /^stopped$/m);
    assertEquals(await isListening(daemon.port), false);
    await assertStops(daemon, /ERROR +not running$/m);
  });
}

async function assertStops(
  daemon: DaemonFixture,
  words: RegExp,
): Promise<void> {
  const stopped = await daemon.control("stop");
  assertEquals(stopped.code, 0, stopped.output);
  assertMatch(stopped.output, words);
  await assertRejects(() => Deno.stat(daemon.pidFile), Deno.errors.NotFound);
}

if (ROLES.length > 0) {
  Deno.test("ssserver -d restart replaces the process, running or not", async () => {
    await using daemon = new DaemonFixture("ssserver");
    const first = await daemon.control("restart");
    assertEquals(first.code, 0, first.output);
    assertMatch(first.output, /not running[^]*\nstarted$/m);
    const { pid } = daemon;
    const second = await daemon.control("restart");
    assertEquals(second.code, 0, second.output);
    assertMatch(second.output, /^stopped$[^]*^started$/m);
    assert(daemon.pid !== pid);
    assert(await isListening(daemon.port));
    await assertStops(daemon, /^stopped$/m);
  });

  Deno.test("ssserver -d leaves others alone when the pid file is stale", async () => {
    await using daemon = new DaemonFixture("ssserver");
    // Of a process that lives, but does not hold the file: this one.
    await Deno.writeTextFile(daemon.pidFile, `${Deno.pid}`);
    const stopped = await daemon.control("stop");
    assertEquals(stopped.code, 0, stopped.output);
    assertMatch(stopped.output, /ERROR +not running$/m);

    const started = await daemon.control("start");
    assertEquals(started.code, 0, started.output);
    assert(daemon.pid !== Deno.pid);
    await assertStops(daemon, /^stopped$/m);
  });

  Deno.test("ssserver -d stop needs no other setting", async () => {
    await using folder = new TempFolder();
    const result = await runRole("ssserver", {
      args: ["-d", "stop", "--pid-file", folder.file("none.pid")],
    });
    assertEquals(result.code, 0, result.output);
    assertMatch(result.output, /ERROR +not running$/m);
  });

  Deno.test("ssserver -d start exits 1 with the reason when the port is in use", async () => {
    await using daemon = new DaemonFixture("ssserver");
    using _taken = Deno.listen({ hostname: "127.0.0.1", port: daemon.port });
    const result = await daemon.control("start");
    assertEquals(result.code, 1, result.output);
    const reason = new RegExp(`ERROR .*\\b${daemon.port}\\b.*EADDRINUSE`);
    assertMatch(result.output, reason);
    assertMatch(daemon.log, reason);
    assert(!result.output.includes("started\n"), result.output);
    await assertStops(daemon, /ERROR +not running$/m);
  });

  Deno.test("ssserver -d restart says that nothing runs when the new port is in use", async () => {
    await using daemon = new DaemonFixture("ssserver");
    assertEquals((await daemon.control("start")).code, 0);
    using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const result = await daemon.control("restart", [
      "-p",
      `${taken.addr.port}`,
    ]);
    assertEquals(result.code, 1, result.output);
    assertMatch(result.output, /EADDRINUSE[^]* ERROR +nothing runs now: .*\n$/);
    await assertStops(daemon, /ERROR +not running$/m);
  });

  for (const option of ["--pid-file", "--log-file"]) {
    Deno.test(`ssserver -d start exits 1 when there is no folder for ${option}`, async () => {
      await using daemon = new DaemonFixture("ssserver");
      const path = daemon.folder.file("nowhere/file");
      const result = await daemon.control("start", [option, path]);
      assertEquals(result.code, 1, result.output);
      assertMatch(result.output, /ERROR +Cannot open (pid|log) file .*nowhere/);
      assertEquals(await isListening(daemon.port), false);
    });
  }

  Deno.test("ssserver -d start sends what follows to the log file alone", async () => {
    await using daemon = new DaemonFixture("ssserver");
    const started = await daemon.control("start");
    assertMatch(started.output, /starting server at/);
    const { pid } = daemon;
    await assertStops(daemon, /^stopped$/m);
    assertMatch(daemon.log, /^[\d-]+ [\d:]+ INFO +starting server at 127/m);
    assert(!daemon.log.includes("started"), "that is for the terminal");
    assert(pid > 0);
    const { mode } = await Deno.stat(daemon.logFile);
    assertEquals((mode ?? 0) & 0o007, 0, "others may read the log");
    await daemon.control("start");
    assertEquals(daemon.log.match(/starting server at/g)?.length, 2);
    await assertStops(daemon, /^stopped$/m);
  });

  Deno.test("ssserver goes on in a new log file when SIGHUP follows a rename", async () => {
    await using daemon = new DaemonFixture("ssserver");
    await daemon.control("start");
    const { pid } = daemon;
    const old = daemon.folder.file("rotated.log");
    await Deno.rename(daemon.logFile, old);
    Deno.kill(pid, "SIGHUP");
    await waitForFile(daemon.logFile, /^$/);
    Deno.kill(pid, "SIGQUIT");
    await waitForFile(daemon.logFile, /received SIGQUIT/);
    assert(!(await Deno.readTextFile(old)).includes("SIGQUIT"));
  });

  Deno.test("ssserver -d start takes over when SIGQUIT drains the one before", async () => {
    await using daemon = new DaemonFixture("ssserver");
    await daemon.control("start");
    const before = daemon.pid;
    await using local = await spawnRole("sslocal", {
      config: {
        server: "127.0.0.1",
        server_port: daemon.port,
        local_port: 0,
        password: PASSWORD,
        method: "aes-256-gcm",
      },
    });
    await using target = echoTarget();
    using open = await socks5Connect(local.port, target);
    await assertEchoes(open);
    Deno.kill(before, "SIGQUIT");
    await waitForFile(daemon.logFile, /closed UDP port/);
    const started = await daemon.control("start");
    assertEquals(started.code, 0, started.output);
    assert(daemon.pid !== before);
    await assertEchoes(open);
    using fresh = await socks5Connect(local.port, target);
    await assertEchoes(fresh);
    await assertStops(daemon, /^stopped$/m);
    await assertEchoes(open);
  });
}

if (Deno.build.os === "linux" && Deno.uid() === 0) {
  for (const mode of [0o700, 0o777]) {
    const access = mode === 0o700 ? "closed" : "open";
    Deno.test(`ssserver -d start hands its log files to its user (${access} folder)`, async () => {
      await using daemon = new DaemonFixture("ssserver");
      const folder = daemon.folder.file("");
      await Deno.chmod(folder, mode);
      const started = await daemon.control("start", ["--user", "nobody"]);
      assertEquals(started.code, 0, started.output);
      const { pid, logFile } = daemon;
      const { uid } = await Deno.stat(logFile);
      const status = await Deno.readTextFile(`/proc/${pid}/status`);
      assertMatch(status, new RegExp(`^Uid:\\t${uid}\\t`, "m"));
      assert(uid !== 0, "root has the log");
      for (const fd of [1, 2]) {
        assertEquals(await Deno.readLink(`/proc/${pid}/fd/${fd}`), logFile);
      }
      const rotated = daemon.folder.file("rotated.log");
      await Deno.rename(logFile, rotated);
      Deno.kill(pid, "SIGHUP");
      if (mode === 0o777) {
        await waitForFile(logFile, /^$/);
      } else {
        await waitForFile(
          rotated,
          new RegExp(
            `WARNING +Cannot open log file ${logFile}: ` +
              "Permission denied: keeping the old one$",
            "m",
          ),
        );
      }
      Deno.kill(pid, "SIGTERM");
      await waitForFile(
        mode === 0o777 ? logFile : rotated,
        /received SIGTERM, stopping/,
      );
    });
  }
}

if (Deno.build.os === "linux") {
  if (Deno.uid() === 0) {
    Deno.test("ssserver -d start leaves a log file to root that is a link", async () => {
      await using daemon = new DaemonFixture("ssserver");
      const other = daemon.folder.file("other");
      await Deno.writeTextFile(other, "");
      await Deno.symlink(other, daemon.logFile);
      const started = await daemon.control("start", ["--user", "nobody"]);
      assertMatch(started.output, /WARNING +cannot hand log file/);
      assertEquals((await Deno.stat(other)).uid, 0);
      await assertStops(daemon, /^stopped$/m);
    });
  }

  Deno.test("ssserver -d start leaves the session of its starter", async () => {
    await using daemon = new DaemonFixture("ssserver");
    await daemon.control("start", ["--workers", "2"]);
    const { pid } = daemon;
    const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    assertEquals(fields[2], `${pid}`, "process group");
    assertEquals(fields[3], `${pid}`, "session");
    for (const fd of [1, 2]) {
      const file = await Deno.readLink(`/proc/${pid}/fd/${fd}`);
      assertEquals(file, daemon.logFile);
    }
    await assertStops(daemon, /^stopped$/m);
    assertEquals(daemon.log.match(/worker started/g)?.length, 2);
  });
}

async function assertEchoes(conn: Deno.TcpConn): Promise<void> {
  const sent = seededBytes(500, 1);
  await writeAll(conn, sent);
  assertEquals(await readExactly(conn, sent.length), sent);
}
