/**
 * The fields of a head (RFC 9112, section 5), and those of them that concern
 * one connection only (RFC 9110, section 7.6.1).
 *
 * @module
 */

import {
  CR,
  HTAB,
  isBlank,
  isControl,
  isTokenByte,
  LF,
  SP,
  textOf,
} from "./text.ts";

const COLON = 0x3a;
/**
 * Most fields of a head. Browsers send some 20, and servers allow 100 (Apache,
 * `LimitRequestFields`) to 200; without a limit a head of 64 KiB could have
 * 16,000, each of which costs memory when it is written anew.
 */
const MAX_FIELDS = 200;

/** One field; its places are those of the head's bytes. */
export interface Field {
  /** The name in lower case. */
  readonly name: string;
  /** Where the name begins, as it was written. */
  readonly start: number;
  /** Behind the name. */
  readonly nameEnd: number;
  /** Where the colon stands. */
  readonly colon: number;
  /** Where the value begins, without blanks. */
  readonly valueStart: number;
  /** Behind the value, without blanks. */
  readonly valueEnd: number;
}

/** What {@linkcode parseFields} says of a head with too many fields. */
export const TOO_MANY_FIELDS: string =
  `there are more than ${MAX_FIELDS} fields`;

/** Options of {@linkcode parseFields}. */
export interface ParseFieldsOptions {
  /**
   * Takes what servers do and what no message can be split with, because it is
   * written anew: lines that end in LF alone, and blanks before a colon.
   */
  readonly isLenient: boolean;
}

/** What the fields `Connection` and `Proxy-Connection` say. */
export interface ConnectionOptions {
  /** Whether the connection ends with this message. */
  readonly close: boolean;
  /** Whether a sender of HTTP/1.0 would keep the connection. */
  readonly keepAlive: boolean;
  /** Whether the connection may change its protocol. */
  readonly upgrade: boolean;
  /** Names in lower case of the fields that go no further. */
  readonly names: ReadonlySet<string>;
}

/**
 * Fields that concern one connection whether or not `Connection` names them.
 * `Transfer-Encoding` and `Trailer` are not among them: they tell how the body
 * is framed, and the framing is passed on as it is.
 */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authentication-info",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "upgrade",
]);

/**
 * Fields that `Connection` cannot name away: without them the next reader
 * would find another end of the message, or another host.
 */
const ALWAYS_KEPT: ReadonlySet<string> = new Set([
  "content-length",
  "host",
  "trailer",
  "transfer-encoding",
]);

const NO_NAMES: ReadonlySet<string> = new Set();

/** What the absence of both fields says. */
const NO_OPTIONS: ConnectionOptions = {
  close: false,
  keepAlive: false,
  upgrade: false,
  names: NO_NAMES,
};

/**
 * Finds the end of a line.
 *
 * @param bytes A head.
 * @param start Where the line begins.
 * @param options Whether a line may end in LF alone.
 * @returns The place behind the line's text, of its CR or LF; -1 if it ends in
 * LF alone and may not.
 */
export function lineEnd(
  bytes: Uint8Array,
  start: number,
  options: ParseFieldsOptions,
): number {
  const lf = bytes.indexOf(LF, start);
  if (lf > start && bytes[lf - 1] === CR) return lf - 1;
  return options.isLenient ? lf : -1;
}

/**
 * The place of the line after one.
 *
 * @param bytes A head.
 * @param end What {@linkcode lineEnd} gave.
 */
export function nextLine(bytes: Uint8Array, end: number): number {
  return bytes[end] === CR ? end + 2 : end + 1;
}

/**
 * Reads the fields of a head.
 *
 * @param bytes Holds the head, which ends in an empty line.
 * @param start Where the first field begins, or the empty line.
 * @param options What is taken.
 * @returns The fields in order, or what is wrong with one, without its bytes.
 */
export function parseFields(
  bytes: Uint8Array,
  start: number,
  options: ParseFieldsOptions,
): Field[] | string {
  const fields: Field[] = [];
  let at = start;
  while (true) {
    if (fields.length > MAX_FIELDS) return TOO_MANY_FIELDS;
    const end = lineEnd(bytes, at, options);
    if (end < 0) return "a line ends in LF alone";
    if (end === at) return fields;
    const field = parseField(bytes, at, end, options);
    if (typeof field === "string") return field;
    fields.push(field);
    at = nextLine(bytes, end);
  }
}

/**
 * The value of a field as text, one character a byte.
 *
 * @param bytes The head.
 * @param field One of its fields.
 */
export function fieldText(bytes: Uint8Array, field: Field): string {
  return textOf(bytes, field.valueStart, field.valueEnd);
}

/**
 * The elements of a list (RFC 9110, 5.6.1), in lower case, without empty ones.
 *
 * @param text The value of a field.
 */
export function listElements(text: string): string[] {
  return text.toLowerCase().split(",").map((element) => element.trim())
    .filter((element) => element !== "");
}

/**
 * Reads `Connection` and `Proxy-Connection`.
 *
 * @param bytes The head.
 * @param fields Its fields.
 */
export function connectionOptions(
  bytes: Uint8Array,
  fields: readonly Field[],
): ConnectionOptions {
  let names: Set<string> | undefined;
  for (const field of fields) {
    if (field.name !== "connection" && field.name !== "proxy-connection") {
      continue;
    }
    names ??= new Set();
    for (const name of listElements(fieldText(bytes, field))) names.add(name);
  }
  if (names === undefined) return NO_OPTIONS;
  return {
    close: names.has("close"),
    keepAlive: names.has("keep-alive"),
    upgrade: names.has("upgrade"),
    names,
  };
}

/**
 * Tells whether a field concerns this connection only, and is not passed on.
 *
 * @param name The name in lower case.
 * @param options What the head's `Connection` says.
 */
export function isHopByHop(name: string, options: ConnectionOptions): boolean {
  return HOP_BY_HOP.has(name) ||
    (options.names.has(name) && !ALWAYS_KEPT.has(name));
}

function parseField(
  bytes: Uint8Array,
  start: number,
  end: number,
  options: ParseFieldsOptions,
): Field | string {
  if (isBlank(bytes[start])) return "a line is folded";
  let nameEnd = start;
  while (nameEnd < end && isTokenByte(bytes[nameEnd])) nameEnd++;
  let colon = nameEnd;
  while (options.isLenient && colon < end && isBlank(bytes[colon])) colon++;
  if (nameEnd === start) return "a field has no name";
  if (colon === end) return "a field has no colon";
  if (bytes[colon] !== COLON) {
    return bytes[colon] === SP || bytes[colon] === HTAB
      ? "a blank stands before a colon"
      : "the name of a field is not a token";
  }
  let valueStart = colon + 1;
  let valueEnd = end;
  while (valueStart < valueEnd && isBlank(bytes[valueStart])) valueStart++;
  while (valueEnd > valueStart && isBlank(bytes[valueEnd - 1])) valueEnd--;
  for (let i = valueStart; i < valueEnd; i++) {
    if (isControl(bytes[i]!)) return "a field holds a control character";
  }
  const name = textOf(bytes, start, nameEnd).toLowerCase();
  return { name, start, nameEnd, colon, valueStart, valueEnd };
}
