/**
 * The structures of `recvmmsg` and `sendmmsg`, in 32-bit words.
 *
 * ```text
 * struct mmsghdr  name*(8) namelen(4) pad(4) iov*(8) iovlen(8)
 *                 control*(8) controllen(8) flags(4) pad(4) | len(4) pad(4)
 * struct iovec    base*(8) len(8)
 * ```
 *
 * @module
 */

import type { PacketInfo } from "./_packet_info.ts";
import type { SocketAddress } from "./address.ts";

/** Words of a `struct mmsghdr`. */
export const HEADER_WORDS = 16;
/** Where the length of its name is. */
export const NAME_LENGTH_WORD = 2;
/** Where its address of the `iovec` is. */
export const IOV_WORD = 4;
/** Where the number of those is. */
export const IOV_COUNT_WORD = 6;
/** Where its address of the control messages is. */
export const CONTROL_WORD = 8;
/** Where their bytes are. */
export const CONTROL_LENGTH_WORD = 10;
/** Where the length of a received datagram is. */
export const LENGTH_WORD = 14;
/** Words of a `struct iovec`. */
export const IOV_WORDS = 4;
/** Bytes for a name. */
export const NAME_SPACE = 32;
/** MSG_DONTWAIT | MSG_NOSIGNAL. */
export const FLAGS = 0x40 | 0x4000;
/** Bytes of a word. */
export const WORD = 4;

/** What a batch needs of a socket. */
export interface BatchSocket {
  /** The open descriptor. */
  readonly descriptor: number;
  /** Whether the system tells it where its datagrams were sent to. */
  readonly tellsRecipient: boolean;
}

/** Where a datagram goes. */
export interface Destination {
  /** The address. */
  readonly address: SocketAddress;
  /** The sockaddr that the socket needs. */
  readonly sockaddr: Uint8Array;
  /** Which of our addresses it leaves from; undefined: the system chooses. */
  readonly from: PacketInfo | undefined;
}

/**
 * Where memory lies. Addresses of user space are below 2⁴⁸, so a number holds
 * them exactly.
 */
export function addressOf(memory: ArrayBufferView<ArrayBuffer>): number {
  return Number(Deno.UnsafePointer.value(Deno.UnsafePointer.of(memory)));
}

/** Writes an address into a structure. */
export function putPointer(
  words: Uint32Array,
  at: number,
  address: number,
): void {
  words[at] = address % 0x1_0000_0000;
  words[at + 1] = Math.floor(address / 0x1_0000_0000);
}

/** Reads an address out of a structure. */
export function getPointer(words: Uint32Array, at: number): number {
  return words[at]! + words[at + 1]! * 0x1_0000_0000;
}
