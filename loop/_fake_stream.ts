/**
 * For tests: a TCP connection without a network.
 *
 * @module
 */

import type { SocketAddress } from "./address.ts";
import { FakeSocket } from "./_fake_socket.ts";
import { POLL_ERR, POLL_HUP, POLL_IN, POLL_OUT } from "./events.ts";
import { FAILED, type StreamSocket, WOULD_BLOCK } from "./socket.ts";
import { concat } from "../tests/support/bytes.ts";

/** What a {@linkcode FakeStream} is made of. */
export interface FakeStreamOptions {
  /** Its own address. */
  readonly localAddress: SocketAddress;
  /** The address of the other end. */
  readonly remoteAddress: SocketAddress;
  /** Whether the connection exists already, as an accepted one does. */
  readonly connected: boolean;
  /** What the connect was given for the SYN (TCP fast open). */
  readonly fastOpenData?: Uint8Array | undefined;
  /** How much of it was taken; undefined: there is no fast open. */
  readonly fastOpenTaken?: number | undefined;
}

/** A TCP connection; the test is its other end. */
export class FakeStream extends FakeSocket implements StreamSocket {
  /** It is a connection. */
  readonly kind = "stream";
  /** The address of the other end. */
  readonly remoteAddress: SocketAddress;
  /** A copy of what the connect was given for the SYN. */
  readonly fastOpenData: Uint8Array | undefined;
  /** How much of it was taken; undefined: there is no fast open. */
  readonly fastOpenTaken?: number;
  /** Bytes that `send` takes before it would block. */
  room: number = Infinity;
  /** Most bytes that one `send` takes. */
  mostPerSend: number = Infinity;
  /** Bytes that the other end has not acknowledged; the test may set it. */
  unsent: number = 0;
  /** What each `send` has taken. */
  readonly sends: Uint8Array[] = [];
  /** How often FIN was sent. */
  shutdowns = 0;
  /** Whether the code under test has reset the connection. */
  wasReset = false;
  /** How often `recv` was called. */
  reads = 0;
  /** Called after each read, for what happens in the middle of an event. */
  onRecv: (() => void) | undefined;
  /** Called with what each `send` has taken. */
  onSend: ((taken: Uint8Array) => void) | undefined;
  #connected: boolean;
  #inbox: Uint8Array[] = [];
  #ended = false;
  #failure = "";

  /**
   * Makes the connection.
   *
   * @param fd Its descriptor.
   * @param options Its ends, and whether it exists already.
   */
  constructor(fd: number, options: FakeStreamOptions) {
    super(fd, options.localAddress);
    this.remoteAddress = options.remoteAddress;
    this.fastOpenData = options.fastOpenData?.slice();
    if (options.fastOpenTaken !== undefined) {
      this.fastOpenTaken = options.fastOpenTaken;
    }
    this.#connected = options.connected;
  }

  /** Whether the connection exists. */
  get connected(): boolean {
    return this.#connected;
  }

  /** All that was sent, in one piece; without the data of the SYN. */
  get sent(): Uint8Array {
    return concat(...this.sends);
  }

  /**
   * Brings bytes from the other end. One `recv` reads from one piece only.
   *
   * @param pieces Copied, so that the test may reuse them.
   */
  bring(...pieces: readonly Uint8Array[]): void {
    this.#inbox.push(...pieces.map((piece) => piece.slice()));
  }

  /** Brings the end (FIN) of the other end. */
  end(): void {
    this.#ended = true;
  }

  /**
   * The connection fails, or cannot be made; what was brought before can still
   * be read, as on Linux.
   *
   * @param code The errno name, such as `ECONNRESET`.
   */
  fail(code: string): void {
    this.#failure = this.error = code;
  }

  /** The connection is made. */
  establish(): void {
    this.#connected = true;
  }

  /**
   * Tells what the system would report.
   *
   * @returns A mask of `POLL_*`.
   */
  ready(): number {
    if (this.#failure !== "") return POLL_IN | POLL_OUT | POLL_ERR | POLL_HUP;
    if (!this.#connected) return 0;
    return (this.#inbox.length > 0 || this.#ended ? POLL_IN : 0) |
      (this.room > 0 ? POLL_OUT : 0) |
      (this.#ended && this.shutdowns > 0 ? POLL_HUP : 0);
  }

  /**
   * Reads from the first piece that the test has brought.
   *
   * @param buffer Takes the bytes.
   * @param start Where the first goes.
   * @param end Where the last may go before.
   * @returns As of `StreamSocket.recv`.
   * @throws {Error} If the socket is closed: the code under test is wrong.
   */
  recv(
    buffer: Uint8Array,
    start: number = 0,
    end: number = buffer.length,
  ): number {
    this.reads++;
    if (this.closed) throw new Error("recv of a closed socket");
    const count = this.#recv(buffer.subarray(start, end));
    this.onRecv?.();
    return count;
  }

  /**
   * Takes as much as there is room for.
   *
   * @param data The bytes.
   * @param end Only those before it.
   * @returns As of `StreamSocket.send`.
   * @throws {Error} If the socket is closed or shut down: the code under test
   * is wrong.
   */
  send(data: Uint8Array, end: number = data.length): number {
    if (this.closed) throw new Error("send on a closed socket");
    if (this.shutdowns > 0) throw new Error("send after shutdown");
    if (this.#failure !== "") return this.#refuse();
    const taken = data.slice(0, Math.min(this.room, this.mostPerSend, end));
    if (taken.length === 0 && end > 0) return WOULD_BLOCK;
    this.room -= taken.length;
    this.sends.push(taken);
    this.onSend?.(taken);
    return taken.length;
  }

  /** Counts a FIN. */
  shutdown(): void {
    this.shutdowns++;
  }

  /** Closes the socket, and remembers that it was by a reset. */
  reset(): void {
    this.wasReset ||= !this.closed;
    this.close();
  }

  #recv(buffer: Uint8Array): number {
    const piece = this.#inbox.shift();
    if (piece === undefined) {
      if (this.#failure !== "") return this.#refuse();
      return this.#ended ? 0 : WOULD_BLOCK;
    }
    const length = Math.min(buffer.length, piece.length);
    buffer.set(piece.subarray(0, length));
    if (length < piece.length) this.#inbox.unshift(piece.subarray(length));
    return length;
  }

  #refuse(): number {
    this.error = this.#failure;
    return FAILED;
  }
}
