/**
 * V8's collector of garbage.
 *
 * @module
 */

import { nodeProcess } from "./_node.ts";

/** Asks for a collection at the last resort, which alone shrinks the heap. */
type Collector = (options: {
  readonly type: "major";
  readonly execution: "sync";
  readonly flavor: "last-resort";
}) => void;

/**
 * Finds the collector.
 *
 * @returns Collects everything and shrinks the heap, in 10 to 60 ms; undefined
 * if this runtime does not show it.
 */
export function findCollector(): (() => void) | undefined {
  const collector = (globalThis as { gc?: Collector }).gc ?? exposeCollector();
  if (collector === undefined) return undefined;
  return () =>
    collector({ type: "major", execution: "sync", flavor: "last-resort" });
}

/**
 * Executables are built with the flag; else it counts for contexts made after
 * it was set, unless this version of Deno ignores it.
 */
function exposeCollector(): Collector | undefined {
  try {
    const node = nodeProcess();
    node.getBuiltinModule("node:v8").setFlagsFromString("--expose-gc");
    const found: unknown = node.getBuiltinModule("node:vm")
      .runInNewContext("gc");
    return typeof found === "function" ? found as Collector : undefined;
  } catch {
    // There is no such name, for the flag was not taken; or no `process`.
    return undefined;
  }
}
