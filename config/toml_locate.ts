/**
 * Reads TOML (v1.0) and finds the place of every key and value.
 *
 * `@std/toml` makes the values. It keeps no places, repeats the text in its
 * messages (which may be a password), and lets a second value of one key
 * replace the first; so a scanner goes over the text before it and refuses
 * what has not the form `key = value`.
 *
 * @module
 */

import * as toml from "@std/toml";
import {
  ConfigSyntaxError,
  describeChar,
  type ParsedText,
  type Path,
  pathId,
  type Span,
} from "./_place.ts";

const parseToml = toml.parse as (text: string) => Record<string, unknown>;

/** Deeper nesting than any configuration has, and no danger to the stack. */
const MAX_DEPTH = 32;

/**
 * Reads a TOML text.
 *
 * @param text The text; a byte order mark is skipped.
 * @returns Its values and the places of entries.
 * @throws {ConfigSyntaxError} If it is not TOML, or gives a key twice.
 */
export function parseTomlText(text: string): ParsedText {
  const scanner = new TomlScanner(text);
  scanner.scan();
  try {
    // Blanked, not cut, so that offsets stay the same.
    const values = parseToml(text.replace(/^\ufeff/, " "));
    return { values, spans: scanner.spans };
  } catch (error) {
    const [, line] = /line (\d+)/.exec(String(error)) ?? [];
    throw new ConfigSyntaxError(
      "expected TOML (key = value)",
      lineOffset(text, Number(line ?? 1)),
    );
  }
}

class TomlScanner {
  readonly spans = new Map<string, Span>();
  readonly #text: string;
  readonly #counts = new Map<string, number>();
  readonly #tables = new Set<string>();
  #at = 0;
  #table: Path = [];

  constructor(text: string) {
    this.#text = text;
  }

