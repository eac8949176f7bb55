/**
 * The original's TCPRelay: one for each listening port. It accepts connections,
 * gives each to a handler, hands every event to the handler of its descriptor
 * and ends the idle ones.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import type { Resolver } from "../dns/mod.ts";
import {
  type EventHandler,
  type EventLoop,
  FdTable,
  LinkedList,
  type ListenerSocket,
  POLL_ERR,
  POLL_IN,
  type Poller,
  type Socket,
  type SocketAddress,
  type StreamSocket,
  TIMEOUT_PRECISION,
  type Timer,
} from "../loop/mod.ts";
import {
  ACCEPT_BATCH,
  ACCEPT_PAUSE,
  FAST_OPEN_QUEUE,
  HANDSHAKE_TIMEOUT,
  LOG_INTERVAL,
  TIMEOUTS_CLEAN_SIZE,
} from "./constants.ts";
import type { RelayBuffers } from "./buffers.ts";
import type { Inbound } from "./inbound.ts";
import type {
  AssociationRegistry,
  RelayContext,
  RelayedConnection,
} from "./relay_context.ts";
import { QuietEnds } from "./quiet_ends.ts";
import type { Router } from "./router.ts";
import type { ListenerInfo, Peer, Session, Sessions } from "./session.ts";
import type { Status } from "./status.ts";
import { TCPRelayHandler } from "./tcp_relay_handler.ts";

/** What a {@linkcode TCPRelay} is made with. */
export interface TCPRelayOptions {
  /** Where to listen. */
  readonly listen: SocketAddress;
  /** What sessions call it: {@linkcode ListenerInfo.protocol}. */
  readonly protocol: string;
  /** What the listener speaks. */
  readonly inbound: Inbound;
  /** Decides where sessions go. */
  readonly router: Router;
  /** Begins the sessions. */
  readonly sessions: Sessions;
  /** Idle seconds after which a connection ends. */
  readonly timeout: number;
  /** Makes the sockets; the poller of the loop it will be added to. */
  readonly poller: Poller;
  /** Looks names up. */
  readonly resolver: Resolver;
  /** The buffers that the relays of the loop share. */
  readonly buffers: RelayBuffers;
  /** Whether TCP fast open is used; default false. */
  readonly fastOpen?: boolean | undefined;
  /** The UDP side of the same port, for UDP ASSOCIATE. */
  readonly udpRelay?: AssociationRegistry | undefined;
  /** Lets several relays share the port (one in each worker). */
  readonly reusePort?: boolean | undefined;
  /** Leaves IPv4 to another listener of the port. */
  readonly ipv6Only?: boolean | undefined;
}

/**
 * Errors of accept that tell of one client only: it went away before it was
 * accepted, or its network did (accept(2)). The next event tries again.
 */
const GONE_BEFORE: ReadonlySet<string> = new Set([
  "ECONNABORTED",
  "ECONNRESET",
  "ENOTCONN",
  "EPROTO",
  "ENETDOWN",
  "ENETUNREACH",
  "EHOSTDOWN",
  "EHOSTUNREACH",
]);

const logger = getLogger(["shadowsocks", "relay"]);

