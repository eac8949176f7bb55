/**
 * The address header that SOCKS5 and shadowsocks share.
 *
 * ```text
 * +------+----------------------------------------+------+
 * | ATYP | ADDR                                   | PORT |
 * +------+----------------------------------------+------+
 * |  1   | 0x01: 4   0x03: 1 + length   0x04: 16  |  2   |   big endian
 * +------+----------------------------------------+------+
 * ```
 *
 * At most 259 bytes (RFC 1928, section 5). The type byte is never masked: one
 * that is not exactly 1, 3 or 4 is refused, so that a random byte passes in 3
 * cases of 256. The bit 0x10 (one-time authentication) is taken only by
 * callers that ask for it.
 *
 * A name must be printable ASCII without blanks. It travels into log lines and
 * to resolvers, where NUL, control characters and line ends do harm; names in
 * other scripts come in their ASCII form (`xn--…`). A name that is the text
 * of an IP address is given as a name: whoever checks addresses must check it.
 *
 * @module
 */

import {
  ADDRTYPE_AUTH,
  ATYP_DOMAIN,
  ATYP_IPV4,
  ATYP_IPV6,
  MAX_DOMAIN_LENGTH,
} from "./constants.ts";

/** More bytes are needed before anything can be said. */
export interface NeedMore {
  /** Tells the results apart. */
  readonly status: "need-more";
}

/** The one value of {@linkcode NeedMore}. */
export const NEED_MORE: NeedMore = Object.freeze({ status: "need-more" });

/** Why an address header is refused. */
export type AddressFault = "address-type" | "domain-length" | "domain-text";

/** A refused address header. */
export interface InvalidAddress {
  /** Tells the results apart. */
  readonly status: "invalid";
  /** What is wrong with it. */
  readonly reason: AddressFault;
  /** The type byte as it came. */
  readonly type: number;
}

/** An address header that is whole. */
export interface ParsedAddress {
  /** Tells the results apart. */
  readonly status: "ok";
  /** `ATYP_IPV4`, `ATYP_DOMAIN` or `ATYP_IPV6`; without the 0x10 bit. */
  readonly type: number;
  /** Where the IP address or the name begins in the bytes that were parsed. */
  readonly hostOffset: number;
  /** The name; `""` for an IP address. */
  readonly domain: string;
  /** The port, 0 to 65,535. */
  readonly port: number;
  /** Length of the header; what follows it is payload. */
  readonly length: number;
  /** Whether the type had the bit 0x10. */
  readonly oneTimeAuth: boolean;
}

/** What {@linkcode parseAddress} gives. */
export type AddressResult = NeedMore | InvalidAddress | ParsedAddress;

/** Options of {@linkcode parseAddress}. */
export interface ParseAddressOptions {
  /** Where the header begins. Default 0. */
  readonly offset?: number | undefined;
  /** Where the bytes end. Default: the end of the array. */
  readonly end?: number | undefined;
  /** Takes the types 0x11, 0x13 and 0x14 too. Default false. */
  readonly allowOneTimeAuth?: boolean | undefined;
}

/** An IP address and a port; the loop's `SocketAddress` is one. */
export interface IpEndpoint {
  /** 4 or 16 bytes. */
  readonly bytes: Uint8Array;
  /** The port. */
  readonly port: number;
}

/** A host name and a port. */
export interface DomainEndpoint {
  /** 1 to 255 characters of printable ASCII. */
  readonly domain: string;
  /** The port. */
  readonly port: number;
}

/** What {@linkcode writeAddress} takes. */
export type Endpoint = IpEndpoint | DomainEndpoint;

/**
 * Reads an address header. Call it again with more bytes after "need-more":
 * it looks at 259 bytes at most and keeps nothing between calls.
 *
 * @param bytes Holds the header, or the beginning of it.
 * @param options Where to look, and what to take.
 * @returns The address, or why there is none yet, or why there will be none.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseAddress } from "./address.ts";
 * const result = parseAddress(new Uint8Array([1, 127, 0, 0, 1, 0, 80]));
 * assertEquals(result.status === "ok" && result.port, 80);
 * ```
 */
