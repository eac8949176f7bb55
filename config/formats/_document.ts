/**
 * Reads the text of a configuration file in whichever format it has. What is
 * good is read at once; the libraries that find places are loaded when there
 * is something to report.
 *
 * @module
 */

import { parseJson } from "./_json.ts";
import { isKeyName } from "../keys/_key_names.ts";
import { ConfigSyntaxError, type Locator } from "./_place.ts";

/** A text that was read. */
export interface Document {
  /** What the text says; a table, if it is a configuration. */
  readonly values: unknown;
  /**
   * Finds the places in the text.
   *
   * @returns The places.
   */
  locate(): Promise<Locator>;
}

/**
 * Reads TOML, or JSON with comments and trailing commas.
 *
 * @param text The text of the file.
 * @param path The path of the file: `.toml` and `.json` decide the format, or
 * else the first character, which is `{` for JSON.
 * @returns Values and places.
 * @throws {ConfigSyntaxError} If the text is not in that format.
 */
export async function readDocument(
  text: string,
  path: string,
): Promise<Document> {
  const damage = text.indexOf("\ufffd");
  if (damage >= 0) {
    throw new ConfigSyntaxError("expected UTF-8, found other bytes", damage);
  }
  if (isToml(text, path)) {
    const { parseToml } = await import("./_toml.ts");
    return {
      values: await parseToml(text, isKeyName),
      locate: async () => {
        const { TomlLocator } = await import("./_toml_places.ts");
        return new TomlLocator(text);
      },
    };
  }
  const locate = async (): Promise<Locator> => {
    const { JsonLocator } = await import("./_json_places.ts");
    return new JsonLocator(text);
  };
  const parsed = parseJson(text);
  if (parsed !== undefined) return { values: parsed.values, locate };
  const { explainJson, readLoosely } = await import("./_json_places.ts");
  const error = explainJson(text, isKeyName);
  if (error !== undefined) throw error;
  return { values: readLoosely(text), locate };
}

function isToml(text: string, path: string): boolean {
  // An empty file is a table without keys, whatever its name.
  if (text.trim() === "") return true;
  if (/\.toml$/i.test(path)) return true;
  if (/\.json$/i.test(path)) return false;
  const blank = /^(?:\s|\/\/[^\n]*|\/\*[^]*?\*\/)*/;
  return !text.replace(blank, "").startsWith("{");
}
