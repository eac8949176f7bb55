/**
 * The memory of salts that outlives a loop: loaded by processes that have one.
 *
 * @module
 */

export * from "./salt_file.ts";
export * from "./salt_table.ts";
export * from "./shared_salts.ts";
