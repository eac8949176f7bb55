/**
 * The one gate of the repository: every check in turn, cheapest first, and
 * the first failure ends it.
 *
 * Usage: `deno task ok`.
 *
 * @module
 */

// deno-lint-ignore-file no-console -- a script talks to its terminal

import { ROOT } from "./_modules.ts";

/** A name for the reader, and what to run with this very `deno`. */
const STEPS: readonly (readonly [string, readonly string[]])[] = [
  ["fmt", ["fmt", "--check", "--quiet"]],
  ["lint", ["lint", "--quiet"]],
  ["layers", ["run", "-A", "scripts/check_layers.ts"]],
  ["files", ["run", "-A", "scripts/check_files.ts"]],
  ["doc", ["run", "-A", "scripts/doc_lint.ts"]],
  ["check", ["check", "--quiet", "."]],
  ["test", ["task", "--quiet", "test"]],
];

if (import.meta.main) {
  const start = performance.now();
  for (const [name, args] of STEPS) {
    const begun = performance.now();
    console.log(`ok: ${name} …`);
    const { success, code } = await new Deno.Command(Deno.execPath(), {
      args: [...args],
      cwd: ROOT,
      stdin: "null",
      stdout: "inherit",
      stderr: "inherit",
    }).spawn().status;
    if (!success) {
      console.error(`ok: ${name} failed (deno ${args.join(" ")})`);
      Deno.exit(code);
    }
    console.log(`ok: ${name} passed in ${seconds(begun)} s`);
  }
  console.log(`ok: everything passed in ${seconds(start)} s`);
}

function seconds(since: number): string {
  return ((performance.now() - since) / 1000).toFixed(1);
}
