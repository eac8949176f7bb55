/**
 * The choice of targets and names of executables.
 *
 * @module
 */

import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { ROOT } from "./_modules.ts";
import { V8_FLAGS } from "./_v8_flags.ts";
import { chooseTargets, fileName, TARGETS } from "./build.ts";

const LINUX = "x86_64-unknown-linux-gnu";

Deno.test("chooseTargets() takes all six when none is named", () => {
  assertEquals(chooseTargets([], undefined), [...TARGETS]);
  assertEquals(TARGETS.length, 6);
});

Deno.test("chooseTargets() takes the own target when only that is possible", () => {
  assertEquals(chooseTargets([], LINUX), [LINUX]);
});

Deno.test("chooseTargets() throws when a target is unknown", () => {
  assertThrows(
    () => chooseTargets(["riscv64"], undefined),
    Error,
    'Cannot build "riscv64": known targets are',
  );
});

Deno.test("chooseTargets() throws when the runtime is of another target", () => {
  assertThrows(
    () => chooseTargets(["aarch64-apple-darwin"], LINUX),
    Error,
    "DENORT_BIN is a runtime of x86_64-unknown-linux-gnu",
  );
});

Deno.test("fileName() ends in .exe when the target is Windows", () => {
  assertEquals(fileName(LINUX), "shadowsocks-x86_64-unknown-linux-gnu");
  assertEquals(
    fileName("aarch64-pc-windows-msvc"),
    "shadowsocks-aarch64-pc-windows-msvc.exe",
  );
});

Deno.test("README.md names the V8 flags of executables", async () => {
  const readme = await Deno.readTextFile(new URL("README.md", ROOT));
  assertStringIncludes(readme, `\nexport DENO_V8_FLAGS=${V8_FLAGS}\n`);
});
