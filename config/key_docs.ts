/**
 * What the documentation says of every key.
 *
 * @module
 */

import { TOP } from "./keys/_keys.ts";
import type { Keys, TableSpec } from "./keys/_shape.ts";
import type { Role } from "./types.ts";

/** A row of the documentation. */
export interface KeyDoc {
  /** The key. */
  readonly key: string;
  /** Other names of it. */
  readonly aliases: readonly string[];
  /** What holds without it, in words; empty: nothing. */
  readonly usual: string;
  /** The roles for which it means something; empty: all. */
  readonly roles: readonly Role[];
  /** One sentence, without capital and full stop. */
  readonly meaning: string;
  /** Options that set it, as written: `-s`, `--mode`. */
  readonly options: readonly string[];
}

/** A table of the documentation. */
export interface TableDoc {
  /** As a TOML file has it: `[[servers]]`; empty: the outermost. */
  readonly name: string;
  /** Its keys, in the order of the documentation. */
  readonly keys: readonly KeyDoc[];
}

/**
 * Lists all keys of all tables.
 *
 * @returns The tables, the outermost first.
 */
export function keyDocs(): readonly TableDoc[] {
  // Users of servers may stand in two places.
  const byName = new Map(docsOf(TOP).map((doc) => [doc.name, doc]));
  return [...byName.values()];
}

function docsOf(spec: TableSpec<Keys>): TableDoc[] {
  const rows = Object.entries(spec.keys);
  const keys = rows.map(([key, row]): KeyDoc => ({
    key,
    aliases: row.aliases ?? [],
    usual: row.usual ?? "",
    roles: row.roles ?? [],
    meaning: row.meaning,
    options: (row.options ?? []).map(({ name }) =>
      name.length === 1 ? `-${name}` : `--${name}`
    ),
  }));
  const inner = rows.flatMap(([, { shape }]) =>
    shape.inside === undefined ? [] : docsOf(shape.inside)
  );
  return [{ name: spec.name, keys }, ...inner];
}
