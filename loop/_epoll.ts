/**
 * The epoll poller: real descriptors and real readiness, for Linux on x86_64
 * and aarch64.
 *
 * Level-triggered. A change of a mask is noted and told to the kernel just
 * before the next wait, so that a socket whose mask goes there and back in one
 * turn, or that is closed, costs no system call.
 *
 * ```text
 * struct epoll_event   x86_64: events(4) data(8), packed, 12 bytes
 *                      other:  events(4) pad(4) data(8), 16 bytes
 * data                 descriptor(4) serial(4)
 * ```
 *
 * A descriptor alone does not tell whose an event is: its number may have gone
 * to a new socket since. That is so when the old one was closed while another
 * thread waited; and when another thread was starting a program, since the new
 * process has the descriptors until it runs the program, and epoll goes on
 * reporting a closed socket as long as anybody has it. So the serial number of
 * the socket goes with it.
 *
 * @module
 */

import type { SocketAddress } from "./address.ts";
import { DescriptorBudget } from "./descriptors.ts";
import { DenoTurns } from "./_deno_turn.ts";
import { FastOpen } from "./_epoll_fast_open.ts";
import { EINPROGRESS, EINTR, errnoName, type Libc, openLibc } from "./_libc.ts";
import { EpollDatagram } from "./_epoll_datagram.ts";
import {
  EpollListener,
  type EpollOwner,
  type EpollSocket,
  EpollStream,
  IPPROTO_TCP,
  setLinger,
  SOCKET_FLAGS,
  SOL_SOCKET,
} from "./_epoll_socket.ts";
import { AF_UNIX, EpollUnixDatagram, toSockaddrUn } from "./_epoll_unix.ts";
import { DatagramBatches } from "./_epoll_batch.ts";
import { AF_INET, AF_INET6, toSockaddr } from "./_sockaddr.ts";
import { bindPrivately } from "./_unix.ts";
import { POLL_ALWAYS, POLL_ERR, POLL_HUP, POLL_IN } from "./events.ts";
import { isLoopbackIp, isUnspecifiedIp } from "./ip.ts";
import type {
  BindOptions,
  ConnectOptions,
  ListenOptions,
  Poller,
} from "./poller.ts";
import {
  type DatagramSocket,
  type ListenerSocket,
  type Socket,
  SocketError,
  type StreamSocket,
} from "./socket.ts";
import type { UnixAddress } from "./unix.ts";

const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const TCP_NODELAY = 1;
const SO_REUSEADDR = 2;
const SO_REUSEPORT = 15;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EPOLL_CTL_MOD = 3;
const EPOLL_CLOEXEC = 0o2000000;
const EFD_FLAGS = 0o4000 | 0o2000000;
/** Length of the accept queue, as the Python shadowsocks asks for it. */
const DEFAULT_BACKLOG = 1024;
/**
 * Most events of one batch; the next one reports the others. A batch of 1024
 * takes some milliseconds, after which timers are looked at again.
 */
const MAX_EVENTS = 1024;
/**
 * So many waits in succession may fail: what is passing (memory that is short)
 * does not end the process, and what is not does not keep the thread for ever.
 */
const MAX_FAILED_WAITS = 1000;

/** Whether `struct epoll_event` is packed here. */
const PACKED = Deno.build.arch === "x86_64";
const EVENT_WORDS = PACKED ? 3 : 4;
const DATA_WORD = PACKED ? 1 : 2;

/** The poller over epoll(7). */
export class EpollPoller implements Poller, EpollOwner {
  readonly name = "epoll";
  readonly blocking = true;
  readonly closesAtOnce = true;
  readonly resets = true;
  readonly sharesUdpPorts = true;
  readonly splitsFamilies = true;
  readonly libc: Libc;
  readonly budget: DescriptorBudget;
  readonly readyFds = new Int32Array(MAX_EVENTS);
  readonly readyEvents = new Int32Array(MAX_EVENTS);
  readonly #epoll: number;
  readonly #waker: number;
  readonly #events = new Int32Array(MAX_EVENTS * EVENT_WORDS);
  readonly #event = new Int32Array(EVENT_WORDS);
  readonly #one = new BigUint64Array([1n]);
  /** The open sockets, by descriptor. */
  readonly #sockets: (EpollSocket | undefined)[] = [];
  /** Of the last socket made; an int32, which goes round. */
  #serial = 0;
  /** Sockets whose mask the kernel has to be told before the next wait. */
  #changes: EpollSocket[] = [];
  /** Sockets with an error of which the kernel has no event. */
  readonly #failed: EpollSocket[] = [];
  /** How many waits have failed since the last that did not. */
  #failedWaits = 0;
  readonly #fastOpen: FastOpen;
  #batches: DatagramBatches | undefined;
  readonly #turns = new DenoTurns();
  waiting = false;
  #closed = false;