export function parseAddress(
  bytes: Uint8Array,
  options: ParseAddressOptions = {},
): AddressResult {
  const start = options.offset ?? 0;
  const end = options.end ?? bytes.length;
  if (end - start < 1) return NEED_MORE;
  const first = bytes[start]!;
  const oneTimeAuth = options.allowOneTimeAuth === true &&
    (first & ADDRTYPE_AUTH) !== 0;
  const type = oneTimeAuth ? first ^ ADDRTYPE_AUTH : first;
  let hostOffset = start + 1;
  let hostLength: number;
  switch (type) {
    case ATYP_IPV4:
      hostLength = 4;
      break;
    case ATYP_IPV6:
      hostLength = 16;
      break;
    case ATYP_DOMAIN:
      if (end - start < 2) return NEED_MORE;
      hostLength = bytes[hostOffset++]!;
      if (hostLength === 0) return invalid("domain-length", first);
      break;
    default:
      return invalid("address-type", first);
  }
  const portOffset = hostOffset + hostLength;
  if (end < portOffset + 2) return NEED_MORE;
  let domain = "";
  if (type === ATYP_DOMAIN) {
    for (let i = hostOffset; i < portOffset; i++) {
      if (!isNameByte(bytes[i]!)) return invalid("domain-text", first);
    }
    domain = String.fromCharCode(...bytes.subarray(hostOffset, portOffset));
  }
  return {
    status: "ok",
    type,
    hostOffset,
    domain,
    port: bytes[portOffset]! << 8 | bytes[portOffset + 1]!,
    length: portOffset + 2 - start,
    oneTimeAuth,
  };
}

/**
 * The number of bytes that {@linkcode writeAddress} writes.
 *
 * @param address The address.
 * @returns The length of its header: at most 259 for a valid address.
 */
export function addressLength(address: Endpoint): number {
  if ("domain" in address) return 1 + 1 + address.domain.length + 2;
  return 1 + (mappedOffset(address.bytes) > 0 ? 4 : address.bytes.length) + 2;
}

/**
 * Writes an address header; an IPv4-mapped IPv6 address is written as IPv4.
 *
 * @param out Where to write.
 * @param offset Where the header begins.
 * @param address The address.
 * @returns The length of the header.
 * @throws {RangeError} If the address cannot be written, or `out` is too short.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { writeAddress } from "./address.ts";
 * const out = new Uint8Array(8);
 * assertEquals(writeAddress(out, 0, { domain: "a.b", port: 80 }), 7);
 * ```
 */
export function writeAddress(
  out: Uint8Array,
  offset: number,
  address: Endpoint,
): number {
  const length = addressLength(address);
  if (out.length - offset < length) {
    throw new RangeError(
      `Cannot write address: it takes ${length} bytes, there is room for ${
        out.length - offset
      }`,
    );
  }
  const { port } = address;
  if (!(port >= 0 && port <= 0xffff)) {
    throw new RangeError(`Cannot write address: no such port: ${port}`);
  }
  if ("domain" in address) {
    writeDomain(out, offset, address.domain);
  } else {
    writeIp(out, offset, address.bytes);
  }
  out[offset + length - 2] = port >> 8;
  out[offset + length - 1] = port & 0xff;
  return length;
}

function writeDomain(out: Uint8Array, offset: number, domain: string): void {
  const { length } = domain;
  if (length === 0 || length > MAX_DOMAIN_LENGTH) {
    throw new RangeError(
      `Cannot write address: a host name has 1 to 255 bytes, got ${length}`,
    );
  }
  out[offset] = ATYP_DOMAIN;
  out[offset + 1] = length;
  for (let i = 0; i < length; i++) {
    const code = domain.charCodeAt(i);
    if (!isNameByte(code)) {
      throw new RangeError(
        `Cannot write address: a host name is printable ASCII without blanks, got ${
          JSON.stringify(domain)
        }`,
      );
    }
    out[offset + 2 + i] = code;
  }
}

function writeIp(out: Uint8Array, offset: number, ip: Uint8Array): void {
  if (ip.length !== 4 && ip.length !== 16) {
    throw new RangeError(
      `Cannot write address: an IP address has 4 or 16 bytes, got ${ip.length}`,
    );
  }
  const from = mappedOffset(ip);
  out[offset] = ip.length - from === 4 ? ATYP_IPV4 : ATYP_IPV6;
  for (let i = from; i < ip.length; i++) out[offset + 1 + i - from] = ip[i]!;
}

/** 12 if `ip` is in `::ffff:0:0/96`, else 0. */
function mappedOffset(ip: Uint8Array): number {
  if (ip.length !== 16 || ip[10] !== 0xff || ip[11] !== 0xff) return 0;
  for (let i = 0; i < 10; i++) {
    if (ip[i] !== 0) return 0;
  }
  return 12;
}

/**
 * Tells whether a byte may stand in a host name.
 *
 * @param code The byte, or the code of a character.
 * @returns True for printable ASCII without the blank.
 */
export function isNameByte(code: number): boolean {
  return code > 0x20 && code < 0x7f;
}

function invalid(reason: AddressFault, type: number): InvalidAddress {
  return { status: "invalid", reason, type };
}
