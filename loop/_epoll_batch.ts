/**
 * Many datagrams with one system call, for the sockets that ask for it.
 *
 * Receiving: one `recvmmsg` fills the slots of an arena, which is handed out
 * datagram by datagram. Sending: datagrams are copied one behind the other and
 * leave with one `sendmmsg` before the next wait; neighbours of one size for
 * one address leave as a single segmented message (UDP GSO), which goes
 * through the network stack once.
 *
 * ```text
 * struct mmsghdr  name*(8) namelen(4) pad(4) iov*(8) iovlen(8)
 *                 control*(8) controllen(8) flags(4) pad(4) | len(4) pad(4)
 * struct iovec    base*(8) len(8)
 * control         len(8) level(4) type(4) segment(2) pad(6)
 * ```
 *
 * @module
 */

import type { Libc } from "./_libc.ts";
import { fromSockaddr, SOCKADDR_LENGTH } from "./_sockaddr.ts";
import type { SocketAddress } from "./address.ts";
import { FAILED, WOULD_BLOCK } from "./socket.ts";

/**
 * Most datagrams of one `recvmmsg`, which share the cost of the system call.
 * The arena for them is 2.2 MB, of which the system backs the pages in use.
 */
const RECEIVE_SLOTS = 32;
/**
 * Bytes of a slot: more than the longest datagram (65,535), and a multiple of
 * 4096, so that each slot begins on a page of its own.
 */
const SLOT_LENGTH = 68 * 1024;
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

/** Lengths and places within the structures, in 32-bit words. */
const HEADER_WORDS = 16;
const NAME_LENGTH_WORD = 2;
const IOV_WORD = 4;
const IOV_COUNT_WORD = 6;
const CONTROL_WORD = 8;
const CONTROL_LENGTH_WORD = 10;
const LENGTH_WORD = 14;
const IOV_WORDS = 4;
const CONTROL_WORDS = 6;
/** CMSG_LEN(2): a header of 16 bytes and a u16; CMSG_SPACE(2): padded to 8. */
const CONTROL_LENGTH = 18;
const CONTROL_SPACE = 24;
const SOL_UDP = 17;
const UDP_SEGMENT = 103;
const NAME_SPACE = 32;
/** MSG_DONTWAIT | MSG_NOSIGNAL. */
const FLAGS = 0x40 | 0x4000;
const WORD = 4;

/** What a batch needs of a socket. */
export interface BatchSocket {
  /** The open descriptor. */
  readonly descriptor: number;
}

/** The batches of a poller, made when the first socket asks for them. */
export class DatagramBatches {
  /** What was received, for one socket of the poller at a time. */
  readonly received: ReceiveBatch;
  /** What is to be sent, for all sockets of the poller. */
  readonly sending: SendBatch;

  /**
   * Reserves both.
   *
   * @param libc Has the system calls.
   */
  constructor(libc: Libc) {
    this.received = new ReceiveBatch(libc);
    this.sending = new SendBatch(libc);
  }
}

