/**
 * Bytes as HTTP sees them: tokens, control characters, and text.
 *
 * @module
 */

/** Carriage return. */
export const CR = 0x0d;
/** Line feed. */
export const LF = 0x0a;
/** Blank. */
export const SP = 0x20;
/** Horizontal tab. */
export const HTAB = 0x09;

/** First byte of TLS: the type of a handshake record (RFC 8446, 5.1). */
export const TLS_HANDSHAKE = 0x16;

const DELETE = 0x7f;

/** What a token may hold beside digits and letters (RFC 9110, 5.6.2). */
const TOKEN_MARKS = "!#$%&'*+-.^_`|~";

/** Up to this length, such as a name's, a loop is cheaper than the decoder. */
const SHORT_TEXT = 32;

/** 1 where the byte may stand in a token. */
const TOKEN = tokenTable();

/**
 * Shows each byte as one character, so that places in the text are places in
 * the bytes.
 */
const decoder = new TextDecoder("latin1");

/**
 * Tells whether a byte may stand in a token: a method or the name of a field.
 *
 * @param byte The byte; undefined: none.
 */
export function isTokenByte(byte: number | undefined): boolean {
  return byte !== undefined && TOKEN[byte] === 1;
}

/**
 * Tells whether a connection may speak HTTP, by its first byte. SOCKS (4, 5)
 * and TLS ({@linkcode TLS_HANDSHAKE}) begin with bytes that begin no method.
 *
 * @param firstByte The first byte of the client.
 */
export function looksLikeHttp(firstByte: number): boolean {
  return TOKEN[firstByte] === 1;
}

/**
 * Tells whether a byte has no place in a line: a control character but the
 * tab (RFC 9110, 5.5).
 *
 * @param byte The byte.
 */
export function isControl(byte: number): boolean {
  return byte < SP ? byte !== HTAB : byte === DELETE;
}

/**
 * Tells whether a byte is a blank or a tab.
 *
 * @param byte The byte; undefined: none.
 */
export function isBlank(byte: number | undefined): boolean {
  return byte === SP || byte === HTAB;
}

/**
 * Skips line ends: in front of a request they mean nothing (RFC 9112, 2.2).
 *
 * @param bytes Where they stand.
 * @param start The first.
 * @param end Where to stop.
 * @returns The place of the first byte that is none, or `end`.
 */
export function skipLineEnds(
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  let at = start;
  while (at < end && (bytes[at] === CR || bytes[at] === LF)) at++;
  return at;
}

/**
 * Shows bytes as text, one character a byte.
 *
 * @param bytes Where they stand.
 * @param start The first.
 * @param end Behind the last.
 */
export function textOf(bytes: Uint8Array, start: number, end: number): string {
  if (end - start > SHORT_TEXT) {
    return decoder.decode(bytes.subarray(start, end));
  }
  let text = "";
  for (let i = start; i < end; i++) text += String.fromCharCode(bytes[i]!);
  return text;
}

function tokenTable(): Uint8Array {
  const table = new Uint8Array(256);
  for (let byte = 0; byte < table.length; byte++) {
    const character = String.fromCharCode(byte);
    if (/[0-9A-Za-z]/.test(character) || TOKEN_MARKS.includes(character)) {
      table[byte] = 1;
    }
  }
  return table;
}
