/**
 * Listeners and streams over libc's calls, and what they share with datagrams.
 *
 * @module
 */

import { SocketAddress, UNSPECIFIED } from "./address.ts";
import { BufferPlace } from "./_buffer_place.ts";
import type { DescriptorBudget } from "./descriptors.ts";
import { EAGAIN, EINTR, ENOTCONN, errnoName, type Libc } from "./_libc.ts";
import {
  fromSockaddr,
  type PackedSockaddr,
  packSockaddr,
  SOCKADDR_LENGTH,
  unpackSockaddr,
} from "./_sockaddr.ts";
import {
  FAILED,
  type ListenerSocket,
  type Socket,
  type StreamSocket,
  WOULD_BLOCK,
} from "./socket.ts";

/** SOCK_NONBLOCK | SOCK_CLOEXEC, the same bits for socket and accept4. */
export const SOCKET_FLAGS = 0o4000 | 0o2000000;
/** SOL_SOCKET. */
export const SOL_SOCKET = 1;
/** IPPROTO_TCP. */
export const IPPROTO_TCP = 6;
const SO_ERROR = 4;
const SO_LINGER = 13;
const SHUT_WR = 1;
/** SO_MEMINFO (linux/sock_diag.h): nine numbers about a socket's memory. */
const SO_MEMINFO = 55;
const MEMINFO_NUMBERS = 9;
const MEMINFO_SNDBUF = 3;
const MEMINFO_QUEUED = 5;
/** SIOCOUTQ (tcp(7)): bytes in the send queue. */
const SIOCOUTQ = 0x5411;
/** MSG_NOSIGNAL: EPIPE as a return value, not as SIGPIPE. */
export const MSG_NOSIGNAL = 0x4000;
const NO_FLAGS = 0;
/** Bytes of an int, and of most socket options. */
const INT_LENGTH = 4;
/**
 * Numbers of system calls: those of x86_64, else those of asm-generic/unistd.h,
 * which aarch64 uses.
 */
const X86_64 = Deno.build.arch === "x86_64";
const SYS_RECVFROM = X86_64 ? 45 : 207;
const SYS_SENDTO = X86_64 ? 44 : 206;

/** What sockets share with the poller that made them. */
export interface EpollOwner {
  /** libc. */
  readonly libc: Libc;
  /** The descriptors that sockets may have. */
  readonly budget: DescriptorBudget;
  /**
   * Whether a wait is under way on another thread. A datagram must then be sent
   * at once: batches leave at the beginning of a wait.
   */
  readonly waiting: boolean;
  /** Told of every socket that is made. */
  onOpen(socket: EpollSocket): void;
  /** Told when a descriptor is closed, which ends its epoll registration. */
  onClose(socket: EpollSocket): void;
  /** Has a socket report an error for which the system has no event; see errno. */
  onFailure(socket: EpollSocket): void;
}

const addressBytes = new Uint8Array(SOCKADDR_LENGTH);
const addressLength = new Uint32Array(1);
const option = new Int32Array(2);
const memory = new Int32Array(MEMINFO_NUMBERS);
const readPlace = new BufferPlace();
const writePlace = new BufferPlace();

/** What the three kinds share. */
export abstract class EpollSocket implements Socket {
  abstract readonly kind: "listener" | "stream" | "datagram";
  /** The real descriptor. */
  readonly fd: number;
  /** Tells it from others that had the same descriptor; given by the poller. */
  serial: number = 0;
  /** The mask that the loop wants; -1: not watched. */
  wanted: number = -1;
  /** The mask that the kernel has; -1: not watched. */
  registered: number = -1;
  /** Whether it stands in the poller's list of changes. */
  dirty = false;
  /** Whether an event came that `wanted` does not ask for. */
  unwanted = false;
  error = "";
  /** The poller that made it. */
  readonly owner: EpollOwner;
  /**
   * `fd` while it is open, then -1: its number may belong to another socket,
   * and a late call must get EBADF.
   */
  descriptor: number;
  #closed = false;
  #localAddress: SocketAddress | undefined = undefined;

  /**
   * Wraps a descriptor.
   *
   * @param owner The poller.
   * @param fd An open, non-blocking descriptor; owned from now on.
   */
  constructor(owner: EpollOwner, fd: number) {
    this.owner = owner;
    this.fd = this.descriptor = fd;
    owner.onOpen(this);
  }

  get closed(): boolean {
    return this.#closed;
  }

  get localAddress(): SocketAddress {
    if (this.#localAddress === undefined) {
      addressLength[0] = SOCKADDR_LENGTH;
      const refused = this.owner.libc.symbols.getsockname(
        this.descriptor,
        addressBytes,
        addressLength,
      ) < 0;
      if (refused) return UNSPECIFIED;
      this.#localAddress = fromSockaddr(addressBytes);
    }
    return this.#localAddress;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.owner.onClose(this);
    this.owner.libc.symbols.close(this.descriptor);
    this.descriptor = -1;
  }

  /** Closes the descriptor. */
  [Symbol.dispose](): void {
    this.close();
  }

  takeError(): string {
    addressLength[0] = INT_LENGTH;
    const { symbols } = this.owner.libc;
    const refused = symbols.getsockopt(
      this.descriptor,
      SOL_SOCKET,
      SO_ERROR,
      option,
      addressLength,
    ) < 0;
    if (refused) this.fail();
    else if (option[0] !== 0) this.error = errnoName(option[0]!);
    return this.error;
  }

  /**
   * Sets an int option.
   *
   * @param level SOL_SOCKET, or a protocol.
   * @param name The option.
   * @param value Default 1: on.
   * @returns Whether the system has the option and takes the value.
   */
  setOption(level: number, name: number, value = 1): boolean {
    option[0] = value;
    const { symbols } = this.owner.libc;
    return symbols.setsockopt(
      this.descriptor,
      level,
      name,
      option,
      INT_LENGTH,
    ) === 0;
  }

