/**
 * From a target and a route to an open way: picks a way, connects to it,
 * talks with the proxies on it, and tries the next one of the group when it
 * cannot be reached.
 *
 * ```text
 * route.pick → outbound.open → (fast open: first payload) → Connector
 *   → proxies on the way → onEstablished
 * ```
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import {
  FAILED,
  POLL_ERR,
  POLL_HUP,
  POLL_IN,
  POLL_OUT,
  type Socket,
  type SocketAddress,
  type StreamSocket,
  type Timer,
} from "../loop/mod.ts";
import {
  Connector,
  type ConnectorContext,
  type ConnectorOwner,
} from "./connector.ts";
import { CONNECT_TIMEOUT, MEMBER_TIMEOUT } from "./constants.ts";
import type { Outbound, OutboundStream, Route } from "./outbound.ts";
import type { Session } from "./session.ts";
import { BLOCKED, type Failure } from "./status.ts";
import type { Target } from "./target.ts";

/** Whom a {@linkcode Dialer} works for. */
export interface DialerOwner {
  /** A socket was made; its events are to come to `handleEvent`. */
  onSocket(socket: StreamSocket): void;
  /** A socket failed or is not needed: close it. */
  onSocketFailed(socket: StreamSocket): void;
  /** Whether an address of the target itself is forbidden; logs why. */
  forbids(address: SocketAddress): boolean;
  /**
   * A way was picked that can carry first bytes with its SYN.
   *
   * @param stream The way.
   * @returns True: the owner calls `connect` once it has them; false: connect
   * without.
   */
  awaitsPayload(stream: OutboundStream): boolean;
  /**
   * The way is open; the socket and the stream's codec are the owner's.
   *
   * @param socket Connected.
   * @param stream The far side of the connection.
   * @param outbound What has made it.
   * @param rest Bytes that the far side has sent already; undefined: none.
   */
  onEstablished(
    socket: StreamSocket,
    stream: OutboundStream,
    outbound: Outbound,
    rest: Uint8Array | undefined,
  ): void;
  /** No way is left. */
  onUnreached(failure: Failure): void;
}

/** What is to be reached. */
export interface DialerOptions {
  /** What was asked for. */
  readonly target: Target;
  /** Gives the ways to it. */
  readonly route: Route;
  /** Who asks. */
  readonly session: Session;
}

/** Most bytes of one read of a proxy's answer. */
const PROXY_READ = 4096;
/** Most bytes of a proxy's answer: the longest is an HTTP head of 64 KiB. */
const PROXY_LIMIT = 68 * 1024;

const logger = getLogger(["shadowsocks", "relay"]);

/** The search for one far side. */
export class Dialer implements ConnectorOwner {
  readonly #context: ConnectorContext;
  readonly #owner: DialerOwner;
  readonly #options: DialerOptions;
  /** Ways that could not be reached. */
  readonly #tried: Outbound[] = [];
  /** The way that is being tried. */
  #outbound: Outbound | undefined;
  #stream: OutboundStream | undefined;
  #connector: Connector | undefined;
  /** The connection to the first proxy. */
  #proxy: StreamSocket | undefined;
  /** What the proxies have said and nobody has understood yet. */
  #answer: Uint8Array | undefined;
  /** What is said to a proxy and the socket has no room for yet. */
  #unsent: Uint8Array | undefined;
  /** For the answers of the proxies. */
  #timer: Timer | undefined;
  /** Milliseconds of the loop's clock when connecting began. */
  #since = 0;
  #failure: Failure = { status: "server_failed", code: "" };

  /**
   * Makes a dialer that does nothing yet.
   *
   * @param context What it works with.
   * @param owner Told what happens.
   * @param options What is to be reached.
   */
  constructor(
    context: ConnectorContext,
    owner: DialerOwner,
    options: DialerOptions,
  ) {
    this.#context = context;
    this.#owner = owner;
    this.#options = options;
  }

  /** Opens the first way that the route gives, or says that there is none. */
  start(): void {
    const { route, session, target } = this.#options;
    const outbound = route.pick(session, this.#tried);
    if (outbound === undefined) {
      this.#owner.onUnreached(this.#failure);
      return;
    }
    this.#outbound = outbound;
    session.outbound = outbound.name;
    const stream = outbound.open(target, session);
    this.#stream = stream;
    if (stream.destination === undefined) {
      this.#owner.onUnreached(BLOCKED);
      return;
    }
    if (!stream.fastOpen || !this.#owner.awaitsPayload(stream)) this.connect();
  }

  /**
   * Connects to the way that was picked.
   *
   * @param fastOpenData What may leave with the SYN.
   */
  connect(fastOpenData?: Uint8Array): void {
    const destination = this.#stream?.destination;
    if (destination === undefined) return;
    const isMember = this.#options.route.isGroup === true;
    this.#since = this.#now();
    this.#connector = new Connector(this.#context, this, {
      fastOpenData,
      timeout: isMember ? MEMBER_TIMEOUT : CONNECT_TIMEOUT,
    });
    this.#connector.start(destination);
  }

