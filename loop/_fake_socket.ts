/**
 * For tests: what the fake sockets share. The test is the other end of each:
 * it puts in what the network would bring, and looks at what was sent.
 *
 * @module
 */

import type { SocketAddress } from "./address.ts";
import type { Socket } from "./socket.ts";

/** What the three kinds of fake sockets share. */
export abstract class FakeSocket implements Socket {
  /** Which of the three kinds the socket is. */
  abstract readonly kind: "listener" | "stream" | "datagram";
  /** The descriptor; a poller never gives the same one twice. */
  readonly fd: number;
  /** The bound address. */
  readonly localAddress: SocketAddress;
  /** Whether the code under test has closed the socket. */
  closed = false;
  /** The pending error, such as `ECONNREFUSED`; the test may set it. */
  error = "";

  /**
   * Makes the socket.
   *
   * @param fd Its descriptor.
   * @param localAddress Its own address.
   */
  constructor(fd: number, localAddress: SocketAddress) {
    this.fd = fd;
    this.localAddress = localAddress;
  }

  /**
   * Tells what the system would report.
   *
   * @returns A mask of `POLL_*`.
   */
  abstract ready(): number;

  /**
   * Takes the pending error.
   *
   * @returns The errno name, or `""`.
   */
  takeError(): string {
    const { error } = this;
    this.error = "";
    return error;
  }

  /** Closes the socket. */
  close(): void {
    this.closed = true;
  }

  /** Closes the socket. */
  [Symbol.dispose](): void {
    this.close();
  }
}