  /** Turns a failed call into a return value, and keeps its errno. */
  protected fail(): number {
    const errno = this.owner.libc.errno();
    if (errno === EAGAIN || errno === EINTR) return WOULD_BLOCK;
    this.error = errnoName(errno);
    return FAILED;
  }
}

/** A listening socket. */
export class EpollListener extends EpollSocket implements ListenerSocket {
  readonly kind = "listener";

  accept(): StreamSocket | undefined {
    const { libc: { symbols }, budget } = this.owner;
    if (budget.isShort) {
      this.error = "EMFILE";
      return undefined;
    }
    addressLength[0] = SOCKADDR_LENGTH;
    const fd = symbols.accept4(
      this.descriptor,
      addressBytes,
      addressLength,
      SOCKET_FLAGS,
    );
    if (fd < 0) {
      this.error = "";
      this.fail();
      return undefined;
    }
    return new EpollStream(this.owner, fd, packSockaddr(addressBytes));
  }
}

/**
 * Chooses what it means to close a connection, or one accepted from a listener:
 * a reset, which is sent too when the process dies and the system closes for
 * it, since what was cut must not look whole; or FIN.
 *
 * @param socket The connection or the listener.
 * @param resets True: a reset.
 */
export function setLinger(socket: EpollSocket, resets: boolean): void {
  // struct linger: on(4) seconds(4). Zero seconds: a reset, and no FIN.
  option[0] = resets ? 1 : 0;
  option[1] = 0;
  socket.owner.libc.symbols.setsockopt(
    socket.descriptor,
    SOL_SOCKET,
    SO_LINGER,
    option,
    2 * INT_LENGTH,
  );
}

/** A TCP connection; it is reset unless `close` is called. */
export class EpollStream extends EpollSocket implements StreamSocket {
  readonly kind = "stream";
  fastOpenTaken: number | undefined = undefined;
  connected = false;
  /**
   * The other end; packed until it is asked for, which most connections never
   * are unless they are logged.
   */
  #remote: SocketAddress | PackedSockaddr;

  /**
   * Wraps a descriptor.
   *
   * @param owner The poller.
   * @param fd An open, non-blocking descriptor.
   * @param remote The other end.
   */
  constructor(
    owner: EpollOwner,
    fd: number,
    remote: SocketAddress | PackedSockaddr,
  ) {
    super(owner, fd);
    this.#remote = remote;
  }

  get remoteAddress(): SocketAddress {
    const remote = this.#remote;
    return remote instanceof SocketAddress
      ? remote
      : this.#remote = unpackSockaddr(remote);
  }

  get unsent(): number {
    option[0] = 0;
    this.owner.libc.symbols.ioctl(this.descriptor, SIOCOUTQ, option);
    return option[0]!;
  }

  get room(): number {
    addressLength[0] = memory.byteLength;
    memory[MEMINFO_SNDBUF] = memory[MEMINFO_QUEUED] = 0;
    this.owner.libc.symbols.getsockopt(
      this.descriptor,
      SOL_SOCKET,
      SO_MEMINFO,
      memory,
      addressLength,
    );
    return memory[MEMINFO_SNDBUF]! - memory[MEMINFO_QUEUED]!;
  }

  /** Whether the connection stands; does not take a pending error. */
  hasPeer(): boolean {
    addressLength[0] = SOCKADDR_LENGTH;
    const { symbols } = this.owner.libc;
    return symbols.getpeername(
      this.descriptor,
      addressBytes,
      addressLength,
    ) === 0;
  }

  recv(
    buffer: Uint8Array,
    start?: number,
    end: number = buffer.length,
  ): number {
    const { symbols } = this.owner.libc;
    let count: number;
    if (start !== undefined && readPlace.fixes(buffer, start, end)) {
      count = symbols.syscall_at(
        SYS_RECVFROM,
        this.descriptor,
        readPlace.at(buffer, start),
        end - start,
        NO_FLAGS,
        null,
        null,
      );
    } else {
      const view = start === undefined ? buffer : buffer.subarray(start, end);
      count = symbols.syscall(
        SYS_RECVFROM,
        this.descriptor,
        view as Uint8Array<ArrayBuffer>,
        view.length,
        NO_FLAGS,
        null,
        null,
      );
    }
    return count >= 0 ? count : this.fail();
  }

  send(data: Uint8Array, end?: number): number {
    const { symbols } = this.owner.libc;
    let count: number;
    if (end !== undefined && writePlace.fixes(data, 0, end)) {
      count = symbols.syscall_at(
        SYS_SENDTO,
        this.descriptor,
        writePlace.at(data, 0),
        end,
        MSG_NOSIGNAL,
        null,
        null,
      );
    } else {
      const view = end === undefined ? data : data.subarray(0, end);
      count = symbols.syscall(
        SYS_SENDTO,
        this.descriptor,
        view as Uint8Array<ArrayBuffer>,
        view.length,
        MSG_NOSIGNAL,
        null,
        null,
      );
    }
    return count >= 0 ? count : this.fail();
  }

  shutdown(): void {
    const { libc } = this.owner;
    if (libc.symbols.shutdown(this.descriptor, SHUT_WR) === 0) return;
    // Without its end the peer would wait for ever. One that has gone waits for
    // nothing, and its reset is reported.
    if (libc.errno() !== ENOTCONN) this.owner.onFailure(this);
  }

  override close(): void {
    if (!this.closed) setLinger(this, false);
    super.close();
  }

  reset(): void {
    super.close();
  }
}