  /**
   * Takes an event of a socket that is not established yet.
   *
   * @param socket The socket.
   * @param event A mask of `POLL_*`.
   */
  handleEvent(socket: Socket, event: number): void {
    const proxy = this.#proxy;
    if (proxy === undefined || socket !== proxy) {
      this.#connector?.handleEvent(socket, event);
      return;
    }
    if ((event & (POLL_ERR | POLL_HUP)) !== 0 && (event & POLL_IN) === 0) {
      this.#fail({
        status: "server_failed",
        code: socket.takeError() || "ECONNRESET",
      });
      return;
    }
    if ((event & POLL_OUT) !== 0 && this.#unsent !== undefined) {
      this.#say(this.#unsent);
    }
    // Sending may have failed, and the way been left.
    if ((event & POLL_IN) !== 0 && this.#proxy === proxy) this.#read(proxy);
  }

  /** Gives up and closes its sockets; nobody is told anything any more. */
  cancel(): void {
    this.#timer?.cancel();
    this.#connector?.cancel();
    this.#connector = undefined;
    if (this.#proxy !== undefined) this.#owner.onSocketFailed(this.#proxy);
    this.#proxy = undefined;
    this.#stream?.[Symbol.dispose]();
    this.#stream = undefined;
  }

  /** Says which name has no address. */
  onUnresolved(reason: string): void {
    logger.error("{reason} when handling connection from {client}", {
      reason,
      client: `${this.#options.session.client}`,
    });
  }

  /** Asks about the addresses of the target itself, never of a server. */
  forbids(address: SocketAddress): boolean {
    return this.#stream?.isDirect === true && this.#owner.forbids(address);
  }

  /** A socket was made. */
  onSocket(socket: StreamSocket): void {
    this.#owner.onSocket(socket);
  }

  /** A socket failed. */
  onSocketFailed(socket: StreamSocket): void {
    this.#owner.onSocketFailed(socket);
  }

  /** Talks with the proxies on the way, or is done. */
  onConnected(socket: StreamSocket): void {
    this.#connector = undefined;
    const stream = this.#stream!;
    this.#outbound?.onReached?.(this.#now() - this.#since);
    if (stream.handshake === undefined) {
      this.#establish(socket);
      return;
    }
    const { loop, handler } = this.#context;
    this.#proxy = socket;
    this.#timer = loop.addTimer(CONNECT_TIMEOUT, () => {
      this.#fail({ status: "server_failed", code: "ETIMEDOUT" });
    });
    if (!loop.modify(socket, POLL_IN)) loop.add(socket, POLL_IN, handler);
    this.#say(stream.handshake.start());
  }

  /** No address of the way could be connected to. */
  onConnectFailed(failure: Failure): void {
    this.#connector = undefined;
    const isDirect = this.#stream?.isDirect === true;
    this.#fail(
      isDirect ? failure : { status: "server_failed", code: failure.code },
    );
  }

  /** The way is of no use: tries the next one. */
  #fail(failure: Failure): void {
    const { status, code } = failure;
    const { target, session } = this.#options;
    const outbound = this.#outbound!;
    this.#failure = failure;
    // Else the fault is the target's, wherever it is connected to from.
    if (status !== "server_failed") {
      logger.debug("cannot connect to {name} from {client}: {code}", () => ({
        name: `${target}`,
        client: `${session.client}`,
        code,
      }));
    } else {
      logger.warn(
        "cannot connect to {server} for {name} from {client}: {code}",
        {
          server: outbound.name,
          name: `${target}`,
          client: `${session.client}`,
          code,
        },
      );
    }
    outbound.onUnreached?.(failure);
    this.#tried.push(outbound);
    this.cancel();
    if (status === "blocked") {
      // A rule about the target holds for every member of a group.
      this.#owner.onUnreached(failure);
      return;
    }
    this.#answer = this.#unsent = undefined;
    this.start();
  }

  #establish(socket: StreamSocket): void {
    const stream = this.#stream!;
    const rest = this.#answer;
    this.#timer?.cancel();
    this.#stream = this.#proxy = undefined;
    this.#owner.onEstablished(socket, stream, this.#outbound!, rest);
  }

  #say(bytes: Uint8Array): void {
    const socket = this.#proxy!;
    const sent = socket.send(bytes);
    if (sent === FAILED) {
      this.#fail({ status: "server_failed", code: socket.error });
      return;
    }
    const isWhole = sent === bytes.length;
    this.#unsent = isWhole ? undefined : bytes.slice(Math.max(0, sent));
    this.#context.loop.modify(socket, isWhole ? POLL_IN : POLL_IN | POLL_OUT);
  }

  #read(socket: StreamSocket): void {
    const before = this.#answer;
    const start = before?.length ?? 0;
    const buffer = new Uint8Array(start + PROXY_READ);
    if (before !== undefined) buffer.set(before);
    const count = socket.recv(buffer, start);
    if (count === 0 || count === FAILED || start > PROXY_LIMIT) {
      this.#fail({
        status: "server_failed",
        code: socket.error || "ECONNRESET",
      });
      return;
    }
    if (count < 0) return;
    this.#onAnswer(socket, buffer.subarray(0, start + count));
  }

  /** Gives the handshake what has come, until it needs more or is done. */
  #onAnswer(socket: StreamSocket, data: Uint8Array): void {
    let rest = data;
    for (;;) {
      const answer = this.#stream!.handshake!.receive(rest);
      if (answer.kind === "failed") {
        this.#fail(answer.failure);
        return;
      }
      rest = rest.subarray(answer.consumed);
      this.#answer = rest.length > 0 ? rest : undefined;
      if (answer.kind === "ready") {
        this.#establish(socket);
        return;
      }
      if (answer.send !== undefined) this.#say(answer.send);
      const goesOn = this.#proxy === socket && answer.consumed > 0 &&
        rest.length > 0;
      if (!goesOn) return;
    }
  }

  #now(): number {
    return this.#context.loop.time() * 1000;
  }
}