  scan(): void {
    if (this.#text.startsWith("\ufeff")) this.#at = 1;
    this.spans.set(pathId([]), { key: this.#at, value: this.#at });
    for (;;) {
      this.#skip(/(?:[ \t\r\n]|#[^\r\n]*)*/y);
      if (this.#at >= this.#text.length) return;
      if (this.#text[this.#at] === "[") this.#scanHeader();
      else this.#scanPair(this.#table);
      this.#skip(/[ \t]*(?:#[^\r\n]*)?/y);
      if (this.#at < this.#text.length && !/[\r\n]/.test(this.#char())) {
        this.#fail("the end of the line");
      }
    }
  }

  /** `[a.b]` or `[[a.b]]`. */
  #scanHeader(): void {
    const start = this.#at;
    const isArray = this.#text.startsWith("[[", start);
    this.#at += isArray ? 2 : 1;
    const path = this.#scanKey();
    const close = isArray ? "]]" : "]";
    if (!this.#text.startsWith(close, this.#at)) this.#fail(`"${close}"`);
    this.#at += close.length;
    this.#note(path, { key: start, value: start });
    if (isArray) {
      const id = pathId(path);
      const index = this.#counts.get(id) ?? 0;
      this.#counts.set(id, index + 1);
      this.#table = [...path, index];
      return;
    }
    if (this.#tables.has(pathId(path))) {
      throw new ConfigSyntaxError("this table is given twice", start);
    }
    this.#tables.add(pathId(path));
    this.#table = path;
  }

  #scanPair(parent: Path): void {
    const keyAt = this.#at;
    const path = [...parent, ...this.#scanKey()];
    if (this.#char() !== "=") this.#fail('"=" after the key');
    this.#at++;
    this.#skip(/[ \t]*/y);
    if (this.spans.has(pathId(path))) {
      // Only the outermost keys are surely names and not secrets.
      const name = path.length === 1 ? `"${path[0]}"` : "this key";
      throw new ConfigSyntaxError(`${name} is given twice`, keyAt);
    }
    this.#note(path, { key: keyAt, value: this.#at });
    this.#scanValue(path);
  }

  /** Keeps a place, and that of every table around it seen first here. */
  #note(path: Path, span: Span): void {
    for (let length = 1; length <= path.length; length++) {
      const id = pathId(path.slice(0, length));
      if (!this.spans.has(id)) this.spans.set(id, span);
    }
  }

  /** A dotted key; ends behind the blanks after it. */
  #scanKey(): string[] {
    const steps: string[] = [];
    for (;;) {
      this.#skip(/[ \t]*/y);
      const found = this.#skip(
        /[A-Za-z0-9_-]+|"(?:[^"\\\r\n]|\\.)*"|'[^'\r\n]*'/y,
      );
      if (found === "") this.#fail("a key");
      steps.push(keyText(found));
      this.#skip(/[ \t]*/y);
      if (this.#char() !== ".") return steps;
      this.#at++;
    }
  }

  #scanValue(path: Path): void {
    if (path.length > MAX_DEPTH) {
      throw new ConfigSyntaxError("nested too deeply", this.#at);
    }
    const char = this.#char();
    if (char === '"' || char === "'") this.#scanString(char);
    else if (char === "[") this.#scanArray(path);
    else if (char === "{") this.#scanInlineTable(path);
    else {
      const word = /(?:true|false|[+-]?(?:inf|nan|\d[\w.:+-]*))(?![\w.:+-])/y;
      if (this.#skip(word) === "") {
        this.#fail("a value (text needs quotes)");
      }
    }
  }

  #scanString(quote: string): void {
    const start = this.#at;
    const triple = quote.repeat(3);
    if (this.#text.startsWith(triple, start)) {
      const body = quote === '"'
        ? /"""(?:[^"\\]|\\[^]|"(?!""))*"{3,5}/y
        : /'''(?:[^']|'(?!''))*'{3,5}/y;
      if (this.#skip(body) !== "") return;
    } else {
      const body = quote === '"'
        ? /"(?:[^"\\\r\n]|\\[^\r\n])*"/y
        : /'[^'\r\n]*'/y;
      if (this.#skip(body) !== "") return;
    }
    throw new ConfigSyntaxError("string has no closing quote", start);
  }

  #scanArray(path: Path): void {
    this.#at++;
    for (let index = 0;; index++) {
      this.#skip(/(?:[ \t\r\n]|#[^\r\n]*)*/y);
      if (this.#char() === "]") break;
      const entry = [...path, index];
      this.#note(entry, { key: this.#at, value: this.#at });
      this.#scanValue(entry);
      this.#skip(/(?:[ \t\r\n]|#[^\r\n]*)*/y);
      if (this.#char() === ",") this.#at++;
      else if (this.#char() !== "]") this.#fail('"," or "]"');
    }
    this.#at++;
  }

  #scanInlineTable(path: Path): void {
    this.#at++;
    this.#skip(/[ \t]*/y);
    while (this.#char() !== "}") {
      this.#scanPair(path);
      this.#skip(/[ \t]*/y);
      if (this.#char() === ",") this.#at++;
      else if (this.#char() !== "}") this.#fail('"," or "}"');
      this.#skip(/[ \t]*/y);
    }
    this.#at++;
  }

  #char(): string {
    return this.#text[this.#at] ?? "";
  }

  #skip(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? "";
    this.#at += found.length;
    return found;
  }

  #fail(expected: string): never {
    const found = describeChar(this.#text.slice(this.#at));
    throw new ConfigSyntaxError(
      `expected ${expected}, found ${found}`,
      this.#at,
    );
  }
}

function keyText(token: string): string {
  if (token.startsWith("'")) return token.slice(1, -1);
  if (!token.startsWith('"')) return token;
  try {
    return JSON.parse(token) as string;
  } catch {
    return token.slice(1, -1);
  }
}

function lineOffset(text: string, line: number): number {
  let at = 0;
  for (let i = 1; i < line; i++) {
    const end = text.indexOf("\n", at);
    if (end < 0) break;
    at = end + 1;
  }
  return at;
}
