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
async function inFolder(
  body: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "ss-access-" });
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("AccessOutput.write() appends to the file alone", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/access.log`;
    await Deno.writeTextFile(path, "before\n");
    const output = new KeptOutput();
    await using access = new AccessOutput(path, output);
    access.write("one\n");
    access.write("two\n");
    await access.flush();
    assertEquals(await Deno.readTextFile(path), "before\none\ntwo\n");
    assertEquals(output.text, "");
  });
});

for (const path of ["-", undefined]) {
  Deno.test(`AccessOutput.write() goes to the log when the file is ${path}`, async () => {
    const output = new KeptOutput();
    await using access = new AccessOutput(path, output);
    access.write("one\n");
    assertEquals(output.text, "one\n");
    // The log is opened again by whoever has it.
    assertEquals(await access.reopen(), undefined);
  });
}

Deno.test("AccessOutput.reopen() goes on in a new file when the old one has moved", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/access.log`;
    await using access = new AccessOutput(path, new KeptOutput());
    access.write("one\n");
    await access.flush();
    await Deno.rename(path, `${path}.1`);
    access.write("two\n");
    assertEquals(await access.reopen(), undefined);
    access.write("three\n");
    await access.flush();
    assertEquals(await Deno.readTextFile(`${path}.1`), "one\ntwo\n");
    assertEquals(await Deno.readTextFile(path), "three\n");
  });
});

Deno.test("AccessOutput.reopen() keeps the old file when the new one cannot be opened", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/sub/access.log`;
    await Deno.mkdir(`${folder}/sub`);
    await using access = new AccessOutput(path, new KeptOutput());
    await Deno.rename(`${folder}/sub`, `${folder}/moved`);
    assertEquals(
      await access.reopen(),
      `Cannot open log file ${path}: No such file or directory`,
    );
    access.write("one\n");
    await access.flush();
    assertEquals(
      await Deno.readTextFile(`${folder}/moved/access.log`),
      "one\n",
    );
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