/** A TCP listener and its connections. */
export class TCPRelay implements RelayContext, EventHandler {
  /** Looks names up. */
  readonly resolver: Resolver;
  /** The buffers that all handlers share. */
  readonly buffers: RelayBuffers;
  /** What the listener speaks. */
  readonly inbound: Inbound;
  /** Decides where sessions go. */
  readonly router: Router;
  /** The UDP side of the same port. */
  readonly udpRelay: AssociationRegistry | undefined;
  /** Gets the events of all sockets: the relay itself. */
  readonly handler: EventHandler = this;
  /** Whether connects may use fast open: it is wanted, and was not refused. */
  fastOpen: boolean;
  /** The strangers that have sent their end. */
  readonly quietEnds: QuietEnds = new QuietEnds(this);
  /** Descriptor → the handler of its connection. */
  readonly fd_to_handlers: FdTable<RelayedConnection> = new FdTable();
  /** Handlers by their last activity, the oldest first; removed: undefined. */
  timeouts: (RelayedConnection | undefined)[] = [];
  /** Where the last sweep ended. */
  timeoutOffset = 0;
  readonly #listener: ListenerInfo;
  readonly #sessions: Sessions;
  readonly #timeout: number;
  /** Seconds from accept to a valid header: `timeout` if that is shorter. */
  readonly #deadline: number;
  readonly #poller: Poller;
  /** Whole seconds between two sweeps, and between two places of a handler. */
  readonly #precision: number;
  readonly #serverSocket: ListenerSocket;
  readonly #onSweep: () => void;
  /** Handlers without a valid header, the first accepted first. */
  readonly #handshakes = new LinkedList<RelayedConnection>();
  /** Handlers that go on without a valid header, or behind a wrong one. */
  readonly #strangers = new LinkedList<RelayedConnection>();
  #connections = 0;
  #handshakeTimer: Timer | undefined;
  /** Active while there are connections. */
  #sweepTimer: Timer | undefined;
  #pauseTimer: Timer | undefined;
  /** Whether ending a client may help: the last one ended has. */
  #mayEvict = true;
  /** Seconds of the clock before which the pause is not logged again. */
  #quietUntil = -Infinity;
  #eventloop: EventLoop | undefined;
  #closed = false;
  #onIdle: (() => void) | undefined;

