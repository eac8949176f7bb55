/**
 * Host names in the form in which rules compare them.
 *
 * @module
 */

/** A capital letter, a final dot, or anything outside of ASCII. */
// deno-lint-ignore no-control-regex -- the range of ASCII begins at NUL
const UNUSUAL_REGEXP = /[A-Z]|\.$|[^\x00-\x7f]/;
// deno-lint-ignore no-control-regex -- the range of ASCII begins at NUL
const ASCII_REGEXP = /^[\x00-\x7f]*$/;
// deno-lint-ignore no-control-regex -- the range of Latin-1 begins at NUL
const LATIN1_REGEXP = /^[\x00-\xff]*$/;
/** What a URL has behind or in front of its host, or cannot have in it. */
// deno-lint-ignore no-control-regex -- controls are among them
const NO_HOST_REGEXP = /[\x00-\x20#%/:<>?@[\\\]^`{|}\x7f]/;
/**
 * Put behind a name that becomes the host of a URL: a name whose last label is
 * a number would else be read as an IPv4 address.
 */
const LAST_LABEL = ".x";

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

/**
 * By way of a URL: `domainToASCII()` of `node:url` costs 6 MB of memory, and
 * throws in Deno 2.4 where a name has no ASCII form.
 */
function toAscii(name: string): string {
  const text = decodeUtf8(name);
  if (NO_HOST_REGEXP.test(text)) return text;
  const url = URL.parse(`http://${text}${LAST_LABEL}`);
  return url?.hostname.slice(0, -LAST_LABEL.length) ?? text;
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
