/**
 * `struct sockaddr_in` and `sockaddr_in6` of Linux.
 *
 * ```text
 * sockaddr_in   family(2, host order) port(2) address(4) zero(8)
 * sockaddr_in6  family(2, host order) port(2) flow(4) address(16) scope(4)
 * ```
 *
 * @module
 */

import { packIpv4, SocketAddress } from "./address.ts";

/** AF_INET. */
export const AF_INET = 2;
/** AF_INET6. */
export const AF_INET6 = 10;
/** Where the scope stands in the longer form. */
const SCOPE_OFFSET = 24;
/** Bytes of the longer form. */
export const SOCKADDR_LENGTH = 28;

/**
 * The system's form of an address; kept with the address.
 *
 * @param address The address.
 * @returns 16 or 28 bytes; do not write to them.
 */
export function toSockaddr(address: SocketAddress): Uint8Array {
  return address.native ??= makeSockaddr(address);
}

/**
 * Reads the system's form of an address.
 *
 * @param bytes Holds a sockaddr, as filled in by the system.
 * @param offset Where it begins.
 * @returns The address; an IPv4-mapped one as IPv4.
 */
export function fromSockaddr(bytes: Uint8Array, offset = 0): SocketAddress {
  const port = bytes[offset + 2]! << 8 | bytes[offset + 3]!;
  return bytes[offset] === AF_INET6
    ? SocketAddress.fromIpv6(bytes, offset + 8, port, scopeOf(bytes, offset))
    : SocketAddress.fromIpv4(bytes, offset + 4, port);
}

/**
 * A sockaddr in the form in which a connection keeps it: IPv4 as a number,
 * since a typed array of a few bytes costs 400 bytes of bookkeeping.
 */
export type PackedSockaddr = number | Uint8Array;

/**
 * Copies a sockaddr.
 *
 * @param bytes Holds a sockaddr, as filled in by the system.
 * @returns The copy.
 */
export function packSockaddr(bytes: Uint8Array): PackedSockaddr {
  return bytes[0] === AF_INET
    ? packIpv4(bytes, 4, bytes[2]! << 8 | bytes[3]!)
    : bytes.slice();
}

/**
 * Reads what {@linkcode packSockaddr} has made.
 *
 * @param packed The copy.
 * @returns The address.
 */
export function unpackSockaddr(packed: PackedSockaddr): SocketAddress {
  if (typeof packed !== "number") return fromSockaddr(packed);
  const host = Math.floor(packed / 0x1_0000);
  scratch[0] = host / 0x100_0000;
  scratch[1] = host >>> 16;
  scratch[2] = host >>> 8;
  scratch[3] = host;
  return SocketAddress.fromIpv4(scratch, 0, packed % 0x1_0000);
}

const scratch = new Uint8Array(4);

function makeSockaddr(address: SocketAddress): Uint8Array {
  const v4 = address.family === 4;
  const bytes = new Uint8Array(v4 ? 16 : SOCKADDR_LENGTH);
  bytes[0] = v4 ? AF_INET : AF_INET6;
  bytes[2] = address.port >> 8;
  bytes[3] = address.port & 0xff;
  bytes.set(address.bytes, v4 ? 4 : 8);
  if (!v4 && address.scope !== 0) {
    for (let i = 0; i < 4; i++) {
      bytes[SCOPE_OFFSET + i] = address.scope >>> (8 * i);
    }
  }
  return bytes;
}

/** The scope in host order, which is little-endian where this is used. */
function scopeOf(bytes: Uint8Array, offset: number): number {
  const at = offset + SCOPE_OFFSET;
  return (bytes[at]! | bytes[at + 1]! << 8 | bytes[at + 2]! << 16 |
    bytes[at + 3]! << 24) >>> 0;
}
