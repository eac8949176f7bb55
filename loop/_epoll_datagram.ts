/**
 * UDP sockets over libc's calls.
 *
 * @module
 */

import type { SocketAddress } from "./address.ts";
import type { DatagramBatches } from "./_epoll_batch.ts";
import { type EpollOwner, EpollSocket, MSG_NOSIGNAL } from "./_epoll_socket.ts";
import { ASK_V4, ASK_V6, PacketInfo } from "./_packet_info.ts";
import {
  AF_INET6,
  fromSockaddr,
  SOCKADDR_LENGTH,
  toSockaddr,
} from "./_sockaddr.ts";
import { type DatagramSocket, FAILED, type Recipient } from "./socket.ts";

const NO_FLAGS = 0;
const addressBytes = new Uint8Array(SOCKADDR_LENGTH);
const addressLength = new Uint32Array(1);

/** A UDP socket. */
export class EpollDatagram extends EpollSocket implements DatagramSocket {
  readonly kind = "datagram";
  sender: SocketAddress;
  recipient: PacketInfo | undefined = undefined;
  /** Whether the system tells where its datagrams were sent to. */
  readonly tellsRecipient: boolean;
  readonly #mapped: boolean;
  readonly #batches: DatagramBatches | undefined;

  /**
   * Wraps a descriptor.
   *
   * @param owner The poller.
   * @param fd An open, bound, non-blocking descriptor.
   * @param options What it is bound to, which stands as `sender` until one is
   * known; the batches, if it is to use them; and whether it is told of
   * recipients, for which it has to.
   */
  constructor(owner: EpollOwner, fd: number, options: {
    readonly bound: SocketAddress;
    readonly batches: DatagramBatches | undefined;
    readonly tellsRecipient: boolean;
  }) {
    super(owner, fd);
    this.tellsRecipient = options.tellsRecipient;
    this.sender = options.bound;
    this.#mapped = options.bound.family === 6;
    this.#batches = options.batches;
  }

  /** Has the system tell where datagrams were sent to. */
  askForRecipients(): void {
    const { level, name } = this.#mapped ? ASK_V6 : ASK_V4;
    this.setOption(level, name);
  }

  override close(): void {
    if (!this.closed) {
      this.#batches?.sending.flush();
      this.#batches?.received.drop(this);
    }
    super.close();
  }

  recvFrom(buffer: Uint8Array): number {
    const received = this.#batches?.receiverFor(this);
    if (received !== undefined) {
      const count = received.receive(this, buffer);
      if (count === FAILED) return this.fail();
      if (count >= 0) {
        this.sender = received.sender!;
        if (this.tellsRecipient) this.recipient = received.recipient;
      }
      return count;
    }
    addressLength[0] = SOCKADDR_LENGTH;
    const count = this.owner.libc.symbols.recvfrom(
      this.descriptor,
      buffer as Uint8Array<ArrayBuffer>,
      buffer.length,
      NO_FLAGS,
      addressBytes,
      addressLength,
    );
    if (count < 0) return this.fail();
    this.sender = fromSockaddr(addressBytes);
    return count;
  }

  sendTo(
    data: Uint8Array,
    address: SocketAddress,
    recipient?: Recipient,
  ): number {
    const from = recipient instanceof PacketInfo ? recipient : undefined;
    const { waiting } = this.owner;
    const sockaddr = this.#sockaddrOf(address);
    if (
      this.#batches !== undefined && !this.closed &&
      (!waiting || from !== undefined)
    ) {
      const { sending } = this.#batches;
      if (sending.add(this, data, { address, sockaddr, from })) {
        if (waiting) sending.flush();
        return data.length;
      }
      sending.flush();
    }
    return this.#send(data, sockaddr);
  }

  sendAlone(data: Uint8Array, address: SocketAddress): number {
    if (!this.closed) this.#batches?.sending.flush();
    return this.#send(data, this.#sockaddrOf(address));
  }

  /** As this socket takes it. */
  #sockaddrOf(address: SocketAddress): Uint8Array {
    const sockaddr = toSockaddr(address);
    return this.#mapped && address.family === 4
      ? mapSockaddr(sockaddr)
      : sockaddr;
  }

  #send(data: Uint8Array, sockaddr: Uint8Array): number {
    const count = this.owner.libc.symbols.sendto(
      this.descriptor,
      data as Uint8Array<ArrayBuffer>,
      data.length,
      MSG_NOSIGNAL,
      sockaddr as Uint8Array<ArrayBuffer>,
      sockaddr.length,
    );
    return count >= 0 ? count : this.fail();
  }
}

const mappedBytes = new Uint8Array(SOCKADDR_LENGTH);
mappedBytes.fill(0xff, 18, 20);

/** An IPv4 sockaddr as the IPv4-mapped one that an IPv6 socket takes. */
function mapSockaddr(v4: Uint8Array): Uint8Array {
  mappedBytes[0] = AF_INET6;
  mappedBytes[2] = v4[2]!;
  mappedBytes[3] = v4[3]!;
  mappedBytes.set(v4.subarray(4, 8), 20);
  return mappedBytes;
}
