/**
 * For the tests of this folder: a poller without a network. Its clock jumps
 * to the next thing that happens, so that no test sleeps.
 *
 * @module
 */

import {
  type DatagramSocket,
  FAILED,
  type FakeClock,
  type ListenerSocket,
  POLL_ERR,
  POLL_IN,
  POLL_OUT,
  type Poller,
  type Socket,
  SocketAddress,
  SocketError,
  type StreamSocket,
  WOULD_BLOCK,
} from "../loop/mod.ts";

/** Sends a datagram back after `delay` ms; `from` forges the sender. */
export type Reply = (
  data: Uint8Array,
  options?: { readonly delay?: number; readonly from?: SocketAddress },
) => void;

/** What stands on the other side of the fake network. */
export interface FakePeers {
  /** Gets every datagram. */
  onDatagram(query: Uint8Array, server: SocketAddress, reply: Reply): void;
  /**
   * Gets every whole message sent over TCP, and gives the pieces to send
   * back; undefined refuses the connection. Absent: all are refused.
   */
  onTcp?(query: Uint8Array, server: SocketAddress): readonly Uint8Array[];
}

interface Happening {
  readonly due: number;
  readonly happen: () => void;
}

/** Virtual milliseconds after which a test is taken to hang. */
const LONGEST_TEST = 1_000_000;

const ANY = new SocketAddress(new Uint8Array(4), 0);

/** The poller. */
export class FakeNet implements Poller {
  readonly name = "deno";
  readonly blocking = false;
  readonly readyFds = new Int32Array(256);
  readonly readyEvents = new Int32Array(256);
  /** Every UDP socket made so far. */
  readonly udpSockets: FakeUdp[] = [];
  /** Makes `bindUdp` fail, as without descriptors. */
  refuseBind = false;
  /** Says where `sendTo` fails, as without a route. */
  unreachable: (address: SocketAddress) => boolean = () => false;
  readonly clock: FakeClock;
  readonly peers: FakePeers;
  readonly #masks = new Map<Socket, number>();
  readonly #happenings: Happening[] = [];
  /** Index of the first one that has not happened. */
  #next = 0;
  #nextFd = 1;
  #woken = false;
  readonly #start: number;

  constructor(clock: FakeClock, peers: FakePeers) {
    this.clock = clock;
    this.peers = peers;
    this.#start = clock.now();
  }

  /** How many sockets are watched. */
  get watched(): number {
    return this.#masks.size;
  }

