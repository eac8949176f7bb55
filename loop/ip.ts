/**
 * IP addresses as bytes (4 or 16, network order) and as text.
 *
 * @module
 */

/** Four decimal numbers up to 255, without leading zeros. */
const IPV4_REGEXP = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;
const GROUP_REGEXP = /^[0-9a-fA-F]{1,4}$/;
const DOT = 0x2e;
const DIGIT_ZERO = 0x30;
/** The first 12 bytes of an IPv4-mapped IPv6 address, `::ffff:0:0/96`. */
const MAPPED_PREFIX_LENGTH = 12;

/**
 * Reads an IPv4 or IPv6 literal.
 *
 * Only the strict forms count: four decimal numbers, or RFC 4291 text. An
 * octal or hexadecimal spelling is a host name, as a resolver sees it.
 *
 * @param text The literal, without brackets; a zone (`%eth0`) is not taken.
 * @returns 4 or 16 bytes, or undefined if `text` is not a literal.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseIp } from "./ip.ts";
 * assertEquals(parseIp("127.0.0.1"), new Uint8Array([127, 0, 0, 1]));
 * ```
 */
export function parseIp(text: string): Uint8Array | undefined {
  if (IPV4_REGEXP.test(text)) return parseIpv4(text);
  // Most texts that are no addresses are names, and have no colon.
  if (!text.includes(":")) return undefined;
  const [head = "", tail, more] = text.split("::");
  if (more !== undefined) return undefined;
  const first = ipv6Groups(head, { endsAddress: tail === undefined });
  const last = ipv6Groups(tail ?? "", { endsAddress: true });
  if (first === undefined || last === undefined) return undefined;
  const length = first.length + last.length;
  // "::" stands for one group at least (RFC 4291, 2.2).
  if (tail === undefined ? length !== 16 : length > 14) return undefined;
  const bytes = new Uint8Array(16);
  bytes.set(first, 0);
  bytes.set(last, 16 - last.length);
  return bytes;
}

/**
 * Writes 4 or 16 bytes as text, IPv6 in the form of RFC 5952.
 *
 * @param bytes 4 or 16 bytes.
 * @returns The literal, without brackets.
 * @throws {RangeError} If `bytes` has another length.
 */
export function formatIp(bytes: Uint8Array): string {
  if (bytes.length === 4) {
    return `${bytes[0]}.${bytes[1]}.${bytes[2]}.${bytes[3]}`;
  }
  if (bytes.length !== 16) {
    throw new RangeError(
      `Cannot format IP address: expected 4 or 16 bytes, got ${bytes.length}`,
    );
  }
  if (isMappedIp(bytes)) {
    return `::ffff:${formatIp(bytes.subarray(MAPPED_PREFIX_LENGTH))}`;
  }
  const groups: string[] = [];
  for (let i = 0; i < 16; i += 2) {
    groups.push(((bytes[i]! << 8) | bytes[i + 1]!).toString(16));
  }
  const { start, length } = longestZeroRun(groups);
  if (length < 2) return groups.join(":");
  const head = groups.slice(0, start).join(":");
  const tail = groups.slice(start + length).join(":");
  return `${head}::${tail}`;
}

/**
 * Turns an IPv4-mapped IPv6 address into its IPv4 form; leaves others alone.
 *
 * @param bytes 4 or 16 bytes.
 * @returns 4 bytes if `bytes` was mapped, else `bytes` itself.
 */
export function unmapIp(bytes: Uint8Array): Uint8Array {
  return bytes.length === 16 && isMappedIp(bytes)
    ? bytes.slice(MAPPED_PREFIX_LENGTH)
    : bytes;
}

/**
 * Tells whether an IPv6 address is an IPv4-mapped one (RFC 4291, 2.5.5.2).
 *
 * @param bytes Holds 16 bytes of IPv6 address at `offset`.
 * @param offset Where they begin.
 * @returns True for `::ffff:0:0/96`.
 */
export function isMappedIp(bytes: Uint8Array, offset = 0): boolean {
  // These two bytes first: they tell most addresses apart at one look.
  if (bytes[offset + 10] !== 0xff || bytes[offset + 11] !== 0xff) return false;
  for (let i = 0; i < 10; i++) {
    if (bytes[offset + i] !== 0) return false;
  }
  return true;
}

/**
 * Tells whether two addresses are the same.
 *
 * @param one 4 or 16 bytes; IPv4-mapped ones are not looked through.
 * @param other As many, or it is another address.
 */
export function isSameIp(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length &&
    one.every((byte, i) => byte === other[i]);
}

/**
 * Tells whether an address is one of this machine alone.
 *
 * @param bytes 4 or 16 bytes; IPv4-mapped ones are not looked through.
 */
export function isLoopbackIp(bytes: Uint8Array): boolean {
  return bytes.length === 4 ? bytes[0] === 127 : bytes[15] === 1 &&
    bytes.subarray(0, 15).every((byte) => byte === 0);
}

/**
 * Tells whether an address stands for all addresses: `0.0.0.0` or `::`.
 *
 * @param bytes 4 or 16 bytes.
 */
export function isUnspecifiedIp(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

function parseIpv4(text: string): Uint8Array {
  const bytes = new Uint8Array(4);
  let at = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === DOT) at++;
    else bytes[at] = bytes[at]! * 10 + code - DIGIT_ZERO;
  }
  return bytes;
}

/**
 * The bytes of a `::`-free part of IPv6 text; undefined if it is not one. Only
 * the part that ends the address may end in IPv4 text.
 */
function ipv6Groups(
  part: string,
  options: { readonly endsAddress: boolean },
): number[] | undefined {
  const bytes: number[] = [];
  if (part === "") return bytes;
  const groups = part.split(":");
  for (const [i, group] of groups.entries()) {
    if (GROUP_REGEXP.test(group)) {
      const value = parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    } else if (
      options.endsAddress && i === groups.length - 1 && IPV4_REGEXP.test(group)
    ) {
      bytes.push(...parseIpv4(group));
    } else {
      return undefined;
    }
  }
  return bytes;
}

function longestZeroRun(
  groups: readonly string[],
): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let i = 0; i < groups.length; i++) {
    let end = i;
    while (groups[end] === "0") end++;
    if (end - i > best.length) best = { start: i, length: end - i };
    i = end;
  }
  return best;
}
