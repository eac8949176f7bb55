/**
 * For tests: sockets without a network. The test is the other end of each: it
 * puts in what the network would bring, and looks at what was sent.
 *
 * @module
 */

import { type SocketAddress, UNSPECIFIED } from "./address.ts";
import { POLL_ERR, POLL_HUP, POLL_IN, POLL_OUT } from "./events.ts";
import type { BindOptions, ListenOptions } from "./poller.ts";
import {
  type DatagramSocket,
  FAILED,
  type ListenerSocket,
  type Socket,
  type StreamSocket,
  WOULD_BLOCK,
} from "./socket.ts";

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
   * The connection fails, or cannot be made.
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
    this.wasReset = true;
    this.close();
  }

  #recv(buffer: Uint8Array): number {
    if (this.#failure !== "") return this.#refuse();
    const piece = this.#inbox.shift();
    if (piece === undefined) return this.#ended ? 0 : WOULD_BLOCK;
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

/** What a {@linkcode FakeListener} is made of. */
export interface FakeListenerOptions {
  /** The address it is bound to. */
  readonly localAddress: SocketAddress;
  /** What `listenTcp` was asked for. */
  readonly asked: ListenOptions;
  /** Makes the connection of a client at `host`. */
  readonly accepted: (host: string) => FakeStream;
}

/** A listening socket; `arrive` is a client's connect. */
export class FakeListener extends FakeSocket implements ListenerSocket {
  /** It accepts connections. */
  readonly kind = "listener";
  /** What `listenTcp` was asked for. */
  readonly asked: ListenOptions;
  /** What every `accept` fails with, until it is `""` again. */
  acceptError = "";
  /** Set: the socket reports POLL_ERR. */
  broken = false;
  readonly #accepted: (host: string) => FakeStream;
  readonly #queue: FakeStream[] = [];

  /**
   * Makes the listener.
   *
   * @param fd Its descriptor.
   * @param options Its address, and the maker of connections.
   */
  constructor(fd: number, options: FakeListenerOptions) {
    super(fd, options.localAddress);
    this.asked = options.asked;
    this.#accepted = options.accepted;
  }

  /** Connections that nobody has accepted yet. */
  get waiting(): number {
    return this.#queue.length;
  }

  /**
   * A client connects.
   *
   * @param host The client's IP address.
   * @returns The connection that `accept` will return; the test is the client.
   */
  arrive(host = "127.0.0.1"): FakeStream {
    const stream = this.#accepted(host);
    this.#queue.push(stream);
    return stream;
  }

  /**
   * Tells what the system would report.
   *
   * @returns A mask of `POLL_*`.
   */
  ready(): number {
    return (this.#queue.length > 0 ? POLL_IN : 0) |
      (this.broken ? POLL_ERR : 0);
  }

  /**
   * Accepts the client that has waited longest.
   *
   * @returns The connection, or undefined; see `ListenerSocket.accept`.
   */
  accept(): StreamSocket | undefined {
    this.error = this.acceptError;
    return this.acceptError === "" ? this.#queue.shift() : undefined;
  }
}

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
}

/** A UDP socket; the test is everybody else. */
export class FakeDatagram extends FakeSocket implements DatagramSocket {
  /** It is a UDP socket. */
  readonly kind = "datagram";
  /** What `bindUdp` was asked for. */
  readonly asked: BindOptions;
  /** Who sent the datagram that was read last. */
  sender: SocketAddress;
  /** Datagrams that `sendTo` takes before it would block. */
  room: number = Infinity;
  /** What was sent, and where to. */
  readonly sends: { readonly data: Uint8Array; readonly to: SocketAddress }[] =
    [];
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
   */
  bring(data: Uint8Array, from: SocketAddress): void {
    this.#inbox.push({ data: data.slice(), address: from });
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
    const length = Math.min(buffer.length, packet.data.length);
    buffer.set(packet.data.subarray(0, length));
    return length;
  }

  /**
   * Takes a datagram.
   *
   * @param data What it carries.
   * @param to Who is to get it.
   * @returns As of `DatagramSocket.sendTo`.
   * @throws {Error} If the socket is closed: the code under test is wrong.
   */
  sendTo(data: Uint8Array, to: SocketAddress): number {
    if (this.closed) throw new Error("sendTo on a closed socket");
    if (this.room <= 0) return WOULD_BLOCK;
    const copy = data.slice();
    if (this.onSendTo?.(copy, to) === false) return FAILED;
    this.room--;
    this.sends.push({ data: copy, to });
    return data.length;
  }
}

/**
 * Puts several pieces together.
 *
 * @param pieces In their order.
 * @returns A new array.
 */
export function concat(...pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(
    pieces.reduce((sum, piece) => sum + piece.length, 0),
  );
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
