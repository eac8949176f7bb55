/**
 * For tests: a UDP socket without a network.
 *
 * @module
 */

import { type SocketAddress, UNSPECIFIED } from "./address.ts";
import { FakeSocket } from "./_fake_socket.ts";
import { POLL_ERR, POLL_IN, POLL_OUT } from "./events.ts";
import type { BindOptions } from "./poller.ts";
import {
  type DatagramSocket,
  FAILED,
  type Recipient,
  WOULD_BLOCK,
} from "./socket.ts";

/** What a {@linkcode FakeDatagram} is made of. */
export interface FakeDatagramOptions {
  /** The address it is bound to. */
  readonly localAddress: SocketAddress;
  /** What `bindUdp` was asked for. */
  readonly asked: BindOptions;
}

/** A datagram, and who has sent it or is to get it. */
export interface FakePacket {
  /** What the datagram carries. */
  readonly data: Uint8Array;
  /** The other end. */
  readonly address: SocketAddress;
  /** Where it was sent to, if the socket is told. */
  readonly recipient?: Recipient | undefined;
}

/** A UDP socket; the test is everybody else. */
export class FakeDatagram extends FakeSocket implements DatagramSocket {
  /** It is a UDP socket. */
  readonly kind = "datagram";
  /** What `bindUdp` was asked for. */
  readonly asked: BindOptions;
  /** Who sent the datagram that was read last. */
  sender: SocketAddress;
  /** Where that datagram was sent to. */
  recipient: Recipient | undefined = undefined;
  /** Datagrams that `sendTo` takes before it would block. */
  room: number = Infinity;
  /** What was sent, where to, and from where if that was said. */
  readonly sends: {
    readonly data: Uint8Array;
    readonly to: SocketAddress;
    readonly from?: Recipient;
  }[] = [];
  /** Tells the sender of the last `sendAlone` that it has failed. */
  onAloneFailed: ((data: Uint8Array) => void) | undefined;
  /** How many datagrams `sendAlone` was given. */
  alone = 0;
  /**
   * Called with a copy of each datagram; false: the system refuses to send it,
   * as without a route.
   */
  onSendTo: ((data: Uint8Array, to: SocketAddress) => boolean) | undefined;
  readonly #inbox: FakePacket[] = [];

  /**
   * Makes the socket.
   *
   * @param fd Its descriptor.
   * @param options Its address.
   */
  constructor(fd: number, options: FakeDatagramOptions) {
    super(fd, options.localAddress);
    this.asked = options.asked;
    this.sender = UNSPECIFIED;
  }

  /**
   * Brings a datagram.
   *
   * @param data Copied, so that the test may reuse it.
   * @param from Who has sent it.
   * @param recipient Where it was sent to; absent: the socket is not told.
   */
  bring(data: Uint8Array, from: SocketAddress, recipient?: Recipient): void {
    this.#inbox.push({ data: data.slice(), address: from, recipient });
  }

  /**
   * Tells what the system would report.
   *
   * @returns A mask of `POLL_*`.
   */
  ready(): number {
    return (this.#inbox.length > 0 ? POLL_IN : 0) |
      (this.room > 0 ? POLL_OUT : 0) |
      (this.error === "" ? 0 : POLL_ERR);
  }

  /**
   * Reads the datagram that has waited longest.
   *
   * @param buffer Takes it; what does not fit is cut off.
   * @returns As of `DatagramSocket.recvFrom`.
   * @throws {Error} If the socket is closed: the code under test is wrong.
   */
  recvFrom(buffer: Uint8Array): number {
    if (this.closed) throw new Error("recvFrom of a closed socket");
    const packet = this.#inbox.shift();
    if (packet === undefined) return WOULD_BLOCK;
    this.sender = packet.address;
    this.recipient = packet.recipient;
    const length = Math.min(buffer.length, packet.data.length);
    buffer.set(packet.data.subarray(0, length));
    return length;
  }

  /**
   * Takes a datagram, as `sendTo` does.
   *
   * @param data What it carries.
   * @param to Who is to get it.
   * @param onFailed Kept in `onAloneFailed`.
   * @returns As of `DatagramSocket.sendAlone`.
   */
  sendAlone(
    data: Uint8Array,
    to: SocketAddress,
    onFailed: (data: Uint8Array) => void,
  ): number {
    this.alone++;
    this.onAloneFailed = onFailed;
    return this.sendTo(data, to);
  }

  /**
   * Takes a datagram.
   *
   * @param data What it carries.
   * @param to Who is to get it.
   * @param from Which of our addresses it leaves from.
   * @returns As of `DatagramSocket.sendTo`.
   * @throws {Error} If the socket is closed: the code under test is wrong.
   */
  sendTo(data: Uint8Array, to: SocketAddress, from?: Recipient): number {
    if (this.closed) throw new Error("sendTo on a closed socket");
    if (this.room <= 0) return WOULD_BLOCK;
    const copy = data.slice();
    if (this.onSendTo?.(copy, to) === false) return FAILED;
    this.room--;
    this.sends.push({ data: copy, to, ...from === undefined ? {} : { from } });
    return data.length;
  }
}
