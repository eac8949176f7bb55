/**
 * For tests: a poller without a network. It makes fake sockets and reports
 * what they are ready for.
 *
 * When nothing is ready, it calls `onIdle`. If there is no such function, it
 * moves its clock to the next thing that was planned by `after` or that the
 * loop waits for: virtual time passes, and no test sleeps.
 *
 * @module
 */

import { SocketAddress } from "./address.ts";
import type { FakeClock } from "./_fake_clock.ts";
import { DescriptorBudget } from "./descriptors.ts";
import { POLL_ALWAYS } from "./events.ts";
import { FakeDatagram } from "./_fake_datagram.ts";
import { FakeListener } from "./_fake_listener.ts";
import { FakeStream } from "./_fake_stream.ts";
import type {
  BindOptions,
  ConnectOptions,
  ListenOptions,
  Poller,
} from "./poller.ts";
import { type Socket, SocketError } from "./socket.ts";

/** Any fake socket. */
type AnyFake = FakeListener | FakeStream | FakeDatagram;

/** Something planned for a moment of the clock. */
interface Happening {
  readonly due: number;
  readonly happen: () => void;
}

/** Options of {@linkcode FakePoller}. */
export interface FakePollerOptions {
  /** The clock of the loop, to be moved to what happens next. */
  readonly clock?: FakeClock;
  /** Whether the loop shall believe that `poll` may block. Default false. */
  readonly blocking?: boolean;
  /** The descriptors that its sockets may have; fakes count none as open. */
  readonly budget?: DescriptorBudget;
}

/**
 * Polls after which the loop is taken to spin: far more than any test needs
 * between two calls of `begin` or two steps of the clock.
 */
const SPINNING = 20_000;
/** Virtual milliseconds after which a test is taken to hang. */
const LONGEST_TEST = 1_000_000;
/** Most sockets reported by one poll. */
const MAX_EVENTS = 8192;
/** Happenings after which the past ones are dropped, all in one step. */
const FORGET_EVERY = 1000;
/** Turns of the microtask queue in a `wait`: a chain of as many promises. */
const PROMISE_TURNS = 8;
/** The first port given where the system would choose one. */
const FIRST_PORT = 20_001;
/** The last such port; then they begin anew. */
const LAST_PORT = 60_000;

/** Makes the fakes and reports what they are ready for. */
export class FakePoller implements Poller {
  /** The name of a poller that never blocks. */
  readonly name = "deno";
  /** Whether `poll` may block, as far as the loop knows. */
  readonly blocking: boolean;
  /** The descriptors that its sockets may have. */
  readonly budget: DescriptorBudget;
  /** The address of a fake is free at once. */
  readonly closesAtOnce = true;
  /** Whether connections can be reset; the test may set it. */
  resets = true;
  /** Fakes know of no other sockets of their port. */
  readonly sharesUdpPorts = false;
  /** The fakes know of no families. */
  readonly splitsFamilies = true;
  /** Descriptors of the last batch. */
  readonly readyFds: Int32Array = new Int32Array(MAX_EVENTS);
  /** Masks of the last batch. */
  readonly readyEvents: Int32Array = new Int32Array(MAX_EVENTS);
  /** Listeners made, the first made first. */
  readonly listeners: FakeListener[] = [];
  /** Connects begun, the first begun first. */
  readonly connects: FakeStream[] = [];
  /** UDP sockets made, the first made first. */
  readonly datagrams: FakeDatagram[] = [];
  /** Errno names that the next calls of `listenTcp` throw, one by one. */
  readonly listenErrors: string[] = [];
  /** Errno names that the next calls of `connectTcp` throw, one by one. */
  readonly connectErrors: string[] = [];
  /** Errno names that the next calls of `bindUdp` throw, one by one. */
  readonly bindErrors: string[] = [];
  /**
   * Bytes that the SYN of a connect takes with it; undefined: the system has
   * no TCP fast open.
   */
  fastOpenRoom: number | undefined;
  /**
   * Called with each connect before `connectTcp` returns, so that the test may
   * establish it at once (as on loopback), let it fail, or plan either; may
   * throw a `SocketError`.
   */
  onConnect: ((stream: FakeStream) => void) | undefined;
  /** Called with each UDP socket before `bindUdp` returns; may throw too. */
  onBind: ((socket: FakeDatagram) => void) | undefined;
  /** Called when nothing is ready; undefined: the clock moves instead. */
  onIdle: (() => void) | undefined;
  readonly #masks = new Map<Socket, number>();
  readonly #clock: FakeClock | undefined;
  readonly #start: number;
  /** What `after` has planned, by its moment. */
  readonly #happenings: Happening[] = [];
  /** Index of the first that has not happened. */
  #next = 0;
  #nextFd = 3;
  #nextPort = FIRST_PORT;
  #polls = 0;
  #woken = false;

