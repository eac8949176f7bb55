/**
 * From a target to an open connection: asks the router for a route, has that
 * pick an outbound, opens it, and goes on to the next one of a group when it
 * cannot be reached.
 *
 * ```text
 * router.route → route.pick → outbound.open → (fast open: first payload)
 *   → Opener → onEstablished
 * ```
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import type { Socket, SocketAddress, StreamSocket } from "../loop/mod.ts";
import type { ConnectorContext } from "./connector.ts";
import {
  CONNECT_TIMEOUT,
  MEMBER_TIMEOUT,
  STAGE_CONNECTING,
  STAGE_FAST_OPEN,
} from "./constants.ts";
import type { FirstFlight } from "./first_flight.ts";
import { Opener, type OpenerOwner } from "./opener.ts";
import type { Outbound, OutboundStream, Route } from "./outbound.ts";
import type { Decision, Router } from "./router.ts";
import type { Session } from "./session.ts";
import { BLOCKED, type Failure } from "./status.ts";
import { namedPlace, type Target } from "./target.ts";

/** What a {@linkcode Dialer} works with. */
export interface DialerContext extends ConnectorContext {
  /** Decides by rules. */
  readonly router: Router;
  /** False once the system has refused TCP fast open. */
  readonly fastOpen: boolean;
}

/** Whom a {@linkcode Dialer} works for. */
export interface DialerOwner {
  /** `STAGE_*`. */
  stage: number;
  /** True once the connection is over: then nothing more is done. */
  isDestroyed(): boolean;
  /** A socket was made; its events are to come to `handleEvent`. */
  onSocket(socket: StreamSocket): void;
  /** A socket failed or is not needed: close it. */
  onSocketFailed(socket: StreamSocket): void;
  /** Tells the client that the target is reached, unless it knows. */
  reply(): void;
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
  /** The first bytes for it. */
  readonly first: FirstFlight;
  /** Who asks. */
  readonly session: Session;
}

const logger = getLogger(["shadowsocks", "relay"]);

/** The search for one far side. */
export class Dialer implements OpenerOwner {
  readonly #context: DialerContext;
  readonly #owner: DialerOwner;
  readonly #options: DialerOptions;
  /** Outbounds that could not be reached. */
  readonly #tried: Outbound[] = [];
  /** The outbound that is being tried. */
  #outbound: Outbound | undefined;
  /** Gives the outbounds. */
  #route: Route | undefined;
  /** Takes the question to the router back. */
  #takeBack: (() => void) | undefined;
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
    context: DialerContext,
    owner: DialerOwner,
    options: DialerOptions,
  ) {
    this.#context = context;
    this.#owner = owner;
    this.#options = options;
  }

  /** Asks the router for the route, and begins with that. */
  ask(): void {
    const { target, session } = this.#options;
    const onDecision = (decision: Decision): void => this.#onDecision(decision);
    const { router } = this.#context;
    this.#takeBack = router.route(target, session, onDecision);
  }

  /**
   * Begins with a route.
   *
   * @param route Gives the outbounds.
   */
  start(route: Route): void {
    this.#route = route;
    this.#next(route);
  }

  #onDecision(decision: Decision): void {
    this.#takeBack = undefined;
    const { session } = this.#options;
    if ("blocked" in decision) {
      session.rule = decision.blocked;
      this.#owner.onUnreached(BLOCKED);
      return;
    }
    session.rule = decision.rule;
    this.start(decision.route);
  }

  /** Opens the next outbound that the route gives, or says that there is none. */
  #next(route: Route): void {
    const { session, target } = this.#options;
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
    if (!stream.fastOpen || !this.#awaitsPayload()) this.#connect(stream);
  }

  /** Fast open: connects with the first payload, or without any. */
  sendFirst(): void {
    const stream = this.#stream;
    if (stream === undefined) return;
    this.#owner.stage = STAGE_CONNECTING;
    this.#connect(stream, this.#options.first.encodeForSyn(stream));
  }

  /** Fast open: says success early, since the client speaks only after it. */
  #awaitsPayload(): boolean {
    const { first } = this.#options;
    if (!this.#context.fastOpen || !first.mayHavePayload) return false;
    const owner = this.#owner;
    owner.stage = STAGE_FAST_OPEN;
    owner.reply();
    if (!owner.isDestroyed()) first.awaitPayload(() => this.sendFirst());
    return true;
  }

  /** Opens the outbound that was picked; `fastOpenData` may leave with the SYN. */
  #connect(stream: OutboundStream, fastOpenData?: Uint8Array): void {
    const isMember = this.#route?.isGroup === true;
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
    this.#takeBack?.();
    this.#takeBack = undefined;
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

  /** Asks the router about an address of the target itself. */
  forbids(address: SocketAddress): boolean {
    const { session, target } = this.#options;
    const rule = this.#context.router.forbids(address, session, target);
    if (rule === undefined) return false;
    session.rule = rule;
    return true;
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
    if (this.#route !== undefined) this.#next(this.#route);
  }

  #now(): number {
    return this.#context.loop.time() * 1000;
  }
}