  after(milliseconds: number, happen: () => void): void {
    const due = this.clock.now() + milliseconds;
    let at = this.#happenings.length;
    while (at > this.#next && this.#happenings[at - 1]!.due > due) at--;
    this.#happenings.splice(at, 0, { due, happen });
  }

  listenTcp(): ListenerSocket {
    throw new SocketError("ENOTSUP", "Cannot listen: fake");
  }

  bindUdp(address: SocketAddress): DatagramSocket {
    if (this.refuseBind) throw new SocketError("EMFILE", "Cannot bind: fake");
    const socket = new FakeUdp(this, this.#nextFd++, address);
    this.udpSockets.push(socket);
    return socket;
  }

  turn(): Promise<void> {
    return Promise.resolve();
  }

  bindUnixDatagram(): never {
    throw new SocketError("ENOTSUP", "Cannot bind: fake");
  }

  connectTcp(address: SocketAddress): StreamSocket {
    return new FakeTcp(this, this.#nextFd++, address);
  }

  register(socket: Socket, mode: number): void {
    this.#masks.set(socket, mode);
  }

  modify(socket: Socket, mode: number): void {
    this.#masks.set(socket, mode);
  }

  unregister(socket: Socket): void {
    this.#masks.delete(socket);
  }

  poll(): number {
    let count = 0;
    for (const [socket, mask] of this.#masks) {
      const ready = (socket as FakeUdp | FakeTcp).ready();
      const events = ready & (mask | POLL_ERR);
      if (events === 0) continue;
      this.readyFds[count] = socket.fd;
      this.readyEvents[count++] = events;
    }
    return count;
  }

  async wait(timeout: number): Promise<number> {
    // Promises that are settled go first; they may call `wake`.
    for (let i = 0; i < 8; i++) await null;
    let count = this.poll();
    if (this.#woken) {
      this.#woken = false;
      return count;
    }
    const end = this.clock.now() + timeout;
    while (count === 0) {
      const next = this.#happenings[this.#next];
      if (next === undefined || next.due > end) {
        this.clock.advance(end - this.clock.now());
        break;
      }
      if (++this.#next > 1000) {
        this.#happenings.splice(0, this.#next);
        this.#next = 0;
      }
      this.clock.advance(Math.max(0, next.due - this.clock.now()));
      next.happen();
      count = this.poll();
    }
    if (this.clock.now() - this.#start > LONGEST_TEST) {
      throw new Error("Cannot go on: nothing ends this test");
    }
    return count;
  }

  wake(): void {
    this.#woken = true;
  }

  [Symbol.dispose](): void {}
}

abstract class FakeSocket {
  readonly net: FakeNet;
  readonly fd: number;
  closed = false;
  error = "";
  localAddress = ANY;

  constructor(net: FakeNet, fd: number) {
    this.net = net;
    this.fd = fd;
  }

  abstract ready(): number;

  takeError(): string {
    const { error } = this;
    this.error = "";
    return error;
  }

  close(): void {
    this.closed = true;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** A UDP socket. */
export class FakeUdp extends FakeSocket implements DatagramSocket {
  readonly kind = "datagram";
  sender = ANY;
  readonly #inbox: { data: Uint8Array; sender: SocketAddress }[] = [];

  constructor(net: FakeNet, fd: number, address: SocketAddress) {
    super(net, fd);
    this.localAddress = new SocketAddress(address.bytes, 40_000 + fd);
  }

  ready(): number {
    return (this.#inbox.length > 0 ? POLL_IN : 0) |
      (this.error === "" ? 0 : POLL_ERR);
  }

  recvFrom(buffer: Uint8Array): number {
    const datagram = this.#inbox.shift();
    if (datagram === undefined) return WOULD_BLOCK;
    this.sender = datagram.sender;
    const length = Math.min(buffer.length, datagram.data.length);
    buffer.set(datagram.data.subarray(0, length));
    return length;
  }

  sendTo(data: Uint8Array, address: SocketAddress): number {
    if (this.net.unreachable(address)) return FAILED;
    const copy = data.slice();
    this.net.after(0, () => {
      this.net.peers.onDatagram(copy, address, (answer, options = {}) => {
        const { delay = 0, from = address } = options;
        this.net.after(delay, () => {
          if (!this.closed) this.#inbox.push({ data: answer, sender: from });
        });
      });
    });
    return data.length;
  }
}

class FakeTcp extends FakeSocket implements StreamSocket {
  readonly kind = "stream";
  readonly remoteAddress: SocketAddress;
  #connected = false;
  #sent: number[] = [];
  #pieces: Uint8Array[] = [];
  #ended = false;

  constructor(net: FakeNet, fd: number, address: SocketAddress) {
    super(net, fd);
    this.remoteAddress = address;
    net.after(1, () => {
      if (net.peers.onTcp === undefined) this.error = "ECONNREFUSED";
      else this.#connected = true;
    });
  }

  ready(): number {
    if (this.error !== "") return POLL_ERR;
    const readable = this.#pieces.length > 0 || this.#ended;
    return (this.#connected ? POLL_OUT : 0) | (readable ? POLL_IN : 0);
  }

  recv(buffer: Uint8Array): number {
    const piece = this.#pieces.shift();
    if (piece === undefined) return this.#ended ? 0 : WOULD_BLOCK;
    const length = Math.min(buffer.length, piece.length);
    buffer.set(piece.subarray(0, length));
    if (length < piece.length) this.#pieces.unshift(piece.subarray(length));
    return length;
  }

  /** Takes 7 bytes at most, to show that the rest is sent later. */
  send(data: Uint8Array): number {
    const taken = data.subarray(0, 7);
    this.#sent.push(...taken);
    const length = this.#sent[0]! * 256 + (this.#sent[1] ?? 0);
    if (this.#sent.length === 2 + length) {
      const query = Uint8Array.from(this.#sent.slice(2));
      const pieces = this.net.peers.onTcp!(query, this.remoteAddress);
      pieces.forEach((piece, i) =>
        this.net.after(1 + i, () => this.#pieces.push(piece))
      );
      this.net.after(1 + pieces.length, () => this.#ended = true);
    }
    return taken.length;
  }

  shutdown(): void {}

  reset(): void {
    this.close();
  }
}
