/**
 * Many datagrams sent with one system call: they are copied one behind the
 * other and leave with one `sendmmsg` before the next wait; neighbours of one
 * size for one address leave as a single segmented message (UDP GSO), which
 * goes through the network stack once.
 *
 * ```text
 * control         len(8) level(4) type(4) segment(2) pad(6), and behind it,
 *                 where a datagram leaves from: see _packet_info.ts
 * ```
 *
 * @module
 */

import type { Libc } from "./_libc.ts";
import {
  addressOf,
  type BatchSocket,
  CONTROL_LENGTH_WORD,
  CONTROL_WORD,
  type Destination,
  FLAGS,
  getPointer,
  HEADER_WORDS,
  IOV_COUNT_WORD,
  IOV_WORD,
  IOV_WORDS,
  NAME_LENGTH_WORD,
  NAME_SPACE,
  putPointer,
  WORD,
} from "./_mmsghdr.ts";
import { INFO_WORDS, type PacketInfo } from "./_packet_info.ts";
import type { SocketAddress } from "./address.ts";

/**
 * Most messages that wait to be sent. It is also the most segments that Linux
 * takes in one message (UDP_MAX_SEGMENTS of linux/udp.h: 64, lately 128).
 */
const SEND_SLOTS = 64;
/**
 * Most bytes that wait to be sent: 64 datagrams of 4 KiB, or four segmented
 * messages of the largest size.
 */
const SEND_LENGTH = 256 * 1024;
/**
 * Longer datagrams are sent at once: to copy them costs about as much as the
 * system call that a batch saves.
 */
const MAX_QUEUED = 16 * 1024;
/**
 * Most bytes of a segmented message: the kernel takes it as one IP packet, of
 * 65,535 bytes with its headers.
 */
const MAX_SEGMENTED = 64_000;
/**
 * Longest segment. The kernel refuses segments above the MTU of the way, which
 * is 1500 on most networks: less 40 for IPv6 and 8 for UDP.
 */
const MAX_SEGMENT = 1452;

/** CMSG_LEN(2): a header of 16 bytes and a u16; CMSG_SPACE(2): padded to 8. */
const SEGMENT_LENGTH = 18;
const SEGMENT_SPACE = 24;
const SEGMENT_WORDS = SEGMENT_SPACE / 4;
const CONTROL_WORDS = SEGMENT_WORDS + INFO_WORDS;
const SOL_UDP = 17;
const UDP_SEGMENT = 103;
/** errno of a system whose network cannot segment. */
const EIO = 5;

/** Datagrams that wait to be sent. */
export class SendBatch {
  readonly #libc: Libc;
  readonly #arena = new Uint8Array(new ArrayBuffer(SEND_LENGTH));
  readonly #arenaAddress = addressOf(this.#arena);
  readonly #names = new Uint8Array(new ArrayBuffer(SEND_SLOTS * NAME_SPACE));
  readonly #headers = new Uint32Array(SEND_SLOTS * HEADER_WORDS);
  readonly #iov = new Uint32Array(SEND_SLOTS * IOV_WORDS);
  readonly #controls = new Uint32Array(SEND_SLOTS * CONTROL_WORDS);
  readonly #controlsAddress: number;
  readonly #pointers: readonly Deno.PointerValue[];
  /** The socket of each message; beside it the bytes of its first segment. */
  readonly #sockets: BatchSocket[] = [];
  readonly #segments = new Uint32Array(SEND_SLOTS);
  /** Whether a message can take no further segment: its last was shorter. */
  readonly #full = new Uint8Array(SEND_SLOTS);
  /** Bytes of the message that says where it leaves from; 0: nothing does. */
  readonly #infoBytes = new Uint8Array(SEND_SLOTS);
  /** Where the last message goes to, and leaves from. */
  #address: SocketAddress | undefined;
  #from: PacketInfo | undefined;
  #used = 0;
  /** Whether the network of this system segments: no send was refused for it. */
  #segmenting = true;

