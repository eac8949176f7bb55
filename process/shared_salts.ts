/**
 * The memory of salts that the threads of a process share, and by a file in
 * `state_dir` those of other processes, and the next one.
 *
 * @module
 */

import type { Config } from "../config/mod.ts";
import { ReplayMemory } from "../shadowsocks/mod.ts";
import {
  formatTable,
  TABLE_BYTES,
  tableMemory,
} from "../shadowsocks/salt_table.ts";
import type { SaltTable, SharedSalts } from "./salt_table.ts";

/**
 * Makes or finds the table of a configuration that asks for one.
 *
 * @param config The configuration.
 * @returns The table; undefined: each loop has a memory of its own, or none.
 */
export async function openSharedSalts(
  config: Config,
): Promise<SharedSalts | undefined> {
  if (config.replay === "persist") {
    const { openSaltFile } = await import("./_salt_file.ts");
    const file = openSaltFile(config.stateDir);
    if (file !== undefined) return file;
  }
  const isServer = config.locals.length === 0;
  if (config.replay === "off" || !isServer || config.workers <= 1) {
    return undefined;
  }
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
  if (buffer !== undefined) {
    return tableMemory(new Uint8Array(buffer), {
      marks: marks && new Uint8Array(marks),
    });
  }
  const pointer = Deno.UnsafePointer.create(address ?? 0n);
  // It is never unmapped: whoever asks for it once has it to the end.
  return tableMemory(
    pointer === null ? new Uint8Array(0) : new Uint8Array(
      new Deno.UnsafePointerView(pointer).getArrayBuffer(TABLE_BYTES),
    ),
  );
}
