/**
 * `node:crypto`, loaded by the first that needs it: most processes have a
 * native library and never do, and loading takes a quarter of their start.
 *
 * @module
 */

/** The module. */
export type NodeCrypto = typeof import("node:crypto");

/** The global `process` is loaded when it is first read, an import always. */
const node = globalThis as unknown as {
  readonly process: typeof import("node:process");
};

let loaded: NodeCrypto | undefined;

/**
 * The module, loaded once.
 *
 * @returns Its functions.
 */
export function nodeCrypto(): NodeCrypto {
  return loaded ??= node.process.getBuiltinModule("node:crypto");
}
