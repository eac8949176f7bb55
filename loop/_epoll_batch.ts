/**
 * The batches of datagrams of a poller, for the sockets that ask for it.
 *
 * @module
 */

import type { Libc } from "./_libc.ts";
import type { BatchSocket } from "./_mmsghdr.ts";
import { ReceiveBatch } from "./_receive_batch.ts";
import { SendBatch } from "./_send_batch.ts";

/**
 * Most datagrams of one `recvmmsg`, which share the cost of the system call.
 * The arena for them is 2.2 MB, of which the system backs the pages in use.
 */
const RECEIVE_SLOTS = 32;

/** The batches of a poller, made when the first socket asks for them. */
export class DatagramBatches {
  /** What was received, for one socket of the poller at a time. */
  readonly received: ReceiveBatch;
  /** What is to be sent, for all sockets of the poller. */
  readonly sending: SendBatch;
  readonly #libc: Libc;
  /** For when the batch has datagrams of another socket. */
  #single: ReceiveBatch | undefined;

  /**
   * Reserves both.
   *
   * @param libc Has the system calls.
   */
  constructor(libc: Libc) {
    this.#libc = libc;
    this.received = new ReceiveBatch(libc, RECEIVE_SLOTS);
    this.sending = new SendBatch(libc);
  }

  /**
   * Finds what a socket may receive with now.
   *
   * @param socket The socket.
   * @returns The batch, or one for a single datagram if the batch is taken and
   * the socket is to be told of recipients; undefined: `recvfrom` will do.
   */
  receiverFor(socket: BatchSocket): ReceiveBatch | undefined {
    if (this.received.isFree(socket)) return this.received;
    return socket.tellsRecipient
      ? this.#single ??= new ReceiveBatch(this.#libc, 1)
      : undefined;
  }
}
