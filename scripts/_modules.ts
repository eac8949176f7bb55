/**
 * The list of first-party modules, for the checks that look at all of them.
 *
 * @module
 */

/** Folders that hold no source of ours. */
const SKIPPED = new Set(["node_modules", "dist", "coverage", "vendor"]);

/** The folder of the repository, with a slash at its end. */
export const ROOT: URL = new URL("../", import.meta.url);

/**
 * Lists every TypeScript file of the repository.
 *
 * @returns Paths relative to the repository, with `/`, sorted.
 */
export async function listModules(): Promise<string[]> {
  const found: string[] = [];
  await collect("", found);
  return found.sort();
}

async function collect(folder: string, found: string[]): Promise<void> {
  for await (const entry of Deno.readDir(new URL(`./${folder}`, ROOT))) {
    if (entry.name.startsWith(".")) continue;
    if (entry.isDirectory && !SKIPPED.has(entry.name)) {
      await collect(`${folder}${entry.name}/`, found);
    } else if (entry.isFile && entry.name.endsWith(".ts")) {
      found.push(folder + entry.name);
    }
  }
}

/**
 * Tells whether a module exists for tests and measurements only.
 *
 * @param path Path relative to the repository.
 * @returns True for `tests/…`, `…_test.ts`, `…_bench.ts`, and the fixtures
 * `fakes.ts`, `…_fixture.ts`, `_fake_….ts` and `_test_….ts` beside the code.
 */
export function isTestModule(path: string): boolean {
  return path.startsWith("tests/") || isRunByDeno(path) ||
    /_fixture\.ts$|(^|\/)(fakes|_(fake|test)_[^/]*)\.ts$/.test(path);
}

/**
 * Tells whether a module is started by `deno test` or `deno bench`.
 *
 * @param path Path relative to the repository.
 * @returns True for `…_test.ts` and `…_bench.ts`.
 */
export function isRunByDeno(path: string): boolean {
  return /_(test|bench)\.ts$/.test(path);
}
