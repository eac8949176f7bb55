/**
 * The one non-blocking socket contract that every poller implements.
 *
 * Nothing here throws for what the network does: "would block" and failures
 * are return values, so that a handler's read loop has no try block.
 *
 * @module
 */

import type { SocketAddress } from "./address.ts";

/** `recv`, `send` … : nothing can be done now; wait for the next event. */
export const WOULD_BLOCK: number = -1;
/** `recv`, `send` … : the socket has failed; `socket.error` has the code. */
export const FAILED: number = -2;

/** Thrown when a socket cannot be made: bind, listen, descriptor limit. */
export class SocketError extends Error {
  /** The name of the class. */
  override readonly name = "SocketError";
  /** The errno name, such as `EADDRINUSE`. */
  readonly code: string;

  /**
   * Makes the error.
   *
   * @param code The errno name, such as `EADDRINUSE`.
   * @param message What was tried, and on which address.
   */
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** What all sockets have. */
export interface Socket extends Disposable {
  /** Which of the three kinds it is. */
  readonly kind: "listener" | "stream" | "datagram";
  /** The descriptor: real (epoll) or the poller's own, never reused (deno). */
  readonly fd: number;
  /** True once `close()` or `reset()` was called. */
  readonly closed: boolean;
  /** The errno name of the last failure, such as `ECONNRESET`; else `""`. */
  readonly error: string;
  /**
   * The bound address, with the port the system chose; 0.0.0.0:0 for a unix
   * socket.
   */
  readonly localAddress: SocketAddress;
  /** Closes the descriptor. Remove it from the loop first. Idempotent. */
  close(): void;
  /**
   * Takes the pending error (SO_ERROR) of a socket that got POLL_ERR, or whose
   * connect ended.
   *
   * @returns The errno name, or `""` when there is none.
   */
  takeError(): string;
}

/** A listening TCP socket. */
export interface ListenerSocket extends Socket {
  /** It accepts connections. */
  readonly kind: "listener";
  /**
   * Accepts one connection.
   *
   * @returns The connection, or undefined: `error` is `""` if nobody waits,
   * else the errno name (`EMFILE`, `ECONNABORTED` …).
   */
  accept(): StreamSocket | undefined;
}

/** A TCP connection. */
export interface StreamSocket extends Socket {
  /** It is a connection. */
  readonly kind: "stream";
  /**
   * Whether a connect had ended well by the time `connectTcp` returned, as it
   * may on loopback; else the event tells.
   */
  readonly connected?: boolean;
  /** The other end. */
  readonly remoteAddress: SocketAddress;
  /**
   * How many bytes of `fastOpenData` the system has taken; 0 while it does not
   * know yet whether the other end can do it. Undefined: none was given, or
   * there is no fast open here, and the connect is an ordinary one.
   */
  readonly fastOpenTaken?: number | undefined;
  /**
   * How many bytes `send` has taken that the other end has not acknowledged.
   * Absent where the system does not tell.
   */
  readonly unsent?: number;
  /**
   * Whether `send` would take nothing now. Absent where only a try can tell.
   */
  readonly busy?: boolean;
  /**
   * About how many bytes `send` would take now. Absent where the system does
   * not tell.
   */
  readonly room?: number;
  /**
   * Reads as many bytes as have come and have room.
   *
   * @param buffer Takes them.
   * @param start Where the first goes. With `start` the buffer should be one
   * that lives on: the poller may remember its place, which is cheaper than a
   * view.
   * @param end Where the last may go before. Default: the end of the buffer.
   * @returns Bytes read, 0 at the peer's end, {@linkcode WOULD_BLOCK} or
   * {@linkcode FAILED}.
   */
  recv(buffer: Uint8Array, start?: number, end?: number): number;
  /**
   * Takes as many bytes as the system has room for. The bytes are copied: the
   * caller may reuse `data` at once.
   *
   * @param data The bytes.
   * @param end Only those before it, of a buffer that should live on: see
   * {@linkcode StreamSocket.recv}.
   * @returns Bytes taken, {@linkcode WOULD_BLOCK} or {@linkcode FAILED}.
   */
  send(data: Uint8Array, end?: number): number;
  /** Sends FIN after all that `send` took; reading goes on. */
  shutdown(): void;
  /** Closes with a reset (SO_LINGER 0) where the system can; else closes. */
  reset(): void;
}

/** One of our addresses that a datagram was sent to. */
export interface Recipient {
  /** The address; its port is 0. */
  readonly address: SocketAddress;
}

/** A datagram socket: UDP, or unix with `A` the name of a socket. */
export interface DatagramSocket<A = SocketAddress> extends Socket {
  /** It is a UDP or unix datagram socket. */
  readonly kind: "datagram";
  /** Who sent the datagram that `recvFrom` returned last. */
  readonly sender: A;
  /**
   * To which of our addresses that datagram was sent; absent or undefined: it
   * is not known, as without `tellsRecipient` of `bindUdp`.
   */
  readonly recipient?: Recipient | undefined;
  /**
   * Reads one datagram; what does not fit into `buffer` is cut off.
   *
   * @returns Its length (0 is a legal datagram), {@linkcode WOULD_BLOCK} or
   * {@linkcode FAILED}.
   */
  recvFrom(buffer: Uint8Array): number;
  /**
   * Sends one datagram; it may be lost, as datagrams are.
   *
   * @param data The datagram.
   * @param address Where to.
   * @param from Which of our addresses it leaves from: a `recipient` of this
   * socket. Undefined, or no longer ours: the system chooses.
   * @returns Its length, {@linkcode WOULD_BLOCK} or {@linkcode FAILED}.
   */
  sendTo(data: Uint8Array, address: A, from?: Recipient): number;
  /**
   * Sends one datagram so that it is known whether the system refuses it, as
   * without a route: by itself, and not later with others.
   *
   * @param data The datagram.
   * @param address Where to.
   * @param onFailed Called, where the system says so only later, with the bytes
   * of the datagram. Not called when this call has returned `FAILED`.
   * @returns Its length, {@linkcode WOULD_BLOCK} or {@linkcode FAILED}.
   */
  sendAlone(
    data: Uint8Array,
    address: A,
    onFailed: (data: Uint8Array) => void,
  ): number;
}
