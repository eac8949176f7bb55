/**
 * One query over TCP, for answers that UDP cuts off (RFC 7766): each message
 * has its length before it, in two bytes.
 *
 * @module
 */

import {
  type EventHandler,
  type EventLoop,
  FAILED,
  POLL_ERR,
  POLL_HUP,
  POLL_IN,
  POLL_OUT,
  type Socket,
  type SocketAddress,
  type StreamSocket,
  WOULD_BLOCK,
} from "../loop/mod.ts";

/** Options of {@linkcode TcpExchange}. */
export interface TcpExchangeOptions {
  /** The name server. */
  readonly server: SocketAddress;
  /** The query. */
  readonly message: Uint8Array;
  /**
   * Called once, unless the exchange is cancelled before, with the response
   * or with undefined if there is none. May run inside the constructor.
   */
  readonly onEnd: (response: Uint8Array | undefined) => void;
}

/** Bytes of room for the first read: most responses fit; it grows for others. */
const FIRST_READ = 4096;

/** Sends one query, reads one response, closes. The caller limits the time. */
export class TcpExchange implements EventHandler {
  readonly #loop: EventLoop;
  readonly #onEnd: (response: Uint8Array | undefined) => void;
  #socket: StreamSocket | undefined;
  #unsent: Uint8Array;
  #received = new Uint8Array(FIRST_READ);
  #length = 0;

  /**
   * Starts to connect.
   *
   * @param loop Makes and watches the socket.
   * @param options Whom to ask, and what.
   */
  constructor(loop: EventLoop, options: TcpExchangeOptions) {
    const { server, message, onEnd } = options;
    this.#loop = loop;
    this.#onEnd = onEnd;
    this.#unsent = new Uint8Array(2 + message.length);
    this.#unsent[0] = message.length >> 8;
    this.#unsent[1] = message.length & 0xff;
    this.#unsent.set(message, 2);
    try {
      this.#socket = loop.poller.connectTcp(server);
    } catch {
      onEnd(undefined);
      return;
    }
    loop.add(this.#socket, POLL_OUT, this);
  }

  /** Closes the socket; `onEnd` is not called any more. Idempotent. */
  cancel(): void {
    const socket = this.#socket;
    if (socket === undefined) return;
    this.#socket = undefined;
    this.#loop.remove(socket);
    socket.close();
  }

  /**
   * Handles an event of the socket.
   *
   * @param _socket The socket.
   * @param _fd Its descriptor.
   * @param event A mask of `POLL_*`.
   */
  handleEvent(_socket: Socket, _fd: number, event: number): void {
    if ((event & POLL_ERR) !== 0) return this.#end(undefined);
    if (this.#unsent.length > 0) {
      if ((event & POLL_OUT) !== 0) return this.#send();
      if ((event & POLL_HUP) !== 0) this.#end(undefined);
      return;
    }
    if ((event & (POLL_IN | POLL_HUP)) !== 0) this.#receive();
  }

  #send(): void {
    const socket = this.#socket;
    if (socket === undefined) return;
    if (socket.takeError() !== "") return this.#end(undefined);
    const sent = socket.send(this.#unsent);
    if (sent === WOULD_BLOCK) return;
    if (sent === FAILED) return this.#end(undefined);
    this.#unsent = this.#unsent.subarray(sent);
    if (this.#unsent.length === 0) this.#loop.modify(socket, POLL_IN);
  }

  #receive(): void {
    for (;;) {
      const socket = this.#socket;
      if (socket === undefined) return;
      const got = socket.recv(this.#received.subarray(this.#length));
      if (got === WOULD_BLOCK) return;
      if (got === FAILED || got === 0) return this.#end(undefined);
      this.#length += got;
      if (this.#length < 2) continue;
      const end = 2 + (this.#received[0]! << 8 | this.#received[1]!);
      if (this.#length >= end) {
        return this.#end(this.#received.subarray(2, end));
      }
      if (end > this.#received.length) {
        const larger = new Uint8Array(end);
        larger.set(this.#received.subarray(0, this.#length));
        this.#received = larger;
      }
    }
  }

  #end(response: Uint8Array | undefined): void {
    if (this.#socket === undefined) return;
    this.cancel();
    this.#onEnd(response);
  }
}
