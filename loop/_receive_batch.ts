/**
 * Many datagrams received with one system call: a `recvmmsg` fills the slots
 * of an arena, which is handed out datagram by datagram.
 *
 * @module
 */

import type { Libc } from "./_libc.ts";
import {
  addressOf,
  type BatchSocket,
  CONTROL_LENGTH_WORD,
  CONTROL_WORD,
  FLAGS,
  HEADER_WORDS,
  IOV_COUNT_WORD,
  IOV_WORD,
  IOV_WORDS,
  LENGTH_WORD,
  NAME_LENGTH_WORD,
  NAME_SPACE,
  putPointer,
  WORD,
} from "./_mmsghdr.ts";
import {
  INFO_WORDS,
  type PacketInfo,
  PacketInfoReader,
} from "./_packet_info.ts";
import { fromSockaddr, SOCKADDR_LENGTH } from "./_sockaddr.ts";
import type { SocketAddress } from "./address.ts";
import { FAILED, WOULD_BLOCK } from "./socket.ts";

/**
 * Bytes of a slot: more than the longest datagram (65,535), and a multiple of
 * 4096, so that each slot begins on a page of its own.
 */
const SLOT_LENGTH = 68 * 1024;
/** Received datagrams that are handed out one by one. */
export class ReceiveBatch {
  /** Who sent the datagram copied last. */
  sender: SocketAddress | undefined = undefined;
  /** Where it was sent to, if the socket is told. */
  recipient: PacketInfo | undefined = undefined;
  readonly #libc: Libc;
  readonly #slots: number;
  readonly #arena: Uint8Array<ArrayBuffer>;
  readonly #names: Uint8Array<ArrayBuffer>;
  readonly #headers: Uint32Array<ArrayBuffer>;
  readonly #iov: Uint32Array<ArrayBuffer>;
  readonly #controls: Uint32Array<ArrayBuffer>;
  readonly #infos = new PacketInfoReader();
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
   * @param slots Most datagrams of one call.
   */
  constructor(libc: Libc, slots: number) {
    this.#libc = libc;
    this.#slots = slots;
    this.#arena = new Uint8Array(slots * SLOT_LENGTH);
    this.#names = new Uint8Array(slots * NAME_SPACE);
    this.#headers = new Uint32Array(slots * HEADER_WORDS);
    this.#iov = new Uint32Array(slots * IOV_WORDS);
    this.#controls = new Uint32Array(slots * INFO_WORDS);
    const controls = addressOf(this.#controls);
    const arena = addressOf(this.#arena);
    const names = addressOf(this.#names);
    const iov = addressOf(this.#iov);
    for (let i = 0; i < slots; i++) {
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
      putPointer(
        this.#headers,
        header + CONTROL_WORD,
        controls + i * INFO_WORDS * WORD,
      );
      this.#headers[header + CONTROL_LENGTH_WORD] = INFO_WORDS * WORD;
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
    if (socket.tellsRecipient) {
      this.recipient = this.#infos.read(
        this.#controls,
        slot * INFO_WORDS,
        this.#headers[header + CONTROL_LENGTH_WORD]!,
      );
    }
    if (this.#next === this.#count) {
      this.#owner = undefined;
      this.#drained = this.#count < this.#slots ? socket : undefined;
    }
    return length;
  }

  #fill(socket: BatchSocket): number {
    // The last call has overwritten both lengths of each slot it filled.
    for (let i = 0; i < this.#count; i++) {
      const header = i * HEADER_WORDS;
      this.#headers[header + NAME_LENGTH_WORD] = SOCKADDR_LENGTH;
      this.#headers[header + CONTROL_LENGTH_WORD] = INFO_WORDS * WORD;
    }
    const count = this.#libc.symbols.recvmmsg(
      socket.descriptor,
      this.#pointer,
      this.#slots,
      FLAGS,
      null,
    );
    this.#next = 0;
    this.#count = Math.max(0, count);
    if (count > 0) this.#owner = socket;
    return count;
  }
}
