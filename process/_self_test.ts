/**
 * Tests of starting this program again.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { daemonCommand, isAlive, isDaemon, programName } from "./_self.ts";

Deno.test("daemonCommand() starts this runtime with the role first", () => {
  const { program, args, env } = daemonCommand("ssserver", ["-c", "a b.toml"]);
  assertEquals(program, Deno.execPath());
  assertEquals(args.slice(-3), ["ssserver", "-c", "a b.toml"]);
  assertEquals(Object.values(env), ["1"]);
});

Deno.test("programName() is empty from source, where it is the runtime's", () => {
  assertEquals(programName(), "");
});

Deno.test("isDaemon() is false in a process that nobody made one", () => {
  assertEquals(isDaemon(), false);
});

Deno.test("isAlive() tells processes that run from those that have ended", async () => {
  assertEquals(isAlive(Deno.pid), true);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["--version"],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  await child.status;
  assertEquals(isAlive(child.pid), false);
});