  /**
   * Binds and listens.
   *
   * @param options What it is made with.
   * @throws {SocketError} If the address cannot be bound.
   */
  constructor(options: TCPRelayOptions) {
    this.resolver = options.resolver;
    this.buffers = options.buffers;
    this.inbound = options.inbound;
    this.router = options.router;
    this.udpRelay = options.udpRelay;
    this.fastOpen = options.fastOpen ?? false;
    this.#sessions = options.sessions;
    this.#timeout = options.timeout;
    this.#deadline = Math.min(HANDSHAKE_TIMEOUT, options.timeout);
    this.#poller = options.poller;
    const tenth = Math.floor(options.timeout / 10);
    this.#precision = Math.max(1, Math.min(TIMEOUT_PRECISION, tenth));
    this.#onSweep = () => {
      this.handlePeriodic();
      if (this.#connections > 0) this.#watchTimeouts();
    };
    this.#serverSocket = options.poller.listenTcp(options.listen, {
      fastOpen: this.fastOpen ? FAST_OPEN_QUEUE : 0,
      reusePort: options.reusePort ?? false,
      ipv6Only: options.ipv6Only ?? false,
    });
    this.#poller.budget.fix(1);
    const { protocol } = options;
    this.#listener = { protocol, port: this.listenPort };
  }

  /** The loop. */
  get loop(): EventLoop {
    if (this.#eventloop === undefined) throw new Error("not added to loop");
    return this.#eventloop;
  }

  /** The port it listens on. */
  get listenPort(): number {
    return this.#serverSocket.localAddress.port;
  }

  /** Whether it listens no more. */
  get closed(): boolean {
    return this.#closed;
  }

  /** How many connections are open. */
  get connections(): number {
    return this.#connections;
  }

  /**
   * Begins to accept.
   *
   * @param loop The loop of this relay's poller.
   * @throws {Error} `already add to loop`, `already closed`.
   */
  addToLoop(loop: EventLoop): void {
    if (this.#eventloop !== undefined) throw new Error("already add to loop");
    if (this.#closed) throw new Error("already closed");
    this.#eventloop = loop;
    loop.add(this.#serverSocket, POLL_IN | POLL_ERR, this);
  }

  /** Hands an event to the handler of its descriptor, or accepts. */
  handleEvent(socket: Socket, fd: number, event: number): void {
    if (socket !== this.#serverSocket) {
      this.fd_to_handlers.get(fd)?.handleEvent(socket, event);
      return;
    }
    if ((event & POLL_ERR) !== 0) {
      // Nothing more can be accepted: end this port, keep its connections.
      const code = this.#serverSocket.takeError();
      this.close();
      throw new Error(`server_socket error: ${code || "unknown"}`);
    }
    this.#accept();
  }

  /**
   * Begins the session of a connection.
   *
   * @param client The client's socket.
   * @returns The session.
   */
  newSession(client: Peer): Session {
    const { loop } = this;
    return this.#sessions.open(
      { listener: this.#listener, network: "tcp", client },
      loop.time() * 1000,
    );
  }

  /**
   * Takes a handler out of the timeouts, in O(1).
   *
   * @param handler One that is being destroyed.
   */
  removeHandler(handler: RelayedConnection): void {
    const index = handler.timeoutIndex;
    if (index < 0) return;
    // Deleting is O(n), so the place is only emptied.
    this.timeouts[index] = undefined;
    handler.timeoutIndex = -1;
    this.#connections--;
    this.#listOf(handler).remove(handler);
    if (this.#pauseTimer !== undefined) this.#resumeAccepting();
    if (this.#closed && this.#connections === 0) this.#finish();
  }

  /**
   * Notes that a handler is active. Its place in the timeouts changes at most
   * every TIMEOUT_PRECISION seconds (of a timeout below 100 s, every tenth of
   * it), which keeps the list short.
   *
   * @param handler The handler.
   */
  updateActivity(handler: RelayedConnection): void {
    const now = this.loop.time();
    handler.lastActivity = now;
    if (now - handler.placedAt >= this.#precision) this.#place(handler, now);
  }

  /**
   * Notes that a handler has got a valid header, or will never get one.
   *
   * @param handler The handler.
   */
  endHandshake(handler: RelayedConnection): void {
    this.#handshakes.remove(handler);
  }

  /**
   * Notes that a handler has got no valid header and goes on without a
   * deadline.
   *
   * @param handler The handler.
   */
  keepStranger(handler: RelayedConnection): void {
    this.#listOf(handler).remove(handler);
    handler.isStranger = true;
    this.#strangers.push(handler);
  }

  /**
   * Sees to it that a handler that is drained ends at the deadline, whether it
   * is refused for its header or for what came later. The deadline of one that
   * is older counts from now: so old is nobody who had no valid header.
   *
   * @param handler The handler.
   * @returns Takes that back.
   */
  watchDraining(handler: RelayedConnection): () => void {
    if (handler.listed && !handler.isStranger) return () => {};
    this.keepStranger(handler);
    const left = handler.acceptedAt + this.#deadline - this.loop.time();
    const timer = this.loop.addTimer(
      (left > 0 ? left : this.#deadline) * 1000,
      () => handler.timeOut(),
    );
    return () => timer.cancel();
  }

  /** Ends the handlers that were idle for `timeout` seconds. */
  handlePeriodic(): void {
    logger.trace("sweeping timeouts");
    const now = this.loop.time();
    const { timeouts } = this;
    const { length } = timeouts;
    let position = this.timeoutOffset;
    while (position < length) {
      const handler = timeouts[position];
      if (handler !== undefined) {
        if (now - handler.lastActivity < this.#timeout) break;
        if (handler.keepsAlive()) {
          // Active elsewhere: back to the end of the list, at any time.
          handler.lastActivity = now;
          this.#place(handler, now);
        } else {
          handler.timeOut();
        }
        timeouts[position] = undefined;
      }
      position++;
    }
    if (position > TIMEOUTS_CLEAN_SIZE && position > length >> 1) {
      this.timeouts = timeouts.slice(position);
      for (const handler of this.timeouts) {
        if (handler !== undefined) handler.timeoutIndex -= position;
      }
      position = 0;
    }
    this.timeoutOffset = position;
  }

  /**
   * Stops listening. Open connections go on.
   *
   * @param onIdle Called once when the last of them has ended.
   */
  close(onIdle?: () => void): void {
    this.#onIdle = onIdle ?? this.#onIdle;
    if (!this.#closed) {
      this.#closed = true;
      this.#pauseTimer?.cancel();
      this.#eventloop?.remove(this.#serverSocket);
      this.#poller.budget.fix(-1);
      this.#serverSocket.close();
    }
    if (this.#connections === 0) this.#finish();
  }

  /**
   * Stops listening and ends every connection.
   *
   * @param status How their sessions end.
   */
  destroy(status: Status = "shutdown"): void {
    this.close();
    for (const handler of [...this.timeouts]) handler?.abort(status);
  }

  /** Gives a handler the last place in the timeouts. */
  #place(handler: RelayedConnection, now: number): void {
    handler.placedAt = Math.floor(now);
    const index = handler.timeoutIndex;
    if (index < 0) this.#connections++;
    else this.timeouts[index] = undefined;
    handler.timeoutIndex = this.timeouts.length;
    this.timeouts.push(handler);
  }

  #finish(): void {
    this.#handshakeTimer?.cancel();
    this.#sweepTimer?.cancel();
    const onIdle = this.#onIdle;
    this.#onIdle = undefined;
    onIdle?.();
  }

  #accept(): void {
    for (let i = 0; i < ACCEPT_BATCH && !this.#closed; i++) {
      const socket = this.#serverSocket.accept();
      if (socket !== undefined) {
        this.#mayEvict = true;
        this.#handle(socket);
        continue;
      }
      const { error } = this.#serverSocket;
      if (error !== "" && !GONE_BEFORE.has(error)) this.#pause(error);
      return;
    }
  }

  #handle(socket: StreamSocket): void {
    const handler = new TCPRelayHandler(this, socket);
    const now = this.loop.time();
    handler.lastActivity = handler.acceptedAt = now;
    this.#place(handler, now);
    this.#handshakes.push(handler);
    if (this.#sweepTimer?.active !== true) this.#watchTimeouts();
    if (this.#handshakeTimer?.active !== true) {
      this.#watchHandshakes(this.#deadline);
    }
    handler.start();
  }

  /** The descriptors ran out: accept again later, or when one is freed. */
  #pause(error: string): void {
    const now = this.loop.time();
    if (now >= this.#quietUntil) {
      this.#quietUntil = now + LOG_INTERVAL;
      logger.error(
        "cannot accept on port {port}: {error}; raise the descriptor limit (ulimit -n)",
        { port: this.listenPort, error },
      );
    }
    this.loop.modify(this.#serverSocket, 0);
    this.#pauseTimer = this.loop.addTimer(ACCEPT_PAUSE, () => {
      this.#mayEvict = true;
      this.#resumeAccepting();
    });
    if (!this.#mayEvict) return;
    // Who has shown no valid header yet must make room, the oldest first; one
    // for each client accepted, since the limit may be another one.
    this.#mayEvict = false;
    this.#oldestStranger()?.abort("connections");
    // Where a socket is not closed at once, it is closed in this turn.
    this.loop.giveTurn();
  }

  /** Who was accepted first of all that are not served. */
  #oldestStranger(): RelayedConnection | undefined {
    const waiting = this.#handshakes.first;
    const stranger = this.#strangers.first;
    if (waiting === undefined || stranger === undefined) {
      return waiting ?? stranger;
    }
    return stranger.acceptedAt < waiting.acceptedAt ? stranger : waiting;
  }

  #listOf(handler: RelayedConnection): LinkedList<RelayedConnection> {
    return handler.isStranger ? this.#strangers : this.#handshakes;
  }

  #resumeAccepting(): void {
    this.#pauseTimer?.cancel();
    this.#pauseTimer = undefined;
    if (!this.#closed) this.loop.modify(this.#serverSocket, POLL_IN);
  }

  #watchTimeouts(): void {
    const delay = this.#precision * 1000;
    this.#sweepTimer = this.loop.addTimer(delay, this.#onSweep);
  }

  #watchHandshakes(seconds: number): void {
    this.#handshakeTimer = this.loop.addTimer(
      seconds * 1000,
      () => this.#sweepHandshakes(),
    );
  }

  #sweepHandshakes(): void {
    const now = this.loop.time();
    let handler: RelayedConnection | undefined;
    while ((handler = this.#handshakes.first) !== undefined) {
      const left = handler.acceptedAt + this.#deadline - now;
      if (left > 0) return this.#watchHandshakes(left);
      this.endHandshake(handler);
      handler.timeOut();
    }
  }
}
