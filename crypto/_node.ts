/**
 * `node:crypto`, loaded by the first that needs it: most processes have a
 * native library and never do, and loading takes a quarter of their start.
 *
 * @module
 */

import process from "node:process";

/** The module. */
export type NodeCrypto = typeof import("node:crypto");

let loaded: NodeCrypto | undefined;

/**
 * The module, loaded once.
 *
 * @returns Its functions.
 */
export function nodeCrypto(): NodeCrypto {
  return loaded ??= process.getBuiltinModule("node:crypto") as NodeCrypto;
}
