/**
 * The UDP sockets of the resolver.
 *
 * A forged answer must guess the source port and the ID. So the port is the
 * system's random choice, a socket is used for few queries, and it is closed
 * once none of them waits; a lookup that comes alone has a port of its own.
 *
 * @module
 */

import {
  type DatagramSocket,
  type EventHandler,
  type EventLoop,
  FAILED,
  isSameIp,
  POLL_IN,
  type Socket,
  SocketAddress,
  WOULD_BLOCK,
} from "../loop/mod.ts";
import { decodeResponse, type DnsMessage, encodeQuery } from "./message.ts";

/** What came back for one query: a message, or one that cannot be read. */
export type Response = DnsMessage | "malformed";

/** What to ask, and whom. */
export interface UdpQuery {
  /** The name server. */
  readonly server: SocketAddress;
  /** A valid host name. */
  readonly name: string;
  /** The record type. */
  readonly type: number;
  /** Called once, unless the query is cancelled before. */
  readonly onResponse: (response: Response) => void;
}

/** A query that is under way. */
export interface PendingQuery {
  /** The message that was sent. */
  readonly message: Uint8Array;
  /** Stops waiting for the response. Idempotent. */
  cancel(): void;
}

/** Options of {@linkcode UdpPool}. */
export interface UdpPoolOptions {
  /** Gets the events of the sockets, and passes them to the pool. */
  readonly handler: EventHandler;
  /** Gives random 16-bit numbers that cannot be foretold. */
  readonly random: () => number;
}

/**
 * Queries that one socket is used for in all. More would need fewer sockets,
 * but a forger who knows a port could use it longer.
 */
const QUERIES_PER_SOCKET = 16;
/**
 * Most datagrams read at one event, so that a flood of forged answers cannot
 * hold the loop; the socket is reported again for the rest.
 */
const READS_PER_EVENT = 64;
/**
 * Bytes of room for a response. Without EDNS an answer has at most 512 bytes
 * (RFC 1035, section 4.2.1); servers that ignore the limit stay below 4096.
 */
const BUFFER_LENGTH = 4096;

interface Waiting {
  readonly query: UdpQuery;
  readonly message: Uint8Array;
}

interface PoolSocket {
  readonly socket: DatagramSocket;
  readonly waiting: Map<number, Waiting>;
  used: number;
}

/** Sends queries and finds the responses to them. */
export class UdpPool {
  readonly #loop: EventLoop;
  readonly #options: UdpPoolOptions;
  readonly #sockets = new Map<number, PoolSocket>();
  readonly #current = new Map<4 | 6, PoolSocket>();
  readonly #buffer = new Uint8Array(BUFFER_LENGTH);

  /**
   * Makes a pool without sockets.
   *
   * @param loop Makes and watches the sockets.
   * @param options The handler and the source of IDs.
   */
  constructor(loop: EventLoop, options: UdpPoolOptions) {
    this.#loop = loop;
    this.#options = options;
  }

  /** How many sockets are open. */
  get size(): number {
    return this.#sockets.size;
  }

  /**
   * Sends a query.
   *
   * @param query What to ask, and whom.
   * @returns The query under way, or undefined if it could not be sent.
   */
  send(query: UdpQuery): PendingQuery | undefined {
    const entry = this.#socketFor(query.server.family);
    if (entry === undefined) return undefined;
    const { socket, waiting } = entry;
    let id = this.#options.random() & 0xffff;
    while (waiting.has(id)) id = (id + 1) & 0xffff;
    const message = encodeQuery({ id, name: query.name, type: query.type });
    const ticket: Waiting = { query, message };
    waiting.set(id, ticket);
    entry.used++;
    const cancel = (): void => {
      if (waiting.get(id) !== ticket) return;
      waiting.delete(id);
      if (waiting.size === 0) this.#discard(entry);
    };
    // A full send buffer is a lost datagram: the retry takes care of it.
    if (socket.sendTo(message, query.server) === FAILED) {
      cancel();
      return undefined;
    }
    return { message, cancel };
  }

  /**
   * Handles an event of one of the sockets.
   *
   * @param socket The socket.
   * @param fd Its descriptor.
   * @param event A mask of `POLL_*`.
   */
  handleEvent(socket: Socket, fd: number, event: number): void {
    const entry = this.#sockets.get(fd);
    if (entry === undefined || entry.socket !== socket) return;
    if ((event & POLL_IN) === 0) {
      // The queries that wait ask again, through a new socket, when their
      // time is up.
      entry.socket.takeError();
      this.#discard(entry);
      return;
    }
    for (let i = 0; i < READS_PER_EVENT && !entry.socket.closed; i++) {
      const length = entry.socket.recvFrom(this.#buffer);
      if (length === WOULD_BLOCK) return;
      if (length === FAILED) {
        this.#discard(entry);
        return;
      }
      this.#receive(entry, length);
    }
  }

  /** Closes all sockets; no query is answered any more. */
  close(): void {
    for (const entry of [...this.#sockets.values()]) {
      entry.waiting.clear();
      this.#discard(entry);
    }
  }

  #receive(entry: PoolSocket, length: number): void {
    if (length < 2) return;
    const bytes = this.#buffer;
    const id = bytes[0]! << 8 | bytes[1]!;
    const ticket = entry.waiting.get(id);
    if (ticket === undefined) return;
    const { query, message } = ticket;
    if (!isSame(entry.socket.sender, query.server)) return;
    const result = decodeResponse(bytes.subarray(0, length), message);
    if (result.status === "foreign") return;
    entry.waiting.delete(id);
    if (entry.waiting.size === 0) this.#discard(entry);
    query.onResponse(result.status === "ok" ? result.message : "malformed");
  }

  #socketFor(family: 4 | 6): PoolSocket | undefined {
    const current = this.#current.get(family);
    if (current !== undefined && current.used < QUERIES_PER_SOCKET) {
      return current;
    }
    let socket: DatagramSocket;
    try {
      const any = new Uint8Array(family === 4 ? 4 : 16);
      socket = this.#loop.poller.bindUdp(new SocketAddress(any, 0));
    } catch {
      // No descriptor is left, or the system has no such family.
      return undefined;
    }
    const entry: PoolSocket = { socket, waiting: new Map(), used: 0 };
    this.#loop.add(socket, POLL_IN, this.#options.handler);
    this.#sockets.set(socket.fd, entry);
    this.#current.set(family, entry);
    return entry;
  }

  #discard(entry: PoolSocket): void {
    const { socket } = entry;
    if (socket.closed) return;
    this.#sockets.delete(socket.fd);
    for (const [family, current] of this.#current) {
      if (current === entry) this.#current.delete(family);
    }
    this.#loop.remove(socket);
    socket.close();
  }
}

function isSame(a: SocketAddress, b: SocketAddress): boolean {
  return a.port === b.port && isSameIp(a.bytes, b.bytes);
}
