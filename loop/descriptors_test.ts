/**
 * Tests that need a process of their own: one in which the descriptors can be
 * counted before and after each contract test, and one that has too few.
 *
 * @module
 */

import { assert } from "@std/assert";
import { dirname, fromFileUrl, join } from "@std/path";
import { COUNT_VARIABLE, countDescriptors } from "../tests/_descriptors.ts";
import { pollers } from "../tests/_loop_fixture.ts";

const FOLDER = dirname(fromFileUrl(import.meta.url));

Deno.test("Poller leaves no descriptor open after any contract test", async () => {
  if (countDescriptors() === undefined) return;
  const files: string[] = [];
  for await (const { name } of Deno.readDir(FOLDER)) {
    if (name.endsWith("_contract_test.ts")) files.push(name);
  }
  assert(files.length > 0);
  await run(Deno.execPath(), [
    "test",
    "-A",
    "--no-check",
    "--quiet",
    ...files,
  ]);
});

for (const name of pollers()) {
  Deno.test(`ListenerSocket.accept() says EMFILE and recovers (${name})`, async () => {
    // Other systems have other limits, and other ways to set them.
    if (Deno.build.os !== "linux") return;
    const script = join(FOLDER, "..", "tests", "_descriptor_limit.ts");
    await run("sh", [
      "-c",
      'ulimit -n 64 && exec "$@"',
      "sh",
      Deno.execPath(),
      "run",
      "-A",
      "--no-check",
      script,
      name,
    ]);
  });
}

/** Runs a program; its output is the message if it fails. */
async function run(program: string, args: string[]): Promise<void> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args,
    cwd: FOLDER,
    env: { [COUNT_VARIABLE]: "1", NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  assert(success, decoder.decode(stdout) + decoder.decode(stderr));
}
