/**
 * Runs `deno doc --lint` over every module that is not a test.
 *
 * Usage: `deno run -A scripts/doc_lint.ts`; exits as `deno doc` does.
 *
 * @module
 */

// deno-lint-ignore-file no-console -- a script talks to its terminal

import { isTestModule, listModules, ROOT } from "./_modules.ts";

if (import.meta.main) {
  const modules = (await listModules()).filter((path) => !isTestModule(path));
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--lint", ...modules],
    cwd: ROOT,
    stdout: "null",
    stderr: "inherit",
  }).output();
  if (code === 0) console.log(`${modules.length} modules are documented`);
  Deno.exit(code);
}
