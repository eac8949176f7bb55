/**
 * Reads the text of a configuration file in whichever format it has.
 *
 * @module
 */

import { ConfigSyntaxError, type ParsedText } from "./_place.ts";
import { parseJson } from "./json_locate.ts";
import { parseTomlText } from "./toml_locate.ts";

/**
 * Reads TOML, or JSON with comments and trailing commas.
 *
 * @param text The text of the file.
 * @param path The path of the file: `.toml` and `.json` decide the format, or
 * else the first character, which is `{` for JSON.
 * @returns Values and places.
 * @throws {ConfigSyntaxError} If the text is not in that format.
 */
export function parseText(text: string, path: string): ParsedText {
  const damage = text.indexOf("\ufffd");
  if (damage >= 0) {
    throw new ConfigSyntaxError("expected UTF-8, found other bytes", damage);
  }
  return isToml(text, path) ? parseTomlText(text) : parseJson(text);
}

/**
 * Finds the line and column of an offset.
 *
 * @param text The text.
 * @param offset Counted from 0.
 * @returns `line:column`, both counted from 1; columns in characters.
 */
export function lineColumn(text: string, offset: number): string {
  const lines = text.slice(0, offset).split(/\r\n|\n|\r/);
  const last = lines.at(-1)!.replace("\ufeff", "");
  return `${lines.length}:${[...last].length + 1}`;
}

function isToml(text: string, path: string): boolean {
  if (/\.toml$/i.test(path)) return true;
  if (/\.json$/i.test(path)) return false;
  const blank = /^(?:[\s\ufeff]|\/\/[^\n]*|\/\*[^]*?\*\/)*/;
  return !text.replace(blank, "").startsWith("{");
}
