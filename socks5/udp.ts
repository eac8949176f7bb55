/**
 * The header of a datagram between an application and the local SOCKS5 relay
 * (RFC 1928, section 7).
 *
 * ```text
 * RSV (2)  FRAG  ATYP ADDR PORT  DATA
 * ```
 *
 * A datagram that is too short, is a fragment or has no valid address is
 * dropped without a word. RSV is not looked at.
 *
 * @module
 */

import {
  addressLength,
  type Endpoint,
  parseAddress,
  type ParsedAddress,
  writeAddress,
} from "./address.ts";

/** A datagram to drop. */
export interface DroppedDatagram {
  /** Tells the results apart. */
  readonly status: "drop";
  /** Why: shorter than its header, a fragment, or an address refused. */
  readonly reason: "too-short" | "fragment" | "address";
}

/** A datagram whose header is valid. */
export interface UdpHeader {
  /** Tells the results apart. */
  readonly status: "ok";
  /** The target; `hostOffset` counts from the beginning of the array. */
  readonly address: ParsedAddress;
  /** Length of the whole header; what follows it is the data. */
  readonly length: number;
}

/** What {@linkcode parseUdpHeader} gives. */
export type UdpHeaderResult = DroppedDatagram | UdpHeader;

/** RSV RSV FRAG: what stands before the address header. */
export const UDP_PREFIX_LENGTH = 3;

const TOO_SHORT: DroppedDatagram = { status: "drop", reason: "too-short" };
const FRAGMENT: DroppedDatagram = { status: "drop", reason: "fragment" };
const BAD_ADDRESS: DroppedDatagram = { status: "drop", reason: "address" };

/**
 * Reads the header of a whole datagram.
 *
 * @param bytes Holds the datagram.
 * @param end Where it ends. Default: the length of the array.
 * @param start Where it begins. Default: the beginning of the array.
 * @returns The header, or why to drop the datagram.
 */
export function parseUdpHeader(
  bytes: Uint8Array,
  end: number = bytes.length,
  start = 0,
): UdpHeaderResult {
  const offset = start + UDP_PREFIX_LENGTH;
  if (end <= offset) return TOO_SHORT;
  if (bytes[offset - 1] !== 0) return FRAGMENT;
  const address = parseAddress(bytes, { offset, end });
  if (address.status === "need-more") return TOO_SHORT;
  if (address.status === "invalid") return BAD_ADDRESS;
  return {
    status: "ok",
    address,
    length: UDP_PREFIX_LENGTH + address.length,
  };
}

/**
 * The number of bytes that {@linkcode writeUdpHeader} writes.
 *
 * @param address The address.
 * @returns At most 262 for a valid address.
 */
export function udpHeaderLength(address: Endpoint): number {
  return UDP_PREFIX_LENGTH + addressLength(address);
}

/**
 * Writes the header of a datagram.
 *
 * @param out Where to write.
 * @param offset Where the datagram begins.
 * @param address Where it comes from.
 * @returns The length of the header.
 * @throws {RangeError} If the address cannot be written, or `out` is too short.
 */
export function writeUdpHeader(
  out: Uint8Array,
  offset: number,
  address: Endpoint,
): number {
  const length = writeAddress(out, offset + UDP_PREFIX_LENGTH, address);
  out.fill(0, offset, offset + UDP_PREFIX_LENGTH);
  return UDP_PREFIX_LENGTH + length;
}
