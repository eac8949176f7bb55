/**
 * Host names: which are valid, and their form in DNS messages.
 *
 * @module
 */

/**
 * Longest host name in text: the 255 bytes of RFC 1035, section 2.3.4, less the
 * length byte of the first label and that of the root.
 */
const MAX_NAME_LENGTH = 253;
/**
 * A label: letters, digits and hyphens (RFC 1123, section 2.1), and what is in
 * use although no RFC allows it in host names: the underscore, and a hyphen at
 * either end.
 */
const LABEL_REGEXP = /^[a-z0-9_-]{1,63}$/;
/** A last label that makes the whole look like an IPv4 address. */
const NUMERIC_LABEL_REGEXP = /^(?:[0-9]+|0x[0-9a-f]*)$/;
/**
 * Compression pointers followed in one name before the name counts as
 * malformed. Servers write one; this bounds the work for a hostile message.
 */
const MAX_POINTERS = 32;

/**
 * The form in which host names are compared: lower case, no final dot.
 *
 * @param hostname Any text.
 * @returns The text in that form, valid or not.
 */
export function normalizeHostname(hostname: string): string {
  // Only ASCII: toLowerCase() alone makes a "k" of the Kelvin sign.
  const lower = hostname.replace(/[A-Z]+/g, (part) => part.toLowerCase());
  return lower.endsWith(".") ? lower.slice(0, -1) : lower;
}

/**
 * Whether a name may be asked for. One whose last label is a number
 * (`127.1`, `0x7f000001`) may not: some resolvers make an address of it.
 *
 * @param name In the form of {@linkcode normalizeHostname}.
 * @returns Whether all labels and the length are valid.
 */
export function isValidHostname(name: string): boolean {
  if (name.length === 0 || name.length > MAX_NAME_LENGTH) return false;
  const labels = name.split(".");
  return labels.every((label) => LABEL_REGEXP.test(label)) &&
    !NUMERIC_LABEL_REGEXP.test(labels[labels.length - 1]!);
}

/**
 * Writes a name as labels: a length byte and the label, then a zero.
 *
 * @param out Where to write; has room for `name.length + 2` bytes.
 * @param offset Where the name begins.
 * @param name A valid host name.
 * @returns Where the name ends.
 */
export function writeName(
  out: Uint8Array,
  offset: number,
  name: string,
): number {
  let lengthAt = offset;
  let at = offset + 1;
  for (let i = 0; i < name.length; i++) {
    if (name[i] === ".") {
      out[lengthAt] = at - lengthAt - 1;
      lengthAt = at++;
    } else {
      out[at++] = name.charCodeAt(i);
    }
  }
  out[lengthAt] = at - lengthAt - 1;
  out[at++] = 0;
  return at;
}

/** A name found in a message. */
export interface ReadName {
  /** Lower case; a dot or backslash inside a label has a backslash before. */
  readonly name: string;
  /** Where the name ends in the record. */
  readonly next: number;
}

/**
 * Reads a name, compressed or not (RFC 1035, 4.1.4). A pointer must point
 * before the part it stands in, so that no chain of them can go round.
 *
 * @param bytes The whole message.
 * @param offset Where the name begins.
 * @returns The name, or undefined if it is malformed.
 */
export function readName(
  bytes: Uint8Array,
  offset: number,
): ReadName | undefined {
  let name = "";
  let next = -1;
  let partStart = offset;
  let at = offset;
  let pointers = 0;
  let wireLength = 1;
  for (;;) {
    const length = bytes[at];
    if (length === undefined) return undefined;
    if (length === 0) break;
    if (length >= 0xc0) {
      const low = bytes[at + 1];
      if (low === undefined || ++pointers > MAX_POINTERS) return undefined;
      if (next < 0) next = at + 2;
      const target = (length & 0x3f) << 8 | low;
      if (target >= partStart) return undefined;
      partStart = at = target;
      continue;
    }
    wireLength += 1 + length;
    const end = at + 1 + length;
    if (length > 63 || wireLength > 255 || end >= bytes.length) {
      return undefined;
    }
    if (name !== "") name += ".";
    for (let i = at + 1; i < end; i++) name += labelText(bytes[i]!);
    at = end;
  }
  return { name, next: next < 0 ? at + 1 : next };
}

function labelText(code: number): string {
  if (code >= 0x41 && code <= 0x5a) return String.fromCharCode(code + 0x20);
  const character = String.fromCharCode(code);
  return character === "." || character === "\\" ? `\\${character}` : character;
}