  /**
   * Makes a poller without sockets.
   *
   * @param options The clock it moves, if any.
   */
  constructor(options: FakePollerOptions = {}) {
    this.#clock = options.clock;
    this.#start = options.clock?.now() ?? 0;
    this.blocking = options.blocking ?? false;
    this.budget = options.budget ?? new DescriptorBudget();
  }

  /** How many sockets are watched. */
  get watched(): number {
    return this.#masks.size;
  }

  /** Descriptors of all sockets that are open. */
  get open(): number[] {
    return [...this.listeners, ...this.connects, ...this.datagrams]
      .filter((socket) => !socket.closed).map(({ fd }) => fd);
  }

  /**
   * Tells what a socket is watched for.
   *
   * @param socket Made by this poller.
   * @returns Its mask; undefined: it is not watched.
   */
  maskOf(socket: Socket): number | undefined {
    return this.#masks.get(socket);
  }

  /**
   * Plans something for a later moment of the clock.
   *
   * @param milliseconds From now.
   * @param happen Called then; what is due together goes in its order.
   * @throws {Error} If the poller was made without a clock.
   */
  after(milliseconds: number, happen: () => void): void {
    if (this.#clock === undefined) {
      throw new Error("Cannot plan: this poller has no clock");
    }
    const due = this.#clock.now() + milliseconds;
    let at = this.#happenings.length;
    while (at > this.#next && this.#happenings[at - 1]!.due > due) at--;
    this.#happenings.splice(at, 0, { due, happen });
  }

  /**
   * Makes a connection that belongs to no listener and to no connect.
   *
   * @param remoteAddress The other end.
   * @param connected Whether it exists already.
   * @returns The connection.
   */
  stream(remoteAddress: SocketAddress, connected: boolean): FakeStream {
    return new FakeStream(this.#nextFd++, {
      localAddress: this.#freshAddress(),
      remoteAddress,
      connected,
    });
  }

  /**
   * Makes a listener.
   *
   * @param address Port 0 becomes a port of its own.
   * @param options Kept in `asked` of the listener.
   * @returns The listener.
   * @throws {SocketError} As `listenErrors` says.
   */
  listenTcp(
    address: SocketAddress,
    options: ListenOptions = {},
  ): FakeListener {
    throwNext(this.listenErrors, `listen on ${address}`);
    const listener = new FakeListener(this.#nextFd++, {
      localAddress: this.#bound(address),
      asked: options,
      accepted: (host) => this.stream(this.#freshAddress(host), true),
    });
    this.listeners.push(listener);
    return listener;
  }