  /**
   * Makes a poller without sockets.
   *
   * @param libc The system's calls.
   * @param budget The descriptors that its sockets may have.
   * @throws {Error} If FFI is denied, this is not Linux, or no descriptor is
   * to be had.
   */
  constructor(
    libc: Libc = openLibc(),
    budget: DescriptorBudget = new DescriptorBudget(),
  ) {
    this.libc = libc;
    this.budget = budget;
    this.#fastOpen = new FastOpen(libc);
    this.#epoll = libc.symbols.epoll_create1(EPOLL_CLOEXEC);
    if (this.#epoll < 0) throw this.#error("make epoll descriptor");
    this.#waker = libc.symbols.eventfd(0, EFD_FLAGS);
    if (this.#waker < 0) {
      libc.symbols.close(this.#epoll);
      throw this.#error("make eventfd");
    }
    const waker = { fd: this.#waker, serial: 0 };
    if (!this.#control(EPOLL_CTL_ADD, waker, POLL_IN)) {
      const error = this.#error("watch eventfd");
      libc.symbols.close(this.#waker);
      libc.symbols.close(this.#epoll);
      throw error;
    }
  }

  listenTcp(
    address: SocketAddress,
    options: ListenOptions = {},
  ): ListenerSocket {
    const listener = new EpollListener(
      this,
      this.#socket(address, SOCK_STREAM),
    );
    try {
      listener.setOption(SOL_SOCKET, SO_REUSEADDR);
      if (options.reusePort) listener.setOption(SOL_SOCKET, SO_REUSEPORT);
      if (options.ipv6Only) listener.setOption(IPPROTO_IPV6, IPV6_V6ONLY);
      // Accepted connections inherit TCP_NODELAY and SO_LINGER.
      listener.setOption(IPPROTO_TCP, TCP_NODELAY);
      setLinger(listener, true);
      this.#bind(listener, address, "listen on");
      if (options.fastOpen) this.#fastOpen.listen(listener, options.fastOpen);
      const backlog = options.backlog ?? DEFAULT_BACKLOG;
      if (this.libc.symbols.listen(listener.fd, backlog) < 0) {
        throw this.#error(`listen on ${address}`);
      }
    } catch (error) {
      listener.close();
      throw error;
    }
    return listener;
  }

  connectTcp(
    address: SocketAddress,
    options: ConnectOptions = {},
  ): StreamSocket {
    const fd = this.#socket(address, SOCK_STREAM);
    const stream = new EpollStream(this, fd, address);
    stream.setOption(IPPROTO_TCP, TCP_NODELAY);
    setLinger(stream, true);
    const { fastOpenData } = options;
    if (
      fastOpenData !== undefined && this.#fastOpen.connect(stream, fastOpenData)
    ) {
      return stream;
    }
    const sockaddr = toSockaddr(address) as Uint8Array<ArrayBuffer>;
    const { symbols } = this.libc;
    if (symbols.connect(fd, sockaddr, sockaddr.length) < 0) {
      const errno = this.libc.errno();
      // A connect that fails at once is reported like one that fails later:
      // an unconnected stream socket answers epoll with POLL_OUT | POLL_HUP.
      if (errno !== EINPROGRESS) stream.error = errnoName(errno);
      // On loopback the handshake is over by now. To ask whether there is a
      // peer is one system call, and saves the two of epoll_ctl and an event.
      else if (isLoopbackIp(address.bytes)) {
        stream.connected = stream.hasPeer();
      }
    }
    return stream;
  }

  bindUdp(address: SocketAddress, options: BindOptions = {}): DatagramSocket {
    const tellsRecipient = options.tellsRecipient === true &&
      isUnspecifiedIp(address.bytes);
    const datagram = new EpollDatagram(
      this,
      this.#socket(address, SOCK_DGRAM),
      {
        bound: address,
        batches: options.batch || tellsRecipient
          ? this.#batches ??= new DatagramBatches(this.libc)
          : undefined,
        tellsRecipient,
      },
    );
    try {
      if (tellsRecipient) datagram.askForRecipients();
      if (options.reusePort) datagram.setOption(SOL_SOCKET, SO_REUSEPORT);
      if (options.ipv6Only) datagram.setOption(IPPROTO_IPV6, IPV6_V6ONLY);
      this.#bind(datagram, address, "bind UDP socket to");
    } catch (error) {
      datagram.close();
      throw error;
    }
    return datagram;
  }

  bindUnixDatagram(path: string): DatagramSocket<UnixAddress> {
    const sockaddr = toSockaddrUn(path);
    const { symbols } = this.libc;
    const fd = symbols.socket(AF_UNIX, SOCK_DGRAM | SOCKET_FLAGS, 0);
    if (fd < 0) throw this.#error(`make socket for ${path}`);
    const datagram = new EpollUnixDatagram(this, fd);
    try {
      bindPrivately(() => {
        if (symbols.bind(fd, sockaddr, sockaddr.length) < 0) {
          throw this.#error(`bind unix socket to ${path}`);
        }
      });
    } catch (error) {
      datagram.close();
      throw error;
    }
    datagram.bound(path);
    return datagram;
  }

  register(socket: Socket, mode: number): void {
    this.#change(socket as EpollSocket, mode);
  }

  modify(socket: Socket, mode: number): void {
    this.#change(socket as EpollSocket, mode);
  }

  unregister(socket: Socket): void {
    this.#change(socket as EpollSocket, -1);
  }

  poll(timeout: number): number {
    this.#applyChanges();
    this.#batches?.sending.flush();
    const { symbols } = this.libc;
    const count = symbols.epoll_wait(
      this.#epoll,
      this.#events,
      MAX_EVENTS,
      this.#hasOwnEvents() ? 0 : timeout,
    );
    if (count >= 0) {
      this.#failedWaits = 0;
      return this.#collect(count);
    }
    if (
      this.libc.errno() === EINTR || ++this.#failedWaits < MAX_FAILED_WAITS
    ) return this.#collect(0);
    throw this.#error("wait for events");
  }

  async wait(timeout: number): Promise<number> {
    this.#applyChanges();
    if (this.#hasOwnEvents()) return this.poll(0);
    this.#batches?.sending.flush();
    this.waiting = true;
    let count: number;
    try {
      count = await this.libc.symbols.epoll_wait_async(
        this.#epoll,
        this.#events,
        MAX_EVENTS,
        timeout,
      );
    } finally {
      this.waiting = false;
    }
    // errno belongs to the thread that waited: ask again on this thread.
    return count >= 0 ? this.#collect(count) : this.poll(0);
  }

  turn(): Promise<void> {
    return this.#turns.take();
  }

  wake(): void {
    if (this.waiting) this.libc.symbols.write(this.#waker, this.#one, 8);
  }

  onOpen(socket: EpollSocket): void {
    socket.serial = this.#serial = (this.#serial + 1) | 0;
    this.#sockets[socket.fd] = socket;
    this.budget.open++;
  }

  onClose(socket: EpollSocket): void {
    this.#sockets[socket.fd] = undefined;
    this.budget.open--;
    // Closing the descriptor takes it out of epoll, now or before long.
    socket.wanted = socket.registered = -1;
  }

  onFailure(socket: EpollSocket): void {
    socket.error = errnoName(this.libc.errno());
    this.#failed.push(socket);
    this.wake();
  }

  /** Closes every socket and the descriptors of the poller. */
  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#turns[Symbol.dispose]();
    for (const socket of this.#sockets) socket?.close();
    this.libc.symbols.close(this.#waker);
    this.libc.symbols.close(this.#epoll);
  }

  #change(socket: EpollSocket, mode: number): void {
    if (socket.closed) return;
    socket.wanted = mode;
    if (this.waiting) this.#apply(socket);
    else this.#note(socket);
  }

  /** The kernel is to be told of the socket's mask before the next wait. */
  #note(socket: EpollSocket): void {
    if (socket.dirty) return;
    socket.dirty = true;
    this.#changes.push(socket);
  }

  #applyChanges(): void {
    const changes = this.#changes;
    if (changes.length === 0) return;
    for (const socket of changes) {
      socket.dirty = false;
      if (!socket.closed) this.#apply(socket);
    }
    changes.length = 0;
  }

  #apply(socket: EpollSocket): void {
    const { wanted, registered } = socket;
    if (wanted === registered) return;
    // The kernel is told of a mask that only shrinks once an event comes that
    // the mask does not ask for; most often the mask grows again before that.
    const shrinks = wanted >= 0 && registered >= 0 &&
      (wanted & ~registered) === 0;
    if (shrinks && !socket.unwanted) return;
    socket.unwanted = false;
    const operation = registered < 0
      ? EPOLL_CTL_ADD
      : wanted < 0
      ? EPOLL_CTL_DEL
      : EPOLL_CTL_MOD;
    if (this.#control(operation, socket, Math.max(wanted, 0))) {
      socket.registered = wanted;
      return;
    }
    // Such as for `fs.epoll.max_user_watches`: the socket would never hear of
    // its bytes. Nobody waits for one that is to be watched no longer.
    if (wanted >= 0) this.onFailure(socket);
  }

  /** @returns Whether the kernel has taken it; else see errno. */
  #control(
    operation: number,
    { fd, serial }: { readonly fd: number; readonly serial: number },
    mask: number,
  ): boolean {
    this.#event[0] = mask;
    this.#event[DATA_WORD] = fd;
    this.#event[DATA_WORD + 1] = serial;
    const { symbols } = this.libc;
    return symbols.epoll_ctl(this.#epoll, operation, fd, this.#event) === 0;
  }

  #collect(count: number): number {
    const events = this.#events;
    let ready = 0;
    for (let i = 0; i < count; i++) {
      const at = i * EVENT_WORDS;
      const fd = events[at + DATA_WORD]!;
      if (fd === this.#waker) {
        this.libc.symbols.read(fd, new Uint8Array(8), 8);
        continue;
      }
      const event = events[at]!;
      const socket = this.#sockets[fd];
      // The socket was closed, and its number may belong to another one.
      if (socket === undefined) continue;
      if (socket.serial !== events[at + DATA_WORD + 1]) continue;
      const wanted = event & (socket.wanted | POLL_ALWAYS);
      if (wanted !== event) {
        socket.unwanted = true;
        this.#note(socket);
        if (wanted === 0) continue;
      }
      this.readyFds[ready] = fd;
      this.readyEvents[ready] = wanted;
      ready++;
    }
    return this.#addLeftOver(this.#addFailed(ready));
  }

  /** Whether there are events of which the kernel does not know. */
  #hasOwnEvents(): boolean {
    return this.#failed.length > 0 || this.#leftOver() !== undefined;
  }

  /** Reports the sockets of {@linkcode onFailure}; those without room later. */
  #addFailed(count: number): number {
    const failed = this.#failed;
    while (failed.length > 0 && count < MAX_EVENTS) {
      const socket = failed.pop()!;
      // An event of what the kernel still watches may stand before this one:
      // the loop leaves out what its handler has closed.
      if (socket.closed || socket.wanted < 0) continue;
      this.readyFds[count] = socket.fd;
      this.readyEvents[count] = POLL_ERR | POLL_HUP;
      count++;
    }
    return count;
  }

  /** The socket whose received batch was not read to its end. */
  #leftOver(): EpollSocket | undefined {
    const owner = this.#batches?.received.owner as EpollSocket | undefined;
    const wanted = owner?.wanted ?? -1;
    return wanted > 0 && (wanted & POLL_IN) !== 0 ? owner : undefined;
  }

  /**
   * Reports the socket of {@linkcode #leftOver} again: its datagrams are in
   * the batch, and the kernel knows nothing of them any more.
   */
  #addLeftOver(count: number): number {
    const left = this.#leftOver();
    if (left === undefined) return count;
    const fds = this.readyFds;
    for (let i = 0; i < count; i++) {
      if (fds[i] === left.fd) return count;
    }
    if (count === MAX_EVENTS) return count;
    fds[count] = left.fd;
    this.readyEvents[count] = POLL_IN;
    return count + 1;
  }

  #socket(address: SocketAddress, type: number): number {
    const domain = address.family === 4 ? AF_INET : AF_INET6;
    const fd = this.libc.symbols.socket(domain, type | SOCKET_FLAGS, 0);
    if (fd < 0) throw this.#error(`make socket for ${address}`);
    return fd;
  }

  #bind(socket: EpollSocket, address: SocketAddress, action: string): void {
    const sockaddr = toSockaddr(address) as Uint8Array<ArrayBuffer>;
    if (this.libc.symbols.bind(socket.fd, sockaddr, sockaddr.length) < 0) {
      throw this.#error(`${action} ${address}`);
    }
  }

  #error(action: string): SocketError {
    const code = errnoName(this.libc.errno());
    return new SocketError(code, `Cannot ${action}: ${code}`);
  }
}
