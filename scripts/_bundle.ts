/**
 * Makes few files of modules and everything that they import: one of all that
 * runs in any case, and one for each part that is imported dynamically. An
 * executable that reads one file instead of 160 starts in 128 ms instead of 186
 * (docs/performance.md) and has 10 MB less in memory. What is imported
 * dynamically stays in files of its own: a source is kept in memory once it was
 * read, and 750 KB of source that never ran cost 6 MB.
 *
 * @module
 */

import { ROOT } from "./_modules.ts";

/**
 * Bundles modules with everything that they import; what several of them import
 * is there once.
 *
 * @param deno The deno that does it; it fetches esbuild from npm once.
 * @param sources The modules, relative to the repository.
 * @param folder Takes the files: those of the modules under the paths they have
 * in the repository, with the suffix `.js`, all others beside each other.
 * @throws {Error} If it cannot be done.
 */
export async function bundle(
  deno: string,
  sources: readonly string[],
  folder: string,
): Promise<void> {
  const { success } = await new Deno.Command(deno, {
    args: [
      "bundle",
      "--quiet",
      // LogTape's variant for Node loads node:util, for 20 ms and 10 MB; that
      // for browsers differs in how it prints objects, which are not logged.
      "--platform=browser",
      "--code-splitting",
      "--outdir",
      folder,
      ...sources,
    ],
    cwd: ROOT,
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn().status;
  if (!success) {
    throw new Error(`Cannot bundle ${sources.join(", ")}: deno bundle failed`);
  }
  await rewriteAll(folder);
}

/** Makes every file of a folder, and of those in it, ASCII. */
async function rewriteAll(folder: string): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) await rewriteAll(path);
    else await Deno.writeTextFile(path, toAscii(await Deno.readTextFile(path)));
  }
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