  /**
   * Reserves the arena and ties the structures together.
   *
   * @param libc Has `sendmmsg`.
   */
  constructor(libc: Libc) {
    this.#libc = libc;
    const names = addressOf(this.#names);
    const iov = addressOf(this.#iov);
    this.#controlsAddress = addressOf(this.#controls);
    for (let i = 0; i < SEND_SLOTS; i++) {
      const header = i * HEADER_WORDS;
      putPointer(this.#headers, header, names + i * NAME_SPACE);
      putPointer(
        this.#headers,
        header + IOV_WORD,
        iov + i * IOV_WORDS * WORD,
      );
      this.#headers[header + IOV_COUNT_WORD] = 1;
      const control = i * CONTROL_WORDS;
      this.#controls[control] = SEGMENT_LENGTH;
      this.#controls[control + 2] = SOL_UDP;
      this.#controls[control + 3] = UDP_SEGMENT;
    }
    const first = Deno.UnsafePointer.of(this.#headers)!;
    this.#pointers = Array.from(
      { length: SEND_SLOTS },
      (_, i) => Deno.UnsafePointer.offset(first, i * HEADER_WORDS * WORD),
    );
  }

  /**
   * Copies a datagram to be sent by the next {@linkcode flush}.
   *
   * @param socket Sends it.
   * @param data The bytes.
   * @param to Where to.
   * @returns False if it is too long for a batch: send it alone. One with a
   * `from` is always taken.
   */
  add(socket: BatchSocket, data: Uint8Array, to: Destination): boolean {
    const { length } = data;
    if (length > MAX_QUEUED && to.from === undefined) return false;
    if (this.#used + length > SEND_LENGTH) this.flush();
    if (!this.#extend(socket, length, to)) {
      if (this.#sockets.length === SEND_SLOTS) this.flush();
      this.#append(socket, length, to);
    }
    this.#arena.set(data, this.#used);
    this.#used += length;
    return true;
  }

  /** Sends everything. What the system has no room for is lost. */
  flush(): void {
    const count = this.#sockets.length;
    if (count === 0) return;
    for (let from = 0; from < count;) {
      const socket = this.#sockets[from]!;
      let to = from + 1;
      while (to < count && this.#sockets[to] === socket) to++;
      this.#send(socket, from, to);
      from = to;
    }
    this.#sockets.length = this.#used = 0;
    this.#address = this.#from = undefined;
  }

  /** Makes the datagram a further segment of the last message, if it fits. */
  #extend(
    socket: BatchSocket,
    length: number,
    { address, from }: Destination,
  ): boolean {
    const last = this.#sockets.length - 1;
    if (
      !this.#segmenting || last < 0 || this.#sockets[last] !== socket ||
      this.#address !== address || this.#from !== from ||
      this.#full[last] === 1
    ) return false;
    const segment = this.#segments[last]!;
    const iov = last * IOV_WORDS + 2;
    const total = this.#iov[iov]! + length;
    if (
      length > segment || length === 0 || segment > MAX_SEGMENT ||
      total > MAX_SEGMENTED || total / segment > SEND_SLOTS
    ) return false;
    const isFirst = this.#iov[iov] === segment;
    this.#iov[iov] = total;
    if (length < segment) this.#full[last] = 1;
    if (isFirst) {
      const control = last * CONTROL_WORDS;
      putPointer(
        this.#headers,
        last * HEADER_WORDS + CONTROL_WORD,
        this.#controlsAddress + control * WORD,
      );
      this.#headers[last * HEADER_WORDS + CONTROL_LENGTH_WORD] = SEGMENT_SPACE +
        this.#infoBytes[last]!;
      this.#controls[control + 4] = segment;
    }
    return true;
  }

  #append(
    socket: BatchSocket,
    length: number,
    { address, sockaddr, from }: Destination,
  ): void {
    const slot = this.#sockets.length;
    const header = slot * HEADER_WORDS;
    this.#names.set(sockaddr, slot * NAME_SPACE);
    this.#headers[header + NAME_LENGTH_WORD] = sockaddr.length;
    if (from === undefined) {
      this.#infoBytes[slot] = 0;
      putPointer(this.#headers, header + CONTROL_WORD, 0);
      this.#headers[header + CONTROL_LENGTH_WORD] = 0;
    } else {
      this.#infoBytes[slot] = from.control.byteLength;
      this.#controls.set(from.control, slot * CONTROL_WORDS + SEGMENT_WORDS);
      this.#putInfo(slot);
    }
    const iov = slot * IOV_WORDS;
    putPointer(this.#iov, iov, this.#arenaAddress + this.#used);
    this.#iov[iov + 2] = length;
    this.#segments[slot] = length;
    this.#full[slot] = 0;
    this.#sockets.push(socket);
    this.#address = address;
    this.#from = from;
  }

  /** Has a message carry where it leaves from, and nothing else. */
  #putInfo(slot: number): void {
    const header = slot * HEADER_WORDS;
    const control = slot * CONTROL_WORDS + SEGMENT_WORDS;
    putPointer(
      this.#headers,
      header + CONTROL_WORD,
      this.#controlsAddress + control * WORD,
    );
    this.#headers[header + CONTROL_LENGTH_WORD] = this.#infoBytes[slot]!;
  }

  #send(socket: BatchSocket, from: number, to: number): void {
    for (let at = from; at < to;) {
      const sent = this.#libc.symbols.sendmmsg(
        socket.descriptor,
        this.#pointers[at]!,
        to - at,
        FLAGS,
      );
      if (sent > 0) {
        at += sent;
        continue;
      }
      // This message cannot be sent: if it was segmented, the path or the
      // system may not take that; its segments are sent one by one. If it was
      // to leave from one of our addresses, that may be ours no more.
      if (this.#iov[at * IOV_WORDS + 2]! > this.#segments[at]!) {
        this.#sendSegments(socket, at);
      } else if (this.#infoBytes[at] !== 0) this.#sendFromAny(socket, at);
      at++;
    }
  }

  #sendSegments(socket: BatchSocket, slot: number): void {
    if (this.#libc.errno() === EIO) this.#segmenting = false;
    const iov = slot * IOV_WORDS;
    const segment = this.#segments[slot]!;
    const total = this.#iov[iov + 2]!;
    const start = getPointer(this.#iov, iov);
    this.#putInfo(slot);
    for (let at = 0; at < total; at += segment) {
      putPointer(this.#iov, iov, start + at);
      this.#iov[iov + 2] = Math.min(segment, total - at);
      if (this.#sendOne(socket, slot) < 1 && this.#infoBytes[slot] !== 0) {
        this.#sendFromAny(socket, slot);
      }
    }
  }

  /** Sends a message from whichever address the system chooses. */
  #sendFromAny(socket: BatchSocket, slot: number): void {
    this.#infoBytes[slot] = 0;
    this.#putInfo(slot);
    this.#sendOne(socket, slot);
  }

  #sendOne(socket: BatchSocket, slot: number): number {
    return this.#libc.symbols.sendmmsg(
      socket.descriptor,
      this.#pointers[slot]!,
      1,
      FLAGS,
    );
  }
}
