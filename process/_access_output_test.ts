/**
 * Tests of where the lines of the access log go.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import { AccessOutput } from "./_access_output.ts";
import { KeptOutput } from "./_config_fixture.ts";
import { ProcessError } from "./errors.ts";

/** Runs a test in a folder of its own. */
function inFolder(body: (folder: string) => void): void {
  const folder = Deno.makeTempDirSync({ prefix: "ss-access-" });
  try {
    body(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

Deno.test("AccessOutput.write() appends to the file alone", () => {
  inFolder((folder) => {
    const path = `${folder}/access.log`;
    Deno.writeTextFileSync(path, "before\n");
    const output = new KeptOutput();
    using access = new AccessOutput(path, output);
    access.write("one\n");
    access.write("two\n");
    assertEquals(Deno.readTextFileSync(path), "before\none\ntwo\n");
    assertEquals(output.text, "");
  });
});

for (const path of ["-", undefined]) {
  Deno.test(`AccessOutput.write() goes to the log when the file is ${path}`, () => {
    const output = new KeptOutput();
    using access = new AccessOutput(path, output);
    access.write("one\n");
    assertEquals(output.text, "one\n");
    // The log is opened again by whoever has it.
    assertEquals(access.reopen(), true);
  });
}

Deno.test("AccessOutput.reopen() goes on in a new file when the old one has moved", () => {
  inFolder((folder) => {
    const path = `${folder}/access.log`;
    using access = new AccessOutput(path, new KeptOutput());
    access.write("one\n");
    Deno.renameSync(path, `${path}.1`);
    access.write("two\n");
    assertEquals(access.reopen(), true);
    access.write("three\n");
    assertEquals(Deno.readTextFileSync(`${path}.1`), "one\ntwo\n");
    assertEquals(Deno.readTextFileSync(path), "three\n");
  });
});

Deno.test("AccessOutput.reopen() keeps the old file when the new one cannot be opened", () => {
  inFolder((folder) => {
    const path = `${folder}/sub/access.log`;
    Deno.mkdirSync(`${folder}/sub`);
    using access = new AccessOutput(path, new KeptOutput());
    Deno.renameSync(`${folder}/sub`, `${folder}/moved`);
    assertEquals(access.reopen(), false);
    access.write("one\n");
    assertEquals(Deno.readTextFileSync(`${folder}/moved/access.log`), "one\n");
  });
});

Deno.test("AccessOutput names the file and the reason when it cannot be opened", () => {
  const path = "/nowhere/at/all/access.log";
  assertThrows(
    () => new AccessOutput(path, new KeptOutput()),
    ProcessError,
    `${path}: No such file or directory`,
  );
});
