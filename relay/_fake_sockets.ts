/**
 * For tests: sockets without a network, and the poller that makes them. A
 * test puts in what the network would bring and looks at what was sent.
 *
 * @module
 */

import {
  type DatagramSocket,
  FAILED,
  type ListenerSocket,
  POLL_ERR,
  POLL_HUP,
  POLL_IN,
  POLL_OUT,
  type Poller,
  type Socket,
  SocketAddress,
  SocketError,
  type StreamSocket,
  WOULD_BLOCK,
} from "../loop/mod.ts";

/** Polls in one run of the loop after which it is taken to spin. */
const SPINNING = 20_000;

const ALWAYS_REPORTED = POLL_ERR | POLL_HUP;

let nextPort = 20_000;

/** An address of its own for each fake socket. */
function freshAddress(host: string): SocketAddress {
  if (++nextPort > 60_000) nextPort = 20_001;
  return SocketAddress.parse(host, nextPort);
}

/** What the three kinds share. */
abstract class FakeSocket implements Socket {
  abstract readonly kind: "listener" | "stream" | "datagram";
  /** As of the fakes made so far, never reused. */
  readonly fd: number;
  closed = false;
  error = "";
  localAddress: SocketAddress;

  constructor(fd: number, localAddress: SocketAddress) {
    this.fd = fd;
    this.localAddress = localAddress;
  }

  /** What the system would report for it. */
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

/** A connection; the test is its other end. */
export class FakeStream extends FakeSocket implements StreamSocket {
  readonly kind = "stream";
  readonly remoteAddress: SocketAddress;
  /** Bytes that `send` still takes. */
  room = Infinity;
  /** What each `send` has taken. */
  readonly sends: Uint8Array[] = [];
  /** Whether FIN was sent. */
  shutdowns = 0;
  /** Whether it was reset. */
  wasReset = false;
  /** Calls of `recv`. */
  reads = 0;
  /** Called after each read; for what happens in the middle of an event. */
  onRecv: (() => void) | undefined;
  #connected: boolean;
  #inbox: Uint8Array[] = [];
  #ended = false;
  #failure = "";

  constructor(fd: number, options: {
    readonly remoteAddress: SocketAddress;
    readonly connected: boolean;
  }) {
    super(fd, freshAddress("127.0.0.1"));
    this.remoteAddress = options.remoteAddress;
    this.#connected = options.connected;
  }

  /** All that was sent, in one piece. */
  get sent(): Uint8Array {
    return concat(...this.sends);
  }

  /** Brings bytes from the other end. */
  bring(...pieces: Uint8Array[]): void {
    this.#inbox.push(...pieces.map((piece) => piece.slice()));
  }

  /** Brings the end of the other end. */
  end(): void {
    this.#ended = true;
  }

  /** The connection fails, or could not be made. */
  fail(code: string): void {
    this.#failure = this.error = code;
  }

  /** The connection is made. */
  establish(): void {
    this.#connected = true;
  }

