/**
 * The graph of the first-party modules, as `deno info` tells it.
 *
 * @module
 */

import { ROOT } from "./_modules.ts";

/** One import or re-export in a first-party module, of values or types. */
export interface Edge {
  /** The importing module, relative to the repository. */
  readonly from: string;
  /** The imported module, relative to the repository; else its specifier. */
  readonly to: string;
  /** The specifier as written. */
  readonly specifier: string;
  /** Line of the import, from 1. */
  readonly line: number;
}

/** The part of `deno info --json` that is read here. */
export interface ModuleGraph {
  /** Every module that was reached. */
  readonly modules: readonly ModuleInfo[];
}

/** One module of a {@linkcode ModuleGraph}. */
export interface ModuleInfo {
  /** Its URL. */
  readonly specifier: string;
  /** Why it could not be loaded. */
  readonly error?: string;
  /** Its imports. */
  readonly dependencies?: readonly Dependency[];
}

/** One import of a {@linkcode ModuleInfo}. */
export interface Dependency {
  /** As written. */
  readonly specifier: string;
  /** Where it leads at run time; absent for `import type`. */
  readonly code?: Resolution;
  /** Where `import type` leads. */
  readonly type?: Resolution;
}

/** Where an import leads to. */
export interface Resolution {
  /** The URL of the module. */
  readonly specifier?: string;
  /** Why there is none. */
  readonly error?: string;
  /** Where it is written; lines from 0. */
  readonly span?: { readonly start: { readonly line: number } };
}

/**
 * Turns the graph of `deno info --json` into the edges of our own modules.
 *
 * @param graph The parsed JSON.
 * @param root The URL of the repository, with a slash at its end.
 * @returns One edge per import, paths relative to the repository.
 * @throws {Error} If a module cannot be loaded or an import not resolved.
 */
export function edgesOf(graph: ModuleGraph, root: string): Edge[] {
  const edges: Edge[] = [];
  for (const module of graph.modules) {
    if (!module.specifier.startsWith(root)) continue;
    const from = module.specifier.slice(root.length);
    if (module.error !== undefined) {
      throw new Error(`Cannot load ${from}: ${module.error}`);
    }
    for (const dependency of module.dependencies ?? []) {
      const resolution = dependency.code ?? dependency.type;
      const target = resolution?.specifier;
      const line = (resolution?.span?.start.line ?? 0) + 1;
      if (target === undefined) {
        throw new Error(
          `Cannot resolve "${dependency.specifier}" in ${from}:${line}: ` +
            (resolution?.error ?? "no target"),
        );
      }
      edges.push({
        from,
        to: target.startsWith(root) ? target.slice(root.length) : target,
        specifier: dependency.specifier,
        line,
      });
    }
  }
  return edges;
}

/**
 * Asks for the graph of all modules at once, through one that imports all.
 *
 * @param modules Paths relative to the repository.
 * @returns The graph.
 * @throws {Error} If `deno info` fails.
 */
export async function readGraph(
  modules: readonly string[],
): Promise<ModuleGraph> {
  const entry = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(
      entry,
      modules.map((path) => `import ${JSON.stringify(new URL(path, ROOT))};\n`)
        .join(""),
    );
    const output = await new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", "--no-lock", "--config", "deno.json", entry],
      cwd: ROOT,
      stderr: "inherit",
    }).output();
    if (!output.success) {
      throw new Error("Cannot read the module graph: deno info failed");
    }
    return JSON.parse(new TextDecoder().decode(output.stdout));
  } finally {
    await Deno.remove(entry);
  }
}
