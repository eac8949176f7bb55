/**
 * Runs the contract tests in a process of their own, where the descriptors
 * can be counted before and after each.
 *
 * @module
 */

import { assert } from "@std/assert";
import { dirname, fromFileUrl } from "@std/path";
import { COUNT_VARIABLE, countDescriptors } from "../tests/_descriptors.ts";

const FOLDER = dirname(fromFileUrl(import.meta.url));

Deno.test("Poller leaves no descriptor open after any contract test", async () => {
  if (countDescriptors() === undefined) return;
  const files = [...Deno.readDirSync(FOLDER)]
    .map(({ name }) => name)
    .filter((name) => name.endsWith("_contract_test.ts"));
  assert(files.length > 0);
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--no-check", "--quiet", ...files],
    cwd: FOLDER,
    env: { [COUNT_VARIABLE]: "1", NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  assert(success, decoder.decode(stdout) + decoder.decode(stderr));
});
