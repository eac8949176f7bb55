/**
 * Reads TOML. `@std/toml` makes the values; but it lets a second value of one
 * key replace the first, and reads `a = 1 b = 2` as two entries. So whatever
 * looks like either, and whatever it refuses, goes to a strict reader, which
 * is loaded only then.
 *
 * @module
 */

import * as toml from "@std/toml";
import { blankMark } from "./_place.ts";

/** What is used of the library, which comes without types. */
const parse = toml.parse as (text: string) => unknown;

/** A line such as `name = value`; names in quotes or with dots are left out. */
const PAIR = /^[ \t]*([A-Za-z0-9_-]+)[ \t]*=(.*)$/;
/** The first line of a table, `[name]`, or of one in a list, `[[name]]`. */
const TABLE =
  /^[ \t]*\[(\[?)[ \t]*([A-Za-z0-9_-]+)[ \t]*\]{1,2}[ \t]*(?:#.*)?$/;
/** A line that holds no key: blank, a comment, or a part of a list. */
const OTHER = /^[ \t]*(?:#.*|["'{}\],0-9+-].*)?$/;
/** Text on one line, so that what is in it is not looked at. */
const STRING = /"(?:[^"\\]|\\.)*"|'[^']*'/g;

/**
 * Reads a TOML text.
 *
 * @param text The text; a byte order mark is skipped.
 * @param isKeyName Whether a text is the name of a key, which may be shown.
 * @returns Its values.
 * @throws {ConfigSyntaxError} If it is not TOML, or gives a key twice.
 */
export async function parseToml(
  text: string,
  isKeyName: (name: string) => boolean,
): Promise<unknown> {
  if (isPlain(text)) {
    try {
      return parse(blankMark(text));
    } catch {
      // The strict reader says what is wrong, and where.
    }
  }
  const { parseStrictly } = await import("./_toml_strict.ts");
  return parseStrictly(text, isKeyName);
}

/**
 * What TOML has nowhere, and `@std/toml` lets pass: controls, and escapes of
 * what is no character, such as half of a surrogate pair.
 */
// deno-lint-ignore no-control-regex -- these are what is looked for
const CONTROL = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)|\\[uU]/;

/** Whether every line has a form in which no key can hide. */
function isPlain(text: string): boolean {
  if (CONTROL.test(text)) return false;
  /** Names of tables, and whether they are lists; names at the top. */
  const tables = new Map<string, boolean>();
  const top = new Set<string>();
  let keys = top;
  for (const line of blankMark(text).split(/\r?\n/)) {
    if (line.includes('"""') || line.includes("'''")) return false;
    const [, isListed, table] = TABLE.exec(line) ?? [];
    if (table !== undefined) {
      const known = tables.get(table);
      if (known === false || (known && isListed === "")) return false;
      if (top.has(table)) return false;
      tables.set(table, isListed !== "");
      keys = new Set();
      continue;
    }
    const [, name, value] = PAIR.exec(line) ?? [];
    if (name === undefined || value === undefined) {
      if (!OTHER.test(line)) return false;
      continue;
    }
    if (keys.has(name)) return false;
    keys.add(name);
    const bare = value.replace(STRING, "").replace(/#.*/, "");
    if (bare.includes("=")) return false;
  }
  return true;
}
