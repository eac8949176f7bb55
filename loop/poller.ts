/**
 * What a poller is: the maker of sockets for one readiness mechanism, and the
 * source of their events. A new one (kqueue, io_uring) is one more file with
 * these methods.
 *
 * @module
 */

import type { SocketAddress } from "./address.ts";
import type { DescriptorBudget } from "./descriptors.ts";
import type {
  DatagramSocket,
  ListenerSocket,
  Socket,
  StreamSocket,
} from "./socket.ts";
import type { UnixAddress } from "./unix.ts";

/** Options of {@linkcode Poller.listenTcp}. */
export interface ListenOptions {
  /**
   * Length of the accept queue. Default 1024, as the server socket of the
   * Python shadowsocks has it.
   */
  readonly backlog?: number;
  /** Length of the TCP fast open queue; 0 or absent: off. */
  readonly fastOpen?: number;
  /** Lets several sockets of this system share the port. */
  readonly reusePort?: boolean;
  /** See {@linkcode BindOptions.ipv6Only}. */
  readonly ipv6Only?: boolean;
}

/** Options of {@linkcode Poller.connectTcp}. */
export interface ConnectOptions {
  /**
   * First data: as much of it as there is room for leaves with the SYN (TCP
   * fast open). `fastOpenTaken` of the socket tells how much; the caller sends
   * the rest once the socket is connected.
   */
  readonly fastOpenData?: Uint8Array;
}

/** Options of {@linkcode Poller.bindUdp}. */
export interface BindOptions {
  /** Lets several sockets of this system share the port. */
  readonly reusePort?: boolean;
  /**
   * Leaves IPv4 to other sockets of the port: without it `::` takes both on
   * most systems. Works where {@linkcode Poller.splitsFamilies}.
   */
  readonly ipv6Only?: boolean;
  /**
   * Sends and receives many datagrams at once where the system can: what is
   * sent may leave at the next wait, and is lost silently if it cannot.
   */
  readonly batch?: boolean;
  /**
   * Tells of each datagram to which of our addresses it was sent, where the
   * system can, if the socket is bound to all of them: an answer should leave
   * from there. Has the effects of `batch` then.
   */
  readonly tellsRecipient?: boolean;
}

/** A readiness mechanism and its sockets. */
export interface Poller extends Disposable {
  /** The name that `--event-loop` takes; for options and log lines only. */
  readonly name: "epoll" | "deno";
  /** The descriptors that its sockets may have. */
  readonly budget: DescriptorBudget;
  /**
   * Whether the address of a socket is free again once `close` has returned.
   * If not, the system closes it some milliseconds later.
   */
  readonly closesAtOnce: boolean;
  /**
   * Whether the `reset` of a connection resets it; if not, the other end sees
   * FIN.
   */
  readonly resets: boolean;
  /**
   * Whether `reusePort` of {@linkcode Poller.bindUdp} works: the system shares
   * out datagrams among the sockets of one port.
   */
  readonly sharesUdpPorts: boolean;
  /**
   * Whether a socket bound to `::` can leave IPv4 to another one. If not, it
   * takes both.
   */
  readonly splitsFamilies: boolean;
  /**
   * Listens for TCP.
   *
   * @throws {SocketError} When the address cannot be bound.
   */
  listenTcp(address: SocketAddress, options?: ListenOptions): ListenerSocket;
  /**
   * Starts to connect. The result arrives as an event: POLL_OUT when
   * connected, POLL_ERR when refused (`takeError()` says why).
   *
   * @throws {SocketError} When no socket can be made (EMFILE …).
   */
  connectTcp(address: SocketAddress, options?: ConnectOptions): StreamSocket;
  /**
   * Binds a UDP socket; port 0 lets the system choose.
   *
   * @throws {SocketError} When the address cannot be bound.
   */
  bindUdp(address: SocketAddress, options?: BindOptions): DatagramSocket;
  /**
   * Binds a unix datagram socket. Its file has mode 0600, and is removed when
   * the socket is closed.
   *
   * @throws {SocketError} When the path cannot be bound: `EADDRINUSE` if it
   * exists, `ENOTSUP` where the system has no such sockets.
   */
  bindUnixDatagram(path: string): DatagramSocket<UnixAddress>;
  /** Watches a socket (level-triggered) for a mask of POLL_IN and POLL_OUT. */
  register(socket: Socket, mode: number): void;
  /** Replaces the mask of a watched socket; 0 leaves errors only. */
  modify(socket: Socket, mode: number): void;
  /** Watches a socket no longer. */
  unregister(socket: Socket): void;
  /**
   * Collects events, blocking the thread for at most `timeout` milliseconds
   * where the mechanism can block (the `deno` poller never does).
   *
   * @returns How many events {@linkcode readyFds} now holds.
   */
  poll(timeout: number): number;
  /**
   * Collects events without blocking the thread: settles at the first event,
   * after `timeout` milliseconds, or at {@linkcode wake}.
   *
   * @returns How many events {@linkcode readyFds} now holds.
   */
  wait(timeout: number): Promise<number>;
  /**
   * Gives Deno's own loop, which runs on this thread too, one turn.
   *
   * @returns Settles when it has asked the system for its events.
   */
  turn(): Promise<void>;
  /** Lets go of memory that is kept for later. Absent: there is none. */
  trim?(): void;
  /** Ends a `wait` under way. */
  wake(): void;
  /** Descriptors of the last batch, `[0, count)`. */
  readonly readyFds: Int32Array;
  /** Event masks of the last batch, beside {@linkcode readyFds}. */
  readonly readyEvents: Int32Array;
  /** Whether `poll` can block the thread; if not, `wait` must be used. */
  readonly blocking: boolean;
}