  ready(): number {
    if (this.#failure !== "") return POLL_IN | POLL_OUT | POLL_ERR | POLL_HUP;
    if (!this.#connected) return 0;
    return (this.#inbox.length > 0 || this.#ended ? POLL_IN : 0) |
      (this.room > 0 ? POLL_OUT : 0) |
      (this.#ended && this.shutdowns > 0 ? POLL_HUP : 0);
  }

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

  send(data: Uint8Array, end: number = data.length): number {
    if (this.closed) throw new Error("send on a closed socket");
    if (this.shutdowns > 0) throw new Error("send after shutdown");
    if (this.#failure !== "") return this.#refuse();
    const taken = data.slice(0, Math.min(this.room, end));
    if (taken.length === 0 && end > 0) return WOULD_BLOCK;
    this.room -= taken.length;
    this.sends.push(taken);
    return taken.length;
  }

  shutdown(): void {
    this.shutdowns++;
  }

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

/** A listener; `arrive` is the client's connect. */
export class FakeListener extends FakeSocket implements ListenerSocket {
  readonly kind = "listener";
  /** Error of the next `accept`s, until it is `""`. */
  acceptError = "";
  /** Set: the socket reports POLL_ERR. */
  broken = false;
  readonly #poller: FakePoller;
  readonly #queue: FakeStream[] = [];

  constructor(poller: FakePoller, fd: number, address: SocketAddress) {
    super(
      fd,
      address.port === 0
        ? new SocketAddress(address.bytes, freshAddress("127.0.0.1").port)
        : address,
    );
    this.#poller = poller;
  }

  /** Connections that nobody has accepted yet. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** A client connects. */
  arrive(host = "127.0.0.1"): FakeStream {
    const stream = this.#poller.stream(freshAddress(host), true);
    this.#queue.push(stream);
    return stream;
  }

  ready(): number {
    return (this.#queue.length > 0 ? POLL_IN : 0) |
      (this.broken ? POLL_ERR : 0);
  }

  accept(): StreamSocket | undefined {
    this.error = this.acceptError;
    if (this.acceptError !== "") return undefined;
    return this.#queue.shift();
  }
}

/** A UDP socket; the test is everybody else. */
export class FakeDatagram extends FakeSocket implements DatagramSocket {
  readonly kind = "datagram";
  sender: SocketAddress = freshAddress("127.0.0.1");
  /** What was sent, and where to. */
  readonly sends: { readonly data: Uint8Array; readonly to: SocketAddress }[] =
    [];
  readonly #inbox: {
    readonly data: Uint8Array;
    readonly from: SocketAddress;
  }[] = [];

  /** Brings a datagram. */
  bring(data: Uint8Array, from: SocketAddress): void {
    this.#inbox.push({ data: data.slice(), from });
  }

  ready(): number {
    return (this.#inbox.length > 0 ? POLL_IN : 0) |
      (this.error === "" ? 0 : POLL_ERR);
  }

  recvFrom(buffer: Uint8Array): number {
    const datagram = this.#inbox.shift();
    if (datagram === undefined) return WOULD_BLOCK;
    this.sender = datagram.from;
    const length = Math.min(buffer.length, datagram.data.length);
    buffer.set(datagram.data.subarray(0, length));
    return length;
  }

  sendTo(data: Uint8Array, to: SocketAddress): number {
    if (this.closed) throw new Error("sendTo on a closed socket");
    this.sends.push({ data: data.slice(), to });
    return data.length;
  }
}

/** Makes the fakes and reports what they are ready for. */
export class FakePoller implements Poller {
  readonly name = "deno";
  readonly blocking = false;
  readonly readyFds = new Int32Array(8192);
  readonly readyEvents = new Int32Array(8192);
  /** Listeners made, the first made first. */
  readonly listeners: FakeListener[] = [];
  /** Connects begun, the first begun first. */
  readonly connects: FakeStream[] = [];
  /** UDP sockets made, the first made first. */
  readonly datagrams: FakeDatagram[] = [];
  /** What the next calls of `connectTcp` throw, one after the other. */
  readonly connectErrors: string[] = [];
  /** What the next calls of `bindUdp` throw, one after the other. */
  readonly bindErrors: string[] = [];
  /** Called when nothing is ready. */
  onIdle: () => void = () => {};
  readonly #masks = new Map<Socket, number>();
  #nextFd = 3;
  #polls = 0;

  /** How many sockets are watched. */
  get watched(): number {
    return this.#masks.size;
  }

  /** The mask a socket is watched with; undefined: it is not. */
  maskOf(socket: Socket): number | undefined {
    return this.#masks.get(socket);
  }

  /** Makes a connection. */
  stream(remoteAddress: SocketAddress, connected: boolean): FakeStream {
    return new FakeStream(this.#nextFd++, { remoteAddress, connected });
  }

  listenTcp(address: SocketAddress): FakeListener {
    const listener = new FakeListener(this, this.#nextFd++, address);
    this.listeners.push(listener);
    return listener;
  }

  connectTcp(address: SocketAddress): FakeStream {
    const code = this.connectErrors.shift();
    if (code !== undefined) {
      throw new SocketError(code, `Cannot connect to ${address}: ${code}`);
    }
    const stream = this.stream(address, false);
    this.connects.push(stream);
    return stream;
  }

  bindUdp(address: SocketAddress): FakeDatagram {
    const code = this.bindErrors.shift();
    if (code !== undefined) {
      throw new SocketError(code, `Cannot bind ${address}: ${code}`);
    }
    const bound = address.port !== 0
      ? address
      : new SocketAddress(address.bytes, freshAddress("127.0.0.1").port);
    const socket = new FakeDatagram(this.#nextFd++, bound);
    this.datagrams.push(socket);
    return socket;
  }

  turn(): Promise<void> {
    return Promise.resolve();
  }

  bindUnixDatagram(path: string): never {
    throw new SocketError("ENOTSUP", `Cannot bind ${path}: ENOTSUP`);
  }

  register(socket: Socket, mode: number): void {
    if (socket.closed) throw new Error("register of a closed socket");
    if (this.#masks.has(socket)) throw new Error("registered twice");
    this.#masks.set(socket, mode);
  }

  modify(socket: Socket, mode: number): void {
    if (!this.#masks.has(socket)) throw new Error("modify of a stranger");
    this.#masks.set(socket, mode);
  }

  unregister(socket: Socket): void {
    if (socket.closed) throw new Error("closed before it was unregistered");
    if (!this.#masks.delete(socket)) {
      throw new Error("unregister of a stranger");
    }
  }

  /** Begins to count polls anew. */
  begin(): void {
    this.#polls = 0;
  }

  poll(): number {
    if (++this.#polls > SPINNING) throw new Error("the loop spins");
    let count = 0;
    for (const [socket, mask] of this.#masks) {
      const ready = (socket as FakeStream | FakeListener | FakeDatagram)
        .ready() & (mask | ALWAYS_REPORTED);
      if (ready === 0) continue;
      this.readyFds[count] = socket.fd;
      this.readyEvents[count++] = ready;
    }
    return count;
  }

  wait(): Promise<number> {
    this.onIdle();
    return Promise.resolve(0);
  }

  wake(): void {}

  [Symbol.dispose](): void {}
}

/** Several pieces as one. */
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
