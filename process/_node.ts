/**
 * Node's `process`, loaded by the first who asks for it, which takes a tenth
 * of the time to start; an import would always load it.
 *
 * @module
 */

/** The module `node:process`. */
export type NodeProcess = typeof import("node:process");

/**
 * Finds it.
 *
 * @returns The same object that `node:process` gives.
 * @throws {Deno.errors.NotFound} If the working directory was removed. It asks
 * for that when it is loaded; without it, it fails twice, once where nobody can
 * catch it, which ends a worker.
 */
export function nodeProcess(): NodeProcess {
  Deno.cwd();
  return (globalThis as unknown as { readonly process: NodeProcess }).process;
}
