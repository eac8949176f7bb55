/**
 * The names of all keys of all tables, for messages about texts that could not
 * be read: what is not such a name may be a secret.
 *
 * @module
 */

import { TOP } from "./_keys.ts";
import type { Keys, TableSpec } from "./_shape.ts";
import { namesOf } from "../_table.ts";

/**
 * Whether a text is the name of a key.
 *
 * @param name The text.
 */
export function isKeyName(name: string): boolean {
  return isNameIn(TOP, name);
}

function isNameIn(spec: TableSpec<Keys>, name: string): boolean {
  return namesOf(spec.keys).has(name) || spec.ignored.has(name) ||
    Object.values(spec.keys).some(({ shape }) =>
      shape.inside !== undefined && isNameIn(shape.inside, name)
    );
}
