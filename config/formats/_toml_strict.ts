/**
 * Reads TOML (v1.0) to the letter, and says what is wrong with it and where.
 * Loaded only for texts that `_toml.ts` does not trust.
 *
 * `smol-toml` reads; its messages repeat the text, which may hold a password,
 * so only their places are taken.
 *
 * @module
 */

import { parse, TomlError } from "smol-toml";
import {
  blankMark,
  ConfigSyntaxError,
  describeChar,
  explainWord,
  MAX_DEPTH,
} from "./_place.ts";

/**
 * Reads a TOML text.
 *
 * @param text The text; a byte order mark is skipped.
 * @param isKeyName Whether a text is the name of a key, which may be shown.
 * @returns Its values.
 * @throws {ConfigSyntaxError} If it is not TOML, or gives a key twice.
 */
export function parseStrictly(
  text: string,
  isKeyName: (name: string) => boolean,
): unknown {
  try {
    return parse(blankMark(text), { maxDepth: MAX_DEPTH });
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const offset = offsetOf(text, error);
    const [, reason = ""] = /document: (.*)/.exec(error.message) ?? [];
    throw explain(text, { offset, reason, isKeyName });
  }
}

/** Words of `smol-toml`, and ours. */
const REASONS: readonly (readonly [RegExp, string])[] = [
  [/^unfinished string/, "string has no closing quote"],
  [/nested/, "nested too deeply"],
  [/escape/, "unknown escape in a string"],
  [/^control characters/, "control character: write it as \\u00XX"],
  [/losslessly/, "number is too large"],
  [/^invalid date/, "expected a date such as 2030-12-31"],
];

const EXPECTED: readonly (readonly [RegExp, string])[] = [
  [/end-of-line/, "the end of the line"],
  [/^incomplete key-value/, '"=" after the key'],
  [/table array/, '"]]"'],
  [/key/, "a key"],
  [/^invalid value/, "a value (text needs quotes)"],
  [/^expected comma|^unfinished (?:array|table)/, '"," or the closing bracket'],
  [/number|numeric|zero|underscore/, "a number"],
];

function explain(
  text: string,
  { offset, reason, isKeyName }: {
    offset: number;
    reason: string;
    isKeyName: (name: string) => boolean;
  },
): ConfigSyntaxError {
  const rest = text.slice(offset);
  if (reason.includes("redefine")) {
    if (text[offset - 1] === "[") {
      const start = text[offset - 2] === "[" ? offset - 2 : offset - 1;
      return new ConfigSyntaxError("this table is given twice", start);
    }
    const name = /^[\w-]+/.exec(rest)?.[0] ?? "";
    const shown = isKeyName(name) ? `"${name}"` : "this key";
    return new ConfigSyntaxError(`${shown} is given twice`, offset);
  }
  const better = explainLine(text, { offset, reason });
  if (better !== undefined) return better;
  const own = REASONS.find(([pattern]) => pattern.test(reason));
  if (own !== undefined) return new ConfigSyntaxError(own[1], offset);
  const [, words] = EXPECTED.find(([pattern]) => pattern.test(reason)) ??
    [null, "TOML (key = value)"];
  // The mistake in `name value` and in `[name` is after the name.
  const isPart = reason.startsWith("incomplete key-value");
  const at = isPart
    ? offset + /^[^\s=\]]*[ \t]*/.exec(rest)![0].length
    : offset;
  const expected = isPart && text[offset - 1] === "[" ? '"]"' : words;
  return new ConfigSyntaxError(
    `expected ${expected}, found ${describeChar(text.slice(at))}`,
    at,
  );
}

/** A string on one line, or what is left of it without its end. */
const STRING = /"(?:[^"\\]|\\.)*("?)|'[^']*('?)/g;

/** A key alone, and what follows it. */
const KEY =
  /^([ \t]*(?:[\w-]+(?![\w-])|"[^"]*"|'[^']*')[ \t]*(?![ \t]))([^\s=.\]].*)$/;

/** What the line shows that the reader does not say; undefined: nothing. */
function explainLine(
  text: string,
  { offset, reason }: { readonly offset: number; readonly reason: string },
): ConfigSyntaxError | undefined {
  const start = text.lastIndexOf("\n", offset - 1) + 1;
  const [line = ""] = /^[^\r\n]*/.exec(text.slice(start)) ?? [];
  if (reason.startsWith("control characters")) {
    const open = [...line.matchAll(STRING)].find(([, double, single]) =>
      double === "" || single === ""
    );
    return open &&
      new ConfigSyntaxError("string has no closing quote", start + open.index);
  }
  if (/^invalid value|number|numeric|zero|underscore/.test(reason)) {
    const before = /[^\s=,[{]*$/.exec(text.slice(start, offset))![0];
    const at = offset - before.length;
    const message = explainWord(text.slice(at));
    return message === undefined
      ? undefined
      : new ConfigSyntaxError(message, at);
  }
  // `name value` and `name: value`.
  const [, key, value] = KEY.exec(blankMark(line)) ?? [];
  if (!reason.includes("key") || key === undefined || value === undefined) {
    return undefined;
  }
  return new ConfigSyntaxError(
    `expected "=" after the key, found ${describeChar(value)}`,
    start + key.length,
  );
}

function offsetOf(text: string, { line, column }: TomlError): number {
  let at = 0;
  for (let i = 1; i < line; i++) at = text.indexOf("\n", at) + 1;
  return Math.min(text.length, at + column - 1);
}