/** Received datagrams that are handed out one by one. */
export class ReceiveBatch {
  /** Who sent the datagram copied last. */
  sender: SocketAddress | undefined = undefined;
  readonly #libc: Libc;
  readonly #arena = new Uint8Array(
    new ArrayBuffer(RECEIVE_SLOTS * SLOT_LENGTH),
  );
  readonly #names = new Uint8Array(
    new ArrayBuffer(RECEIVE_SLOTS * NAME_SPACE),
  );
  readonly #headers = new Uint32Array(RECEIVE_SLOTS * HEADER_WORDS);
  readonly #iov = new Uint32Array(RECEIVE_SLOTS * IOV_WORDS);
  readonly #pointer: Deno.PointerValue;
  /** The socket of the datagrams in the arena; undefined: all are handed out. */
  #owner: BatchSocket | undefined;
  /** The socket whose last batch was not full: it has nothing more to read. */
  #drained: BatchSocket | undefined;
  #next = 0;
  #count = 0;

  /**
   * Reserves the arena and ties the structures together.
   *
   * @param libc Has `recvmmsg`.
   */
  constructor(libc: Libc) {
    this.#libc = libc;
    const arena = addressOf(this.#arena);
    const names = addressOf(this.#names);
    const iov = addressOf(this.#iov);
    for (let i = 0; i < RECEIVE_SLOTS; i++) {
      putPointer(this.#iov, i * IOV_WORDS, arena + i * SLOT_LENGTH);
      this.#iov[i * IOV_WORDS + 2] = SLOT_LENGTH;
      const header = i * HEADER_WORDS;
      putPointer(this.#headers, header, names + i * NAME_SPACE);
      this.#headers[header + NAME_LENGTH_WORD] = SOCKADDR_LENGTH;
      putPointer(
        this.#headers,
        header + IOV_WORD,
        iov + i * IOV_WORDS * WORD,
      );
      this.#headers[header + IOV_COUNT_WORD] = 1;
    }
    this.#pointer = Deno.UnsafePointer.of(this.#headers);
  }

  /** The socket with datagrams that are not handed out yet. */
  get owner(): BatchSocket | undefined {
    return this.#owner;
  }

  /** Drops what is left of a socket's datagrams. */
  drop(socket: BatchSocket): void {
    if (this.#owner === socket) this.#owner = undefined;
    if (this.#drained === socket) this.#drained = undefined;
  }

  /**
   * Whether a socket may use the batch now.
   *
   * @param socket The socket that wants to read.
   */
  isFree(socket: BatchSocket): boolean {
    return this.#owner === undefined || this.#owner === socket;
  }

  /**
   * Copies the socket's next datagram.
   *
   * @param socket One that {@linkcode isFree} accepts.
   * @param buffer Takes the bytes; what does not fit is cut off.
   * @returns Its length, WOULD_BLOCK, or FAILED: see errno.
   */
  receive(socket: BatchSocket, buffer: Uint8Array): number {
    if (this.#owner === undefined) {
      if (this.#drained === socket) {
        // The last batch was not full, so there was nothing more.
        this.#drained = undefined;
        return WOULD_BLOCK;
      }
      if (this.#fill(socket) <= 0) return FAILED;
    }
    const slot = this.#next++;
    const header = slot * HEADER_WORDS;
    const length = Math.min(
      this.#headers[header + LENGTH_WORD]!,
      buffer.length,
    );
    const start = slot * SLOT_LENGTH;
    buffer.set(this.#arena.subarray(start, start + length));
    this.sender = fromSockaddr(this.#names, slot * NAME_SPACE);
    if (this.#next === this.#count) {
      this.#owner = undefined;
      this.#drained = this.#count < RECEIVE_SLOTS ? socket : undefined;
    }
    return length;
  }

  #fill(socket: BatchSocket): number {
    // The last call has overwritten the name length of each slot it filled.
    for (let i = 0; i < this.#count; i++) {
      this.#headers[i * HEADER_WORDS + NAME_LENGTH_WORD] = SOCKADDR_LENGTH;
    }
    const count = this.#libc.symbols.recvmmsg(
      socket.descriptor,
      this.#pointer,
      RECEIVE_SLOTS,
      FLAGS,
      null,
    );
    this.#next = 0;
    this.#count = Math.max(0, count);
    if (count > 0) this.#owner = socket;
    return count;
  }
}

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
  #address: SocketAddress | undefined;
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
      this.#controls[control] = CONTROL_LENGTH;
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
   * @param to Where to: the address, and the sockaddr that the socket needs.
   * @returns False if it is too long for a batch: send it alone.
   */
  add(
    socket: BatchSocket,
    data: Uint8Array,
    to: { readonly address: SocketAddress; readonly sockaddr: Uint8Array },
  ): boolean {
    const { length } = data;
    if (length > MAX_QUEUED) return false;
    if (this.#used + length > SEND_LENGTH) this.flush();
    if (!this.#extend(socket, length, to.address)) {
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
    this.#address = undefined;
  }

  /** Makes the datagram a further segment of the last message, if it fits. */
  #extend(
    socket: BatchSocket,
    length: number,
    address: SocketAddress,
  ): boolean {
    const last = this.#sockets.length - 1;
    if (
      !this.#segmenting || last < 0 || this.#sockets[last] !== socket ||
      this.#address !== address || this.#full[last] === 1
    ) return false;
    const segment = this.#segments[last]!;
    const iov = last * IOV_WORDS + 2;
    const total = this.#iov[iov]! + length;
    if (
      length > segment || length === 0 || segment > MAX_SEGMENT ||
      total > MAX_SEGMENTED || total / segment > SEND_SLOTS
    ) return false;
    this.#iov[iov] = total;
    if (length < segment) this.#full[last] = 1;
    const header = last * HEADER_WORDS;
    if (this.#headers[header + CONTROL_LENGTH_WORD] === 0) {
      const control = last * CONTROL_WORDS;
      putPointer(
        this.#headers,
        header + CONTROL_WORD,
        this.#controlsAddress + control * WORD,
      );
      this.#headers[header + CONTROL_LENGTH_WORD] = CONTROL_SPACE;
      this.#controls[control + 4] = segment;
    }
    return true;
  }

  #append(
    socket: BatchSocket,
    length: number,
    { address, sockaddr }: {
      readonly address: SocketAddress;
      readonly sockaddr: Uint8Array;
    },
  ): void {
    const slot = this.#sockets.length;
    const header = slot * HEADER_WORDS;
    this.#names.set(sockaddr, slot * NAME_SPACE);
    this.#headers[header + NAME_LENGTH_WORD] = sockaddr.length;
    putPointer(this.#headers, header + CONTROL_WORD, 0);
    this.#headers[header + CONTROL_LENGTH_WORD] = 0;
    const iov = slot * IOV_WORDS;
    putPointer(this.#iov, iov, this.#arenaAddress + this.#used);
    this.#iov[iov + 2] = length;
    this.#segments[slot] = length;
    this.#full[slot] = 0;
    this.#sockets.push(socket);
    this.#address = address;
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
      // system may not take that; its segments are sent one by one.
      if (this.#headers[at * HEADER_WORDS + CONTROL_LENGTH_WORD] !== 0) {
        this.#sendSegments(socket, at);
      }
      at++;
    }
  }

  #sendSegments(socket: BatchSocket, slot: number): void {
    if (this.#libc.errno() === EIO) this.#segmenting = false;
    const header = slot * HEADER_WORDS;
    const iov = slot * IOV_WORDS;
    const segment = this.#segments[slot]!;
    const total = this.#iov[iov + 2]!;
    const start = getPointer(this.#iov, iov);
    this.#headers[header + CONTROL_LENGTH_WORD] = 0;
    for (let at = 0; at < total; at += segment) {
      putPointer(this.#iov, iov, start + at);
      this.#iov[iov + 2] = Math.min(segment, total - at);
      this.#libc.symbols.sendmmsg(
        socket.descriptor,
        this.#pointers[slot]!,
        1,
        FLAGS,
      );
    }
  }
}

/** errno of a system whose network cannot segment. */
const EIO = 5;

/** Addresses of user space are below 2⁴⁸, so a number holds them exactly. */
function addressOf(memory: ArrayBufferView<ArrayBuffer>): number {
  return Number(Deno.UnsafePointer.value(Deno.UnsafePointer.of(memory)));
}

function putPointer(words: Uint32Array, at: number, address: number): void {
  words[at] = address % 0x1_0000_0000;
  words[at + 1] = Math.floor(address / 0x1_0000_0000);
}

function getPointer(words: Uint32Array, at: number): number {
  return words[at]! + words[at + 1]! * 0x1_0000_0000;
}
