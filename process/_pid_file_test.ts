/**
 * Tests of the pid file. Locks are those of a process, so a second process
 * takes part.
 *
 * @module
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { ChildProgram, TempFolder } from "../tests/support/mod.ts";
import { PidFile, readPidFile } from "./_pid_file.ts";
import { openPosix } from "./_posix.ts";
import { ProcessError } from "./errors.ts";

const MODULE = new URL("./_pid_file.ts", import.meta.url).href;

/** Locks a file, says so, and waits to be killed. */
const HOLDER = `
  import { PidFile } from ${JSON.stringify(MODULE)};
  const held = PidFile.lock(Deno.args[0]);
  console.log(held === undefined ? "refused" : "locked");
  if (held !== undefined) await new Promise((resolve) => setTimeout(resolve, 2 ** 30));
`;

/** Another process that tries to lock a file. */
async function holder(folder: TempFolder): Promise<ChildProgram> {
  const script = folder.file("holder.ts");
  await Deno.writeTextFile(script, HOLDER);
  const config = new URL("../deno.json", import.meta.url).pathname;
  return new ChildProgram(Deno.execPath(), {
    args: ["run", "-A", "--config", config, script, folder.file("a.pid")],
  });
}

/** Windows has no such locks. */
if (Deno.build.os !== "windows") {
  // Bound once for the process: no leak of the first test.
  openPosix();

  Deno.test("PidFile.lock() keeps others out until its process has ended", async () => {
    await using folder = new TempFolder();
    const path = folder.file("a.pid");
    await using first = await holder(folder);
    await first.waitFor(/locked/);
    assertEquals(readPidFile(path), { pid: first.pid, isLocked: true });
    assertEquals(PidFile.lock(path), undefined);
    await first.stop("SIGKILL");
    assertEquals(readPidFile(path), { pid: first.pid, isLocked: false });
    using mine = PidFile.lock(path);
    assert(mine !== undefined);
    await using second = await holder(folder);
    await second.waitFor(/refused/);
  });

  Deno.test("PidFile.lock() replaces what the file said", async () => {
    await using folder = new TempFolder();
    const path = folder.file("a.pid");
    await Deno.writeTextFile(path, "1234567890 and more");
    {
      using held = PidFile.lock(path);
      assert(held !== undefined);
      const { size, mode } = await Deno.stat(path);
      assertEquals(size, `${Deno.pid}`.length);
      assert(mode !== null);
    }
    assertEquals(readPidFile(path), undefined);
  });

  Deno.test("PidFile.lock() makes a file for its owner alone", async () => {
    await using folder = new TempFolder();
    using _held = PidFile.lock(folder.file("a.pid"));
    const { mode } = await Deno.stat(folder.file("a.pid"));
    assertEquals((mode ?? 0) & 0o777, 0o600);
  });

  Deno.test("PidFile.lock() throws when the folder is missing", async () => {
    await using folder = new TempFolder();
    assertThrows(
      () => PidFile.lock(folder.file("nowhere/a.pid")),
      ProcessError,
      "Cannot open pid file",
    );
  });

  for (const target of ["victim", "absent"]) {
    Deno.test(`PidFile.lock() neither empties nor makes ${target} that a link leads to`, async () => {
      await using folder = new TempFolder();
      await Deno.writeTextFile(folder.file("victim"), "precious");
      await Deno.symlink(folder.file(target), folder.file("a.pid"));
      assertThrows(
        () => PidFile.lock(folder.file("a.pid")),
        ProcessError,
        `Cannot use pid file ${folder.file("a.pid")}: it is a link`,
      );
      assertEquals(await Deno.readTextFile(folder.file("victim")), "precious");
      const names = await Array.fromAsync(Deno.readDir(folder.path));
      assertEquals(names.map(({ name }) => name).sort(), ["a.pid", "victim"]);
    });
  }

  Deno.test("PidFile.lock() does not empty a file that has another name", async () => {
    await using folder = new TempFolder();
    await Deno.writeTextFile(folder.file("victim"), "precious");
    await Deno.link(folder.file("victim"), folder.file("a.pid"));
    assertThrows(
      () => PidFile.lock(folder.file("a.pid")),
      ProcessError,
      "it has another name too",
    );
    assertEquals(await Deno.readTextFile(folder.file("victim")), "precious");
  });

  Deno.test("readPidFile() does not take the lock of another file for a daemon", async () => {
    await using folder = new TempFolder();
    await using other = await holder(folder);
    await other.waitFor(/locked/);
    await Deno.symlink(folder.file("a.pid"), folder.file("b.pid"));
    const state = readPidFile(folder.file("b.pid"));
    assertEquals(state, { pid: undefined, isLocked: false });
  });

  Deno.test("PidFile.lock() and readPidFile() do not wait for a FIFO", async () => {
    await using folder = new TempFolder();
    const path = folder.file("a.pid");
    await new Deno.Command("mkfifo", { args: [path] }).output();
    const script = folder.file("read.ts");
    await Deno.writeTextFile(
      script,
      `import { PidFile, readPidFile } from ${JSON.stringify(MODULE)};
      console.log(JSON.stringify(readPidFile(Deno.args[0])));
      try { PidFile.lock(Deno.args[0]); } catch (error) { console.log(error.message); }`,
    );
    const config = new URL("../deno.json", import.meta.url).pathname;
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--config", config, script, path],
      signal: AbortSignal.timeout(20_000),
      stderr: "null",
    }).output();
    assertEquals(
      new TextDecoder().decode(stdout),
      `{"isLocked":false}\nCannot use pid file ${path}: it is no file\n`,
    );
  });

  Deno.test({
    name: "readPidFile() does not let a user name a process of root",
    ignore: Deno.build.os !== "linux" || Deno.uid() !== 0,
    fn: async () => {
      await using folder = new TempFolder();
      await using other = await holder(folder);
      await other.waitFor(/locked/);
      await Deno.chown(folder.file("a.pid"), 65_534, 65_534);
      const state = readPidFile(folder.file("a.pid"));
      assertEquals(state, { pid: other.pid, isLocked: false });
    },
  });

  for (const text of ["", "0", "-5", "12x", "99999999999999999999"]) {
    Deno.test(`readPidFile() has no pid when the file says "${text}"`, async () => {
      await using folder = new TempFolder();
      await Deno.writeTextFile(folder.file("a.pid"), text);
      const state = readPidFile(folder.file("a.pid"));
      assertEquals(state, { pid: undefined, isLocked: false });
    });
  }
}
