/**
 * Checks every module: at most 500 lines, a module comment at its top that
 * ends in `@module`, and something that is started imports it.
 *
 * Usage: `deno run -A scripts/check_files.ts`; exit 1 if a file fails.
 *
 * @module
 */

// deno-lint-ignore-file no-console -- a script talks to its terminal

import { type Edge, edgesOf, readGraph } from "./_graph.ts";
import { isRunByDeno, isTestModule, listModules, ROOT } from "./_modules.ts";

/** Most lines of a file: what can be read at one sitting. */
const MAX_LINES = 500;

/** What starts the product: `process/_worker.ts` is the body of a thread. */
const ENTRIES: ReadonlySet<string> = new Set([
  "main.ts",
  "process/_worker.ts",
]);

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

/**
 * Finds the dead modules of the product, and dead fixtures beside it. What
 * tests alone import is dead as well, unless it is for tests or a `mod.ts`.
 *
 * @param modules Every module, relative to the repository.
 * @param edges All imports of all of them, of types too.
 * @returns The paths that nothing reaches which is started; `scripts/` and
 * `tests/` are left out: they have programs that people start.
 */
export function findUnreached(
  modules: readonly string[],
  edges: readonly Edge[],
): string[] {
  const started = modules.filter((path) =>
    ENTRIES.has(path) || isScript(path) && !isTestModule(path)
  );
  const tests = modules.filter((path) =>
    isRunByDeno(path) || path.startsWith("tests/")
  );
  const alive = reach(started, edges);
  const tested = reach(tests, edges);
  return modules.filter((path) =>
    !isScript(path) && !path.startsWith("tests/") && !alive.has(path) &&
    !(mayBeForTests(path) && tested.has(path))
  );
}

/** `mod.ts` shows a folder whole; the product may load its parts alone. */
function mayBeForTests(path: string): boolean {
  return isTestModule(path) || path.endsWith("/mod.ts");
}

function isScript(path: string): boolean {
  return path.startsWith("scripts/");
}

/** The modules that `from` import, by however many others, and themselves. */
function reach(from: readonly string[], edges: readonly Edge[]): Set<string> {
  const imports = Map.groupBy(edges, (edge) => edge.from);
  // A set is walked in the order of insertion, with what is added on the way.
  const reached = new Set(from);
  for (const path of reached) {
    for (const { to } of imports.get(path) ?? []) reached.add(to);
  }
  return reached;
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
  const edges = edgesOf(await readGraph(modules), ROOT.href);
  for (const path of findUnreached(modules, edges)) {
    console.error(`${path}: nothing that is started imports it`);
    failed = true;
  }
  if (failed) Deno.exit(1);
  console.log(
    `${modules.length} modules, none over ${MAX_LINES} lines, none dead`,
  );
}
