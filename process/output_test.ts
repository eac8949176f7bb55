/**
 * Tests of the log file.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import { TempFolder } from "../tests/support/mod.ts";
import { ProcessError } from "./errors.ts";
import { LogFile } from "./output.ts";

/** A log file that has left standard output. */
async function detached(
  path: string,
): Promise<{ readonly log: LogFile; readonly redirected: string[] }> {
  const redirected: string[] = [];
  const log = new LogFile();
  log.open(path);
  await log.detach((target) => redirected.push(target));
  return { log, redirected };
}

Deno.test("LogFile.write() appends to the file when it was opened", async () => {
  await using folder = new TempFolder();
  const path = folder.file("a.log");
  await Deno.writeTextFile(path, "before\n");
  const { log, redirected } = await detached(path);
  await using _log = log;
  log.write("after\n");
  await log.flush();
  assertEquals(await Deno.readTextFile(path), "before\nafter\n");
  assertEquals(redirected, [path]);
});

Deno.test("LogFile.reopen() goes on in a new file when the old one has moved", async () => {
  await using folder = new TempFolder();
  const path = folder.file("a.log");
  const { log, redirected } = await detached(path);
  await using _log = log;
  log.write("one\n");
  await log.flush();
  await Deno.rename(path, folder.file("a.log.1"));
  log.write("two\n");
  assertEquals(await log.reopen(), undefined);
  log.write("three\n");
  await log.flush();
  assertEquals(await Deno.readTextFile(folder.file("a.log.1")), "one\ntwo\n");
  assertEquals(await Deno.readTextFile(path), "three\n");
  assertEquals(redirected, [path, path]);
});

Deno.test("LogFile.reopen() keeps the old file when the new one cannot be opened", async () => {
  await using folder = new TempFolder();
  await Deno.mkdir(folder.file("logs"));
  const { log } = await detached(folder.file("logs/a.log"));
  await using _log = log;
  await Deno.rename(folder.file("logs"), folder.file("moved"));
  assertEquals(
    await log.reopen(),
    `Cannot open log file ${folder.file("logs/a.log")}: ` +
      "No such file or directory",
  );
  log.write("kept\n");
  await log.flush();
  assertEquals(await Deno.readTextFile(folder.file("moved/a.log")), "kept\n");
});

Deno.test("LogFile.reopen() does nothing when there is no file", async () => {
  await using log = new LogFile();
  assertEquals(await log.reopen(), undefined);
});

Deno.test("LogFile.open() names the file and the reason when it fails", async () => {
  await using folder = new TempFolder();
  await using log = new LogFile();
  const path = folder.file("nowhere/a.log");
  const error = assertThrows(() => log.open(path), ProcessError);
  assertEquals(
    error.message.startsWith(`Cannot open log file ${path}: `),
    true,
  );
  assertEquals(error.message.includes("os error"), false);
});

const IS_ROOT = Deno.build.os !== "windows" && Deno.uid() === 0;
/** Some user who is not root. */
const NOBODY = 65_534;

for (const [target, exists] of [["victim", true], ["absent", false]] as const) {
  Deno.test({
    name:
      `LogFile.open() and reopen() as root write nothing to ${target} behind a link of another user`,
    ignore: !IS_ROOT,
    fn: async () => {
      await using folder = new TempFolder();
      const path = folder.file("a.log");
      const other = folder.file(target);
      if (exists) await Deno.writeTextFile(other, "precious");
      const link = async (): Promise<void> => {
        await Deno.symlink(other, path);
        const args = ["-h", `${NOBODY}`, path];
        await new Deno.Command("chown", { args }).output();
      };
      await link();
      await using log = new LogFile({ hasTerminal: false });
      assertThrows(
        () => log.open(path),
        ProcessError,
        `Cannot open log file ${path}: it is a link of another user`,
      );
      await Deno.remove(path);
      log.open(path);
      await Deno.remove(path);
      await link();
      assertEquals(
        (await log.reopen())?.includes("it is a link of another user"),
        true,
      );
      log.write("line\n");
      await log.flush();
      assertEquals(
        await Deno.readTextFile(other).catch(() => undefined),
        exists ? "precious" : undefined,
      );
    },
  });
}

Deno.test({
  name: "LogFile.open() and reopen() follow a link of this user",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using folder = new TempFolder();
    await Deno.symlink(folder.file("there"), folder.file("a.log"));
    await using log = new LogFile({ hasTerminal: false });
    log.open(folder.file("a.log"));
    log.write("one\n");
    assertEquals(await log.reopen(), undefined);
    log.write("two\n");
    await log.flush();
    assertEquals(await Deno.readTextFile(folder.file("there")), "one\ntwo\n");
  },
});
