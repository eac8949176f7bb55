/**
 * Makes one file of a module and everything that it imports. An executable
 * that reads one file instead of 160 starts in 128 ms instead of 186
 * (docs/performance.md) and has 10 MB less in memory; modules that are imported
 * dynamically still run only when they are asked for.
 *
 * @module
 */

import { ROOT } from "./_modules.ts";

/**
 * Bundles a module with everything that it imports.
 *
 * @param deno The deno that does it; it fetches esbuild from npm once.
 * @param source The module, relative to the repository.
 * @param output The file to write.
 * @throws {Error} If it cannot be done.
 */
export async function bundle(
  deno: string,
  source: string,
  output: string,
): Promise<void> {
  const { success } = await new Deno.Command(deno, {
    args: [
      "bundle",
      "--quiet",
      // LogTape's variant for Node loads node:util, for 20 ms and 10 MB; that
      // for browsers differs in how it prints objects, which are not logged.
      "--platform=browser",
      "--output",
      output,
      source,
    ],
    cwd: ROOT,
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn().status;
  if (!success) throw new Error(`Cannot bundle ${source}: deno bundle failed`);
  const text = await Deno.readTextFile(output);
  await Deno.writeTextFile(output, toAscii(text));
}

/**
 * Makes a source ASCII, since V8 keeps all of it in two bytes per character
 * for the sake of one that does not fit into one.
 *
 * @param source Source without `String.raw`.
 * @returns The same, with escapes for the characters that are not ASCII.
 */
export function toAscii(source: string): string {
  return source.replace(
    // deno-lint-ignore no-control-regex -- ASCII begins with them
    /[^\x00-\x7f]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
