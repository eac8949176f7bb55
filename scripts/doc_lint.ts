/**
 * Runs `deno doc --lint` over what other folders can import: every `mod.ts`
 * and `fakes.ts`, the single files that may be imported beside them, and
 * `main.ts`. What a private file exports to its neighbours needs no more than
 * its reader does.
 *
 * Usage: `deno run -A scripts/doc_lint.ts`; exits as `deno doc` does.
 *
 * @module
 */

// deno-lint-ignore-file no-console -- a script talks to its terminal

import { isSurface } from "./_layer_rules.ts";
import { listModules, ROOT } from "./_modules.ts";

if (import.meta.main) {
  const surfaces = (await listModules()).filter(isSurface);
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--lint", ...surfaces],
    cwd: ROOT,
    stdout: "null",
    stderr: "inherit",
  }).output();
  if (code === 0) console.log(`${surfaces.length} surfaces are documented`);
  Deno.exit(code);
}
