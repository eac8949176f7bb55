/**
 * The memory of salts that the threads of a process share, and by a file in
 * `state_dir` those of other processes, and the next one.
 *
 * @module
 */

import type { Config } from "../../config/mod.ts";
import { ReplayMemory } from "../../shadowsocks/mod.ts";
import {
  formatTable,
  TABLE_BYTES,
  tableMemory,
} from "../../shadowsocks/salt_table.ts";
import { openSaltFile } from "./salt_file.ts";
import type { SaltTable, SharedSalts } from "./salt_table.ts";

/**
 * Makes or finds the table of a configuration that asks for one.
 *
 * @param config The configuration; `replay` is not `"off"`.
 * @returns The table; undefined: its file cannot be had, and no workers are
 * there who could share one without.
 */
export function openSharedSalts(config: Config): SharedSalts | undefined {
  if (config.replay === "persist") {
    const file = openSaltFile(config.stateDir);
    if (file !== undefined) return file;
  }
  const isServer = config.locals.length === 0;
  if (!isServer || config.workers <= 1) return undefined;
  const buffer = new SharedArrayBuffer(TABLE_BYTES);
  formatTable(new Uint8Array(buffer));
  return { table: { buffer }, [Symbol.dispose]: (): void => {} };
}

/**
 * Makes the memory of salts over a table.
 *
 * @param table The table.
 * @returns The memory of this thread.
 */
export function saltMemory(
  { buffer, marks, address }: SaltTable,
): ReplayMemory {
  return tableMemory(tableBytes({ buffer, address }), {
    marks: marks && new Uint8Array(marks),
  });
}

/**
 * The bytes of a table.
 *
 * @param table The table.
 * @returns All of it.
 * @throws {TypeError} If it is neither a buffer nor mapped.
 */
export function tableBytes({ buffer, address }: SaltTable): Uint8Array {
  if (buffer !== undefined) return new Uint8Array(buffer);
  const pointer = Deno.UnsafePointer.create(address ?? 0n);
  if (pointer === null) throw new TypeError("Cannot use a table: it is none");
  // It is never unmapped: whoever asks for it once has it to the end.
  const view = new Deno.UnsafePointerView(pointer);
  return new Uint8Array(view.getArrayBuffer(TABLE_BYTES));
}
