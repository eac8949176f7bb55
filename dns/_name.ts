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
 * How often each byte of a message may be read as part of a label. Pointers into
 * the middle of a name have its end read again: `b.c` and `c` of `a.b.c`.
 */
const MAX_READINGS = 4;
const DOT = 0x2e;
const BACKSLASH = 0x5c;

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

/** A name from some place of it on. */
interface NamePart extends ReadName {
  /** Its bytes without compression, with the final zero. */
  readonly wireLength: number;
  /** How many pointers lead through it. */
  readonly pointers: number;
}

/**
 * Reads the names of one message. What a pointer leads to is read once:
 * thousands of records may point to one long name, or into it.
 */
export class NameReader {
  readonly #bytes: Uint8Array;
  /** Parts that pointers lead to, by where they begin. */
  readonly #parts = new Map<number, NamePart>();
  /** Bytes of labels that may still be read. */
  #left: number;

  /**
   * Makes a reader.
   *
   * @param bytes The whole message.
   */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#left = MAX_READINGS * bytes.length;
  }

  /**
   * Reads a name, compressed or not (RFC 1035, 4.1.4). A pointer must point
   * before the part it stands in, so that no chain of them can go round.
   *
   * @param offset Where the name begins.
   * @returns The name, or undefined if it is malformed.
   */
  read(offset: number): ReadName | undefined {
    return this.#readPart(offset, 0);
  }

  #readPart(offset: number, depth: number): NamePart | undefined {
    const bytes = this.#bytes;
    let name = "";
    let wireLength = 1;
    let at = offset;
    for (;;) {
      const length = bytes[at];
      if (length === undefined) return undefined;
      if (length === 0) return { name, next: at + 1, wireLength, pointers: 0 };
      if (length >= 0xc0) {
        const low = bytes[at + 1];
        const target = (length & 0x3f) << 8 | (low ?? 0);
        if (low === undefined || target >= offset) return undefined;
        const rest = this.#partAt(target, depth + 1);
        if (rest === undefined) return undefined;
        wireLength += rest.wireLength - 1;
        const pointers = rest.pointers + 1;
        if (wireLength > 255 || pointers > MAX_POINTERS) return undefined;
        const dot = name === "" || rest.name === "" ? "" : ".";
        return {
          name: name + dot + rest.name,
          next: at + 2,
          wireLength,
          pointers,
        };
      }
      wireLength += 1 + length;
      const end = at + 1 + length;
      this.#left -= length;
      if (
        length > 63 || wireLength > 255 || end >= bytes.length || this.#left < 0
      ) return undefined;
      if (name !== "") name += ".";
      name += labelText(bytes.subarray(at + 1, end));
      at = end;
    }
  }

  #partAt(target: number, depth: number): NamePart | undefined {
    const known = this.#parts.get(target);
    if (known !== undefined) return known;
    if (depth > MAX_POINTERS) return undefined;
    const part = this.#readPart(target, depth);
    if (part !== undefined) this.#parts.set(target, part);
    return part;
  }
}

function labelText(label: Uint8Array): string {
  const codes: number[] = [];
  for (const code of label) {
    if (code === DOT || code === BACKSLASH) codes.push(BACKSLASH);
    codes.push(code >= 0x41 && code <= 0x5a ? code + 0x20 : code);
  }
  return String.fromCharCode(...codes);
}
