/**
 * Checks the shape of every module: at most 500 lines, and a module comment
 * at its top that ends in `@module`.
 *
 * Usage: `deno run -A scripts/check_files.ts`; exit 1 if a file fails.
 *
 * @module
 */

// deno-lint-ignore-file no-console -- a script talks to its terminal

import { listModules, ROOT } from "./_modules.ts";

/** Most lines of a file: what can be read at one sitting. */
const MAX_LINES = 500;

/**
 * Finds what is wrong with the text of one module.
 *
 * @param text The whole source.
 * @returns One sentence per fault.
 */
export function findFaults(text: string): string[] {
  const faults: string[] = [];
  const lines = text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
  if (lines > MAX_LINES) {
    faults.push(`has ${lines} lines, at most ${MAX_LINES} are allowed`);
  }
  const comment = /^(?:#!.*\n)?\/\*\*([\s\S]*?)\*\//.exec(text)?.[1];
  if (comment === undefined || !/\n \* @module\n $/.test(comment)) {
    faults.push("does not open with a module comment that ends in @module");
  }
  return faults;
}

if (import.meta.main) {
  const modules = await listModules();
  let failed = false;
  for (const path of modules) {
    for (
      const fault of findFaults(await Deno.readTextFile(new URL(path, ROOT)))
    ) {
      console.error(`${path}: ${fault}`);
      failed = true;
    }
  }
  if (failed) Deno.exit(1);
  console.log(`${modules.length} modules, none over ${MAX_LINES} lines`);
}
