/**
 * Finds what is wrong with a JSON text, and the places of its values. Loaded
 * only when there is something to report.
 *
 * @module
 */

import * as jsonc from "jsonc-parser";
import { COMMENT, STRING } from "./_json.ts";
import {
  blankMark,
  ConfigSyntaxError,
  describeChar,
  explainWord,
  type Locator,
  MAX_DEPTH,
  type Spot,
} from "./_place.ts";

// Numbers of jsonc.ParseErrorCode, which is a `const enum`: it has no values
// at run time.
const COMMENT_END = 11;
const STRING_END = 12;
const UNICODE = 14;
const ESCAPE = 15;
const CHARACTER = 16;

/** Finds the places in one JSON text. */
export class JsonLocator implements Locator {
  readonly #root: jsonc.Node | undefined;

  /**
   * Reads a text.
   *
   * @param text The text, which is JSON with comments.
   */
  constructor(text: string) {
    this.#root = jsonc.parseTree(blankMark(text), [], OPTIONS);
  }

  offsetOf(spot: Spot): number {
    if (this.#root === undefined) return 0;
    for (let length = spot.path.length; length >= 0; length--) {
      const path = spot.path.slice(0, length);
      const node = jsonc.findNodeAtLocation(this.#root, path);
      if (node === undefined) continue;
      const isEntry = spot.part === "key" && node.parent?.type === "property";
      return isEntry ? node.parent!.offset : node.offset;
    }
    return this.#root.offset;
  }
}

/**
 * Explains why a text is not JSON, or not in order.
 *
 * @param text The text.
 * @param isKeyName Whether a text is the name of a key, which may be shown.
 * @returns The first mistake; undefined if there is none.
 */
export function explainJson(
  text: string,
  isKeyName: (name: string) => boolean,
): ConfigSyntaxError | undefined {
  const tooDeep = findDepth(text);
  const errors: jsonc.ParseError[] = [];
  // What is nested too deeply would overflow the stack of the parser.
  const whole = tooDeep === undefined ? text : text.slice(0, tooDeep);
  const root = jsonc.parseTree(blankMark(whole), errors, OPTIONS);
  const first = errors.find((error) => !isTab(whole, error));
  if (first !== undefined && first.offset < (tooDeep ?? Infinity)) {
    return explain(text, first);
  }
  if (tooDeep !== undefined) {
    return new ConfigSyntaxError("nested too deeply", tooDeep);
  }
  return root && findDisorder(root, isKeyName);
}

/**
 * Reads a text that `explainJson` has found nothing wrong with.
 *
 * @param text The text.
 * @returns Its values.
 */
export function readLoosely(text: string): unknown {
  return jsonc.parse(blankMark(text), [], OPTIONS) as unknown;
}

const OPTIONS: jsonc.ParseOptions = { allowTrailingComma: true };

/** A tab in a string is read, though JSON does not allow it. */
function isTab(
  text: string,
  { error, offset, length }: jsonc.ParseError,
): boolean {
  // deno-lint-ignore no-control-regex -- these are what is looked for
  const others = /[\x00-\x08\x0a-\x1f]/;
  return error as number === CHARACTER &&
    !others.test(text.slice(offset, offset + length));
}

/** Where the nesting becomes too deep. */
function findDepth(text: string): number | undefined {
  const tokens = new RegExp(`${STRING.source}|${COMMENT.source}|[[{\\]}]`, "g");
  let depth = 0;
  for (const { 0: token, index } of text.matchAll(tokens)) {
    if (token === "[" || token === "{") depth++;
    else if (token === "]" || token === "}") depth--;
    if (depth > MAX_DEPTH + 1) return index;
  }
  return undefined;
}

function explain(text: string, error: jsonc.ParseError): ConfigSyntaxError {
  const { offset, length } = error;
  const inside = text.slice(offset, offset + length);
  switch (error.error as number) {
    case COMMENT_END:
      return new ConfigSyntaxError("comment has no end", offset);
    case STRING_END:
      return new ConfigSyntaxError("string has no closing quote", offset);
    case UNICODE:
    case ESCAPE: {
      const bad = /\\(?!u[0-9a-fA-F]{4}|["\\/bfnrt])(?<=^(?:[^\\]|\\.)*?\\)/s;
      const at = offset + Math.max(0, inside.search(bad));
      return new ConfigSyntaxError("unknown escape in a string", at);
    }
    case CHARACTER: {
      // deno-lint-ignore no-control-regex -- these are what is looked for
      const at = offset + Math.max(0, inside.search(/[\x00-\x08\x0b-\x1f]/));
      const message = "control character in a string: write it as \\u00XX";
      return new ConfigSyntaxError(message, at);
    }
    default: {
      const expected = expectedAt(text, offset);
      const at = wordStart(text, offset);
      const wrong = expected.startsWith("a value")
        ? explainWord(text.slice(at))
        : undefined;
      if (wrong !== undefined) return new ConfigSyntaxError(wrong, at);
      const found = describeChar(text.slice(at));
      return new ConfigSyntaxError(`expected ${expected}, found ${found}`, at);
    }
  }
}

/** The parser cuts `0x10` and `01` in two; the word begins before them. */
function wordStart(text: string, offset: number): number {
  if (!/[\w.+-]/.test(text[offset] ?? "")) return offset;
  const rest = /[\w.+-]*$/.exec(text.slice(Math.max(0, offset - 40), offset));
  return offset - rest![0].length;
}

/** What may stand at an offset, by what stands before it. */
function expectedAt(text: string, offset: number): string {
  const start = wordStart(text, offset);
  const tokens = new RegExp(`${STRING.source}|${COMMENT.source}`, "g");
  const before = text.slice(0, start)
    .replace(
      tokens,
      (token) => token.startsWith('"') ? '"'.repeat(token.length) : "",
    )
    .replace(/\s+$/, "");
  const last = before.at(-1);
  const value = "a value (text needs double quotes)";
  if (last === undefined || last === ":" || last === "[") return value;
  const open = containerOf(before);
  if (last === "{") return 'a key in quotes, or "}"';
  if (last === ",") return open === "{" ? 'a key in quotes, or "}"' : value;
  if (open === undefined) return "the end of the file";
  // A key has no colon before it.
  const isKey = open === "{" && /[{,]\s*"+$/.test(before);
  return isKey ? '":" after the key' : `"," or "${open === "{" ? "}" : "]"}"`;
}

/** The bracket that is still open; strings are all quotes here. */
function containerOf(before: string): string | undefined {
  let closed = 0;
  for (let i = before.length - 1; i >= 0; i--) {
    const char = before[i]!;
    if (char === "}" || char === "]") closed++;
    else if (char === "{" || char === "[") {
      if (closed === 0) return char;
      closed--;
    }
  }
  return undefined;
}

/** Keys that are given twice, and strings with half a character. */
function findDisorder(
  node: jsonc.Node,
  isKeyName: (name: string) => boolean,
): ConfigSyntaxError | undefined {
  const value: unknown = node.value;
  if (typeof value === "string" && !value.isWellFormed()) {
    const message = "string has half a surrogate pair";
    return new ConfigSyntaxError(message, node.offset);
  }
  const seen = new Set<string>();
  for (const child of node.children ?? []) {
    const inner = findDisorder(child, isKeyName);
    if (inner !== undefined) return inner;
    if (node.type !== "object") continue;
    const name = String(child.children![0]!.value);
    if (seen.has(name)) {
      const shown = isKeyName(name) ? `"${name}"` : "this key";
      return new ConfigSyntaxError(`${shown} is given twice`, child.offset);
    }
    seen.add(name);
  }
  return undefined;
}