  /**
   * Begins a connect, which the test has to establish or let fail.
   *
   * @param address The other end.
   * @param options First data for TCP fast open.
   * @returns The connection.
   * @throws {SocketError} As `connectErrors` says.
   */
  connectTcp(
    address: SocketAddress,
    options: ConnectOptions = {},
  ): FakeStream {
    throwNext(this.connectErrors, `connect to ${address}`);
    const { fastOpenData } = options;
    const stream = new FakeStream(this.#nextFd++, {
      localAddress: this.#freshAddress(),
      remoteAddress: address,
      connected: false,
      fastOpenData,
      fastOpenTaken: fastOpenData === undefined ||
          this.fastOpenRoom === undefined
        ? undefined
        : Math.min(this.fastOpenRoom, fastOpenData.length),
    });
    this.onConnect?.(stream);
    this.connects.push(stream);
    return stream;
  }

  /**
   * Makes a UDP socket.
   *
   * @param address Port 0 becomes a port of its own.
   * @param options Kept in `asked` of the socket.
   * @returns The socket.
   * @throws {SocketError} As `bindErrors` says.
   */
  bindUdp(address: SocketAddress, options: BindOptions = {}): FakeDatagram {
    throwNext(this.bindErrors, `bind ${address}`);
    const socket = new FakeDatagram(this.#nextFd++, {
      localAddress: this.#bound(address),
      asked: options,
    });
    this.onBind?.(socket);
    this.datagrams.push(socket);
    return socket;
  }

  /**
   * Refuses: the fakes have no unix sockets.
   *
   * @param path Where it would be bound.
   * @throws {SocketError} Always: `ENOTSUP`.
   */
  bindUnixDatagram(path: string): never {
    throw new SocketError("ENOTSUP", `Cannot bind ${path}: ENOTSUP`);
  }

  /**
   * Watches a socket.
   *
   * @param socket Made by this poller.
   * @param mode The mask.
   * @throws {Error} If it is closed or watched: the code under test is wrong.
   */
  register(socket: Socket, mode: number): void {
    if (socket.closed) throw new Error("register of a closed socket");
    if (this.#masks.has(socket)) throw new Error("registered twice");
    this.#masks.set(socket, mode);
  }

  /**
   * Replaces the mask of a socket.
   *
   * @param socket A watched one.
   * @param mode The mask.
   * @throws {Error} If it is not watched: the code under test is wrong.
   */
  modify(socket: Socket, mode: number): void {
    if (!this.#masks.has(socket)) throw new Error("modify of a stranger");
    this.#masks.set(socket, mode);
  }

  /**
   * Watches a socket no longer.
   *
   * @param socket A watched one.
   * @throws {Error} If it is closed, or not watched: the code under test is
   * wrong.
   */
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

  /**
   * Collects what the watched sockets are ready for.
   *
   * @returns How many are.
   * @throws {Error} If the loop spins.
   */
  poll(): number {
    if (++this.#polls > SPINNING) throw new Error("the loop spins");
    return this.#collect();
  }

  /**
   * Lets settled promises go on; then, if still nothing is ready, moves the
   * clock, or calls `onIdle`.
   *
   * @param timeout Longest virtual wait in milliseconds.
   * @returns How many sockets are ready.
   * @throws {Error} If nothing ends the test.
   */
  async wait(timeout: number): Promise<number> {
    for (let i = 0; i < PROMISE_TURNS; i++) await null;
    const clock = this.#clock;
    while (clock !== undefined && this.#happen(clock.now()));
    const count = this.#collect();
    const woken = this.#woken;
    this.#woken = false;
    if (count > 0 || woken) return count;
    if (this.onIdle !== undefined) this.onIdle();
    else if (clock !== undefined) return this.#pass(clock, timeout);
    return 0;
  }

  /**
   * Gives promises a turn.
   *
   * @returns Settles at once.
   */
  turn(): Promise<void> {
    return Promise.resolve();
  }

  /** Ends a wait under way, or the next one. */
  wake(): void {
    this.#woken = true;
  }

  /** Does nothing: there is nothing to free. */
  [Symbol.dispose](): void {}

  /** Moves the clock until something is ready, for `timeout` at the most. */
  #pass(clock: FakeClock, timeout: number): number {
    const end = clock.now() + timeout;
    let count = 0;
    while (count === 0) {
      const due = this.#happenings[this.#next]?.due ?? Infinity;
      this.#advance(clock, Math.min(due, end));
      if (!this.#happen(end)) break;
      count = this.#collect();
    }
    if (clock.now() - this.#start > LONGEST_TEST) {
      throw new Error("Cannot go on: nothing ends this test");
    }
    return count;
  }

  /** @returns Whether something was due at `moment`; it has happened now. */
  #happen(moment: number): boolean {
    const next = this.#happenings[this.#next];
    if (next === undefined || next.due > moment) return false;
    if (++this.#next === FORGET_EVERY) {
      this.#happenings.splice(0, this.#next);
      this.#next = 0;
    }
    next.happen();
    return true;
  }

  #advance(clock: FakeClock, moment: number): void {
    const milliseconds = moment - clock.now();
    if (milliseconds <= 0) return;
    this.#polls = 0;
    clock.advance(milliseconds);
  }

  #collect(): number {
    let count = 0;
    for (const [socket, mask] of this.#masks) {
      const ready = (socket as AnyFake).ready() & (mask | POLL_ALWAYS);
      if (ready === 0) continue;
      this.readyFds[count] = socket.fd;
      this.readyEvents[count++] = ready;
    }
    return count;
  }

  #bound(address: SocketAddress): SocketAddress {
    return address.port === 0
      ? new SocketAddress(address.bytes, this.#freshPort())
      : address;
  }

  #freshAddress(host = "127.0.0.1"): SocketAddress {
    return SocketAddress.parse(host, this.#freshPort());
  }

  #freshPort(): number {
    const port = this.#nextPort;
    this.#nextPort = port === LAST_PORT ? FIRST_PORT : port + 1;
    return port;
  }
}

/** Throws the next error of a list that the test has filled. */
function throwNext(codes: string[], action: string): void {
  const code = codes.shift();
  if (code === undefined) return;
  throw new SocketError(code, `Cannot ${action}: ${code}`);
}
