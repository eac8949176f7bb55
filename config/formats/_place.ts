/**
 * The places of values in the text of a configuration file.
 *
 * @module
 */

/** Deeper nesting than any configuration has, and no danger to the stack. */
export const MAX_DEPTH = 32;

/** The keys and indexes that lead to a value. */
export type Path = readonly (string | number)[];

/** A place in a file: of the key, or of the value, at a path. */
export interface Spot {
  /** Where; a path that is not in the file means its longest known part. */
  readonly path: Path;
  /** A secret is shown at its key, so that nobody reads its length. */
  readonly part: "key" | "value";
}

/** Finds places in one text. */
export interface Locator {
  /**
   * Finds a place.
   *
   * @param spot What to find.
   * @returns The offset in the text, counted from 0.
   */
  offsetOf(spot: Spot): number;
}

/** A text that is not in its format. Never holds a part of the text. */
export class ConfigSyntaxError extends SyntaxError {
  /** @ignore */
  override readonly name = "ConfigSyntaxError";
  /** Where the mistake is, counted from 0. */
  readonly offset: number;

  /**
   * Makes an error.
   *
   * @param message What was expected.
   * @param offset Where the mistake is, counted from 0.
   */
  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/**
 * Puts a space in place of a byte order mark: blanked, not cut, so that offsets
 * stay the same.
 *
 * @param text The text.
 * @returns The text without the mark.
 */
export function blankMark(text: string): string {
  return text.replace(/^\ufeff/, " ");
}

/** What word processors and input methods put in place of ASCII. */
const LOOKALIKES: readonly (readonly [RegExp, string])[] = [
  [/[\uff0c\u3001\u060c]/, 'a comma that is not ASCII: write ","'],
  [/[\uff1a\ufe55]/, 'a colon that is not ASCII: write ":"'],
  [/[\u201c-\u201f\u2033\u00ab\u00bb\uff02]/, 'a curly quote: write "'],
  [/[\u2018-\u201b\u2032\uff07]/, "a curly quote: write a straight one"],
  [/[\uff5b\uff5d\uff3b\uff3d]/, "a bracket that is not ASCII"],
  [/[\u00a0\u2000-\u200b\u3000]/, "a space that is not ASCII"],
];

/**
 * Names the next character without telling letters and digits.
 *
 * @param rest The text from that character on.
 * @returns Words for a message.
 */
export function describeChar(rest: string): string {
  const [char] = rest;
  if (char === undefined) return "the end of the file";
  if (/[\r\n]/.test(char)) return "the end of the line";
  if (/[{}[\]:,"'=#]/.test(char)) return char === '"' ? "a quote" : `"${char}"`;
  const lookalike = LOOKALIKES.find(([pattern]) => pattern.test(char));
  if (lookalike !== undefined) return lookalike[1];
  if (/\p{L}/u.test(char)) return "a letter";
  if (/\d/.test(char)) return "a digit";
  return "another character";
}

/**
 * Says what is wrong with a value that has no quotes, where that can be seen.
 *
 * @param rest The text from the value on.
 * @returns What to do; undefined: nothing to be said beyond what was expected.
 */
export function explainWord(rest: string): string | undefined {
  const [word] = /^[^\s,\]}#]*/.exec(rest)!;
  const lower = word.toLowerCase();
  if (lower === "true" || lower === "false") return `write ${lower}`;
  if (/^[+-]?0\d+$/.test(word)) {
    return "a number has no leading zero, and text needs quotes";
  }
  return /^[+-]?\d[\w.:/+-]*$/.test(word) ? NO_NUMBER : undefined;
}

const NO_NUMBER = "expected a number: text such as an address needs quotes";

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
