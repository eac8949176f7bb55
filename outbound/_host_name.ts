/**
 * Host names in the form in which rules compare them.
 *
 * @module
 */

import { domainToASCII } from "node:url";

/** A capital letter, a final dot, or anything outside of ASCII. */
// deno-lint-ignore no-control-regex -- the range of ASCII begins at NUL
const UNUSUAL_REGEXP = /[A-Z]|\.$|[^\x00-\x7f]/;
// deno-lint-ignore no-control-regex -- the range of ASCII begins at NUL
const ASCII_REGEXP = /^[\x00-\x7f]*$/;
// deno-lint-ignore no-control-regex -- the range of Latin-1 begins at NUL
const LATIN1_REGEXP = /^[\x00-\xff]*$/;

/**
 * Brings a host name into the form that rules compare: lower case, without
 * final dots, an internationalized name in its ASCII form (RFC 5891). A name
 * that has no ASCII form keeps its letters, and no rule for a name fits it.
 *
 * @param name The name, from a client or a rule. Names from clients may be the
 * bytes of UTF-8 text read as Latin-1: those are decoded first.
 * @returns The name in that form; the same string where nothing changes.
 */
export function canonicalHost(name: string): string {
  if (!UNUSUAL_REGEXP.test(name)) return name;
  const ascii = ASCII_REGEXP.test(name) ? name : toAscii(name);
  return lowerAscii(trimDots(ascii));
}

/**
 * Tells whether a text is ASCII.
 *
 * @param text The text.
 */
export function isAscii(text: string): boolean {
  return ASCII_REGEXP.test(text);
}

function toAscii(name: string): string {
  const text = decodeUtf8(name);
  const ascii = domainToASCII(text);
  return ascii === "" ? text : ascii;
}

/** Latin-1 characters that are UTF-8 when seen as bytes; else the text. */
function decodeUtf8(text: string): string {
  if (!LATIN1_REGEXP.test(text)) return text;
  const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return text;
  }
}

function trimDots(name: string): string {
  let end = name.length;
  while (end > 0 && name[end - 1] === ".") end--;
  return end === name.length ? name : name.slice(0, end);
}

/** Only ASCII: `toLowerCase()` alone makes a "k" of the Kelvin sign. */
function lowerAscii(text: string): string {
  return text.replace(/[A-Z]+/g, (part) => part.toLowerCase());
}
