/**
 * Reads JSON (RFC 8259) with comments and trailing commas, without a library:
 * what differs from JSON is blanked, and the engine does the rest. Only a text
 * that is not in order is looked at more closely, in `_json_places.ts`.
 *
 * @module
 */

import { MAX_DEPTH } from "./_place.ts";

/** A string, with its quotes. */
export const STRING = /"(?:[^"\\\r\n]|\\[^\r\n])*"/;

/** A comment of either kind. */
export const COMMENT = /\/\/[^\r\n]*|\/\*[^]*?\*\//;

/** A comma after the last of several values. */
const TRAILING_COMMA = /(?<![[{,:]\s*),(?=\s*[}\]])/;

/**
 * Reads a JSON text that is in order.
 *
 * @param text The text; a byte order mark is skipped.
 * @returns Its values; undefined if it is not JSON, gives a key twice, is
 * nested too deeply, or has half a character in a string.
 */
export function parseJson(text: string): { values: unknown } | undefined {
  const bare = text.replace(/^\ufeff/, "");
  try {
    const values: unknown = parseLenient(bare);
    return isInOrder(bare, values) ? { values } : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function parseLenient(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return JSON.parse(toStrict(text));
  }
}

/** Without comments and trailing commas, tabs in strings escaped. */
function toStrict(text: string): string {
  const tokens = new RegExp(`${STRING.source}|${COMMENT.source}`, "g");
  const bare = text.replace(
    tokens,
    (token) =>
      token.startsWith('"')
        ? token.replaceAll("\t", "\\t")
        : token.replace(/[^\r\n]/g, " "),
  );
  const commas = new RegExp(`${STRING.source}|${TRAILING_COMMA.source}`, "g");
  return bare.replace(commas, (token) => token === "," ? " " : token);
}

/** The engine keeps the last of several equal keys; so they are counted. */
function isInOrder(text: string, values: unknown): boolean {
  // Perhaps half a surrogate pair.
  if (/\\u[dD][89a-fA-F]/.test(text)) return false;
  const kept = countKeys(values, 0);
  if (kept === undefined) return false;
  const tokens = new RegExp(
    `${STRING.source}(\\s*(?:(?:${COMMENT.source})\\s*)*:)?|${COMMENT.source}`,
    "g",
  );
  let written = 0;
  for (const [, colon] of text.matchAll(tokens)) {
    if (colon !== undefined) written++;
  }
  return written === kept;
}

/** The number of keys, undefined if the nesting is too deep. */
function countKeys(value: unknown, depth: number): number | undefined {
  if (typeof value !== "object" || value === null) return 0;
  if (depth > MAX_DEPTH) return undefined;
  let count = Array.isArray(value) ? 0 : Object.keys(value).length;
  for (const each of Object.values(value)) {
    const inner = countKeys(each, depth + 1);
    if (inner === undefined) return undefined;
    count += inner;
  }
  return count;
}
