/**
 * The places of values in the text of a configuration file.
 *
 * @module
 */

/** The keys and indexes that lead to a value. */
export type Path = readonly (string | number)[];

/** The offsets of one entry in the text. */
export interface Span {
  /** Of the key. */
  readonly key: number;
  /** Of the value. */
  readonly value: number;
}

/** The values of a file and the places of its entries. */
export interface ParsedText {
  /** What the text says; a table, if it is a configuration. */
  readonly values: unknown;
  /** By {@linkcode pathId}. */
  readonly spans: ReadonlyMap<string, Span>;
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
 * Makes a path a key for maps.
 *
 * @param path The path.
 * @returns Different texts for different paths.
 */
export function pathId(path: Path): string {
  return path.map((step) => JSON.stringify(step)).join("/");
}

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
  if (/\p{L}/u.test(char)) return "a letter";
  if (/\d/.test(char)) return "a digit";
  return "another character";
}
