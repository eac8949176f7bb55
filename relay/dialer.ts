/**
 * From a target and a route to an open connection: has the route pick an
 * outbound, opens it, and goes on to the next one of a group when it cannot be
 * reached.
 *
 * ```text
 * route.pick → outbound.open → (fast open: first payload) → Opener
 *   → onEstablished
 * ```
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import type { Socket, SocketAddress, StreamSocket } from "../loop/mod.ts";
import type { ConnectorContext } from "./connector.ts";
import { CONNECT_TIMEOUT, MEMBER_TIMEOUT } from "./constants.ts";
import { Opener, type OpenerOwner } from "./opener.ts";
import type { Outbound, OutboundStream, Route } from "./outbound.ts";
import type { Session } from "./session.ts";
import { BLOCKED, type Failure } from "./status.ts";
import { namedPlace, type Target } from "./target.ts";

/** Whom a {@linkcode Dialer} works for. */
export interface DialerOwner {
  /** A socket was made; its events are to come to `handleEvent`. */
  onSocket(socket: StreamSocket): void;
  /** A socket failed or is not needed: close it. */
  onSocketFailed(socket: StreamSocket): void;
  /**
   * Whether an address of the target itself is forbidden; logs why.
   *
   * @param address The address.
   * @param target The target.
   */
  forbids(address: SocketAddress, target: Target): boolean;
  /**
   * An outbound was picked that can send first bytes with the SYN.
   *
   * @param stream Its far side.
   * @returns True: the owner calls `connect` once it has them; false: connect
   * without.
   */
  awaitsPayload(stream: OutboundStream): boolean;
  /**
   * The outbound is open; the socket and the stream's codec are the owner's.
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
  /** No outbound is left. */
  onUnreached(failure: Failure): void;
}

/** What is to be reached. */
export interface DialerOptions {
  /** What was asked for. */
  readonly target: Target;
  /** Gives the outbounds to it. */
  readonly route: Route;
  /** Who asks. */
  readonly session: Session;
}

const logger = getLogger(["shadowsocks", "relay"]);

/** The search for one far side. */
export class Dialer implements OpenerOwner {
  readonly #context: ConnectorContext;
  readonly #owner: DialerOwner;
  readonly #options: DialerOptions;
  /** Outbounds that could not be reached. */
  readonly #tried: Outbound[] = [];
  /** The outbound that is being tried. */
  #outbound: Outbound | undefined;
  #stream: OutboundStream | undefined;
  #opener: Opener | undefined;
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

  /** Opens the first outbound that the route gives, or says that there is none. */
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
      logger.info("{name} is refused by {outbound} for {client}", () => ({
        name: `${target}`,
        outbound: outbound.name,
        client: `${session.client}`,
      }));
      this.#owner.onUnreached(BLOCKED);
      return;
    }
    if (!stream.fastOpen || !this.#owner.awaitsPayload(stream)) this.connect();
  }

  /**
   * Opens the outbound that was picked.
   *
   * @param fastOpenData What may leave with the SYN.
   */
  connect(fastOpenData?: Uint8Array): void {
    const stream = this.#stream;
    if (stream === undefined) return;
    const isMember = this.#options.route.isGroup === true;
    this.#since = this.#now();
    this.#opener = new Opener(this.#context, this, {
      stream,
      fastOpenData,
      timeout: isMember ? MEMBER_TIMEOUT : CONNECT_TIMEOUT,
      asker: this.#options.session,
    });
    this.#opener.start();
  }

  /**
   * Takes an event of a socket that is not established yet.
   *
   * @param socket The socket.
   * @param event A mask of `POLL_*`.
   */
  handleEvent(socket: Socket, event: number): void {
    this.#opener?.handleEvent(socket, event);
  }

  /** Gives up and closes its sockets; nobody is told anything any more. */
  cancel(): void {
    this.#opener?.cancel();
    this.#opener = undefined;
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

  /** Asks about an address of the target. */
  forbids(address: SocketAddress): boolean {
    return this.#owner.forbids(address, this.#options.target);
  }

  /** A socket was made. */
  onSocket(socket: StreamSocket): void {
    this.#owner.onSocket(socket);
  }

  /** A socket failed. */
  onSocketFailed(socket: StreamSocket): void {
    this.#owner.onSocketFailed(socket);
  }

  /** Tells the outbound that it was reached. */
  onReached(): void {
    this.#outbound?.onReached?.(this.#now() - this.#since);
  }

  /** The outbound is open: gives it to the owner. */
  onOpened(socket: StreamSocket, rest: Uint8Array | undefined): void {
    const stream = this.#stream!;
    this.#stream = this.#opener = undefined;
    this.#owner.onEstablished(socket, stream, this.#outbound!, rest);
  }

  /** The outbound is of no use: tries the next one. */
  onOpenFailed(failure: Failure): void {
    const { status, code } = failure;
    const { target, session } = this.#options;
    const outbound = this.#outbound!;
    this.#failure = failure;
    // Else the fault is the target's, wherever it is connected to from.
    if (status !== "server_failed") {
      logger.info("cannot connect to {name} from {client}: {code}", () => ({
        name: `${target}`,
        client: `${session.client}`,
        code,
      }));
    } else {
      logger.warn(
        "cannot connect to {server} for {name} from {client}: {code}",
        {
          server: namedPlace(outbound.name, this.#stream?.destination),
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
    this.start();
  }

  #now(): number {
    return this.#context.loop.time() * 1000;
  }
}
