/**
 * Reads JSON (RFC 8259) with comments and trailing commas, and finds the place
 * of every key and value. Messages never repeat the text: it holds passwords.
 *
 * @module
 */

import {
  ConfigSyntaxError,
  describeChar,
  type ParsedText,
  type Path,
  pathId,
  type Span,
} from "./_place.ts";

/** Deeper nesting than any configuration has, and no danger to the stack. */
const MAX_DEPTH = 32;

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

/**
 * Reads a JSON text.
 *
 * @param text The text; a byte order mark is skipped.
 * @returns Its values, objects without a prototype, and the places of entries.
 * @throws {ConfigSyntaxError} If it is not JSON, or gives a key twice.
 */
export function parseJson(text: string): ParsedText {
  const reader = new JsonReader(text);
  const values = reader.read();
  return { values, spans: reader.spans };
}

class JsonReader {
  readonly spans = new Map<string, Span>();
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(): unknown {
    if (this.#text.startsWith("\ufeff")) this.#at = 1;
    this.#skipBlank();
    const start = this.#at;
    const value = this.#readValue([]);
    this.spans.set(pathId([]), { key: start, value: start });
    this.#skipBlank();
    if (this.#at < this.#text.length) this.#fail("the end of the file");
    return value;
  }

  #readValue(path: Path): unknown {
    if (path.length > MAX_DEPTH) {
      throw new ConfigSyntaxError("nested too deeply", this.#at);
    }
    const char = this.#text[this.#at];
    if (char === "{") return this.#readObject(path);
    if (char === "[") return this.#readArray(path);
    if (char === '"') return this.#readString();
    return this.#readScalar();
  }

  #readObject(path: Path): Record<string, unknown> {
    const object: Record<string, unknown> = Object.create(null);
    this.#readItems("}", () => {
      const keyAt = this.#at;
      if (this.#text[keyAt] !== '"') this.#fail('a key in quotes, or "}"');
      const key = this.#readString();
      const entry = [...path, key];
      this.#refuseRepeat(entry, keyAt);
      this.#skipBlank();
      if (this.#text[this.#at] !== ":") this.#fail('":" after the key');
      this.#at++;
      this.#skipBlank();
      this.spans.set(pathId(entry), { key: keyAt, value: this.#at });
      object[key] = this.#readValue(entry);
    });
    return object;
  }

  #readArray(path: Path): unknown[] {
    const array: unknown[] = [];
    this.#readItems("]", () => {
      const entry = [...path, array.length];
      this.spans.set(pathId(entry), { key: this.#at, value: this.#at });
      array.push(this.#readValue(entry));
    });
    return array;
  }

  /** Reads from the opening bracket to `close`, with commas between items. */
  #readItems(close: string, readItem: () => void): void {
    this.#at++;
    for (;;) {
      this.#skipBlank();
      if (this.#text[this.#at] === close) break;
      readItem();
      this.#skipBlank();
      if (this.#text[this.#at] === ",") this.#at++;
      else if (this.#text[this.#at] !== close) this.#fail(`"," or "${close}"`);
    }
    this.#at++;
  }

  #refuseRepeat(entry: Path, keyAt: number): void {
    if (!this.spans.has(pathId(entry))) return;
    // Only the outermost keys are surely names and not secrets.
    const name = entry.length === 1 ? `"${entry[0]}"` : "this key";
    throw new ConfigSyntaxError(`${name} is given twice`, keyAt);
  }

  #readString(): string {
    const start = this.#at++;
    let value = "";
    for (;;) {
      const char = this.#text[this.#at];
      if (char === undefined || char === "\n" || char === "\r") {
        throw new ConfigSyntaxError("string has no closing quote", start);
      }
      this.#at++;
      if (char === '"') break;
      if (char === "\\") value += this.#readEscape();
      else if (char < " " && char !== "\t") {
        throw new ConfigSyntaxError(
          "control character in a string: write it as \\u00XX",
          this.#at - 1,
        );
      } else value += char;
    }
    if (value.isWellFormed()) return value;
    throw new ConfigSyntaxError("string has half a surrogate pair", start);
  }

  #readEscape(): string {
    const at = this.#at - 1;
    const char = this.#text[this.#at++] ?? "";
    if (char === "u") {
      const hex = this.#text.slice(this.#at, this.#at + 4);
      if (/^[0-9a-fA-F]{4}$/.test(hex)) {
        this.#at += 4;
        return String.fromCharCode(parseInt(hex, 16));
      }
    } else if (Object.hasOwn(ESCAPES, char)) {
      return ESCAPES[char]!;
    }
    throw new ConfigSyntaxError("unknown escape in a string", at);
  }

  #readScalar(): unknown {
    const word = /[\w.+-]*/y;
    word.lastIndex = this.#at;
    const found = word.exec(this.#text)![0];
    const value = scalarOf(found);
    if (value === undefined) this.#fail("a value (text needs double quotes)");
    this.#at += found.length;
    return value;
  }

  #skipBlank(): void {
    for (;;) {
      const char = this.#text[this.#at];
      if (char === " " || char === "\t" || char === "\n" || char === "\r") {
        this.#at++;
      } else if (this.#text.startsWith("//", this.#at)) {
        const end = this.#text.slice(this.#at).search(/[\r\n]/);
        this.#at = end < 0 ? this.#text.length : this.#at + end;
      } else if (this.#text.startsWith("/*", this.#at)) {
        const end = this.#text.indexOf("*/", this.#at + 2);
        if (end < 0) {
          throw new ConfigSyntaxError("comment has no end", this.#at);
        }
        this.#at = end + 2;
      } else return;
    }
  }

  #fail(expected: string): never {
    const found = describeChar(this.#text.slice(this.#at));
    throw new ConfigSyntaxError(
      `expected ${expected}, found ${found}`,
      this.#at,
    );
  }
}

function scalarOf(word: string): unknown {
  if (word === "true") return true;
  if (word === "false") return false;
  if (word === "null") return null;
  const number = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
  return number.test(word) ? Number(word) : undefined;
}
