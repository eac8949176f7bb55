/**
 * From a host to a socket: looks its name up, and connects to the first of its
 * addresses that answers ("happy eyeballs", RFC 8305).
 *
 * The families take turns, the preferred one first. An address that has not
 * answered after 250 ms goes on, and the next one is tried beside it; one that
 * fails makes room for the next at once. The first to be connected wins.
 *
 * @module
 */

import type { DnsAnswer, Resolver } from "../dns/mod.ts";
import {
  type EventHandler,
  type EventLoop,
  POLL_ERR,
  POLL_HUP,
  POLL_OUT,
  type Socket,
  SocketAddress,
  SocketError,
  type StreamSocket,
  type Timer,
} from "../loop/mod.ts";
import { ATTEMPT_DELAY, CONNECT_TIMEOUT } from "./constants.ts";
import { BLOCKED, type Failure } from "./status.ts";
import type { Target } from "./target.ts";

/** Whom a {@linkcode Connector} works for. */
export interface ConnectorOwner {
  /**
   * The name has no address; `onConnectFailed` comes next. Logs why.
   *
   * @param reason The words of the resolver.
   */
  onUnresolved?(reason: string): void;
  /** Whether an address must not be connected to; logs why. */
  forbids(address: SocketAddress): boolean;
  /** A socket was made; its events are to come to `handleEvent`. */
  onSocket(socket: StreamSocket): void;
  /** A socket failed or is not needed: close it. */
  onSocketFailed(socket: StreamSocket): void;
  /** A socket is connected, and the owner's; the connector's work is done. */
  onConnected(socket: StreamSocket): void;
  /** No address could be connected to, or may be: then it is `BLOCKED`. */
  onConnectFailed(failure: Failure): void;
}

/** What a {@linkcode Connector} works with. */
export interface ConnectorContext {
  /** Waits for the sockets. */
  readonly loop: EventLoop;
  /** Looks names up. */
  readonly resolver: Resolver;
  /** Gets the events of the sockets, and gives them to `handleEvent`. */
  readonly handler: EventHandler;
}

/** How to connect. */
export interface ConnectorOptions {
  /**
   * First data for TCP fast open. Addresses are then tried one after the
   * other, since two of them may lead to one server, which would take the
   * second for a replay.
   */
  readonly fastOpenData?: Uint8Array | undefined;
  /** Milliseconds after which an address has failed. Default: 10 s. */
  readonly timeout?: number | undefined;
}

interface Attempt {
  readonly socket: StreamSocket;
  /** Milliseconds of the loop's clock. */
  readonly deadline: number;
}

/** One attempt to reach a host. */
export class Connector {
  readonly #context: ConnectorContext;
  readonly #owner: ConnectorOwner;
  readonly #fastOpenData: Uint8Array | undefined;
  readonly #timeout: number;
  /** Addresses still to be tried, in order. */
  #candidates: SocketAddress[] = [];
  /** Connects under way, the oldest first. */
  #attempts: Attempt[] = [];
  #timer: Timer | undefined;
  #onAnswer: ((answer: DnsAnswer) => void) | undefined;
  /** The error of the last address that was not forbidden; `""`: none was. */
  #lastError = "";
  /** Whether an address was forbidden. */
  #isForbidden = false;
  #done = false;

  /**
   * Makes a connector that does nothing yet.
   *
   * @param context What it works with.
   * @param owner Told what happens.
   * @param options How to connect.
   */
  constructor(
    context: ConnectorContext,
    owner: ConnectorOwner,
    options: ConnectorOptions = {},
  ) {
    this.#context = context;
    this.#owner = owner;
    this.#fastOpenData = options.fastOpenData;
    this.#timeout = options.timeout ?? CONNECT_TIMEOUT;
  }

  /**
   * Looks a host up if it is a name, then connects.
   *
   * @param destination The host and port.
   */
  start({ address, domain, port }: Target): void {
    if (address !== undefined) {
      this.#startAt([address]);
      return;
    }
    const onAnswer = ({ addresses, error }: DnsAnswer): void => {
      if (this.#onAnswer !== onAnswer) return;
      this.#onAnswer = undefined;
      if (error === undefined) {
        this.#startAt(inTurns(addresses, port));
        return;
      }
      this.#owner.onUnresolved?.(error.message);
      this.#fail({ status: "name_failed", code: error.code });
    };
    this.#onAnswer = onAnswer;
    this.#context.resolver.resolve(domain, onAnswer);
  }

  /**
   * Takes an event of a socket that is being connected.
   *
   * @param socket The socket.
   * @param event A mask of `POLL_*`.
   */
  handleEvent(socket: Socket, event: number): void {
    const index = this.#attempts.findIndex((each) => each.socket === socket);
    const attempt = this.#attempts[index];
    if (attempt === undefined) return;
    if ((event & (POLL_ERR | POLL_HUP)) === 0) {
      this.#succeed(attempt.socket);
      return;
    }
    this.#attempts.splice(index, 1);
    this.#lastError = attempt.socket.takeError() || "ECONNREFUSED";
    this.#owner.onSocketFailed(attempt.socket);
    this.#next();
  }

  /** Gives up and closes its sockets; nobody is told anything any more. */
  cancel(): void {
    this.#done = true;
    this.#timer?.cancel();
    if (this.#onAnswer !== undefined) {
      this.#context.resolver.removeCallback(this.#onAnswer);
      this.#onAnswer = undefined;
    }
    for (const { socket } of this.#attempts.splice(0)) {
      this.#owner.onSocketFailed(socket);
    }
  }

  #startAt(addresses: SocketAddress[]): void {
    this.#candidates = addresses;
    this.#next();
  }

  /** Begins with the next address, if there is one. */
  #next(): void {
    for (;;) {
      if (this.#done) return;
      const address = this.#candidates.shift();
      if (address === undefined) {
        if (this.#attempts.length > 0) this.#watch();
        else this.#fail(this.#dialFailure());
        return;
      }
      if (this.#owner.forbids(address)) {
        this.#isForbidden = true;
        continue;
      }
      try {
        this.#open(address);
        return;
      } catch (failure) {
        if (!(failure instanceof SocketError)) throw failure;
        this.#lastError = failure.code;
      }
    }
  }

  #open(address: SocketAddress): void {
    const { loop, handler } = this.#context;
    const fastOpenData = this.#fastOpenData;
    const socket = fastOpenData === undefined
      ? loop.poller.connectTcp(address)
      : loop.poller.connectTcp(address, { fastOpenData });
    this.#owner.onSocket(socket);
    if (socket.connected) {
      this.#succeed(socket);
      return;
    }
    loop.add(socket, POLL_OUT, handler);
    const deadline = loop.time() * 1000 + this.#timeout;
    this.#attempts.push({ socket, deadline });
    this.#watch();
  }

  /** Waits until the next address is due, or the oldest connect is too late. */
  #watch(): void {
    this.#timer?.cancel();
    const { loop } = this.#context;
    const first = this.#attempts[0];
    if (first === undefined) return;
    const left = Math.max(0, first.deadline - loop.time() * 1000);
    const mayRace = this.#candidates.length > 0 &&
      this.#fastOpenData === undefined;
    const delay = mayRace ? Math.min(ATTEMPT_DELAY, left) : left;
    this.#timer = loop.addTimer(delay, () => this.#onTimer());
  }

  #onTimer(): void {
    const now = this.#context.loop.time() * 1000;
    const first = this.#attempts[0];
    if (first !== undefined && first.deadline <= now) {
      this.#attempts.shift();
      this.#lastError = "ETIMEDOUT";
      this.#owner.onSocketFailed(first.socket);
    }
    this.#next();
  }

  #succeed(socket: StreamSocket): void {
    this.#done = true;
    this.#timer?.cancel();
    for (const each of this.#attempts.splice(0)) {
      if (each.socket !== socket) this.#owner.onSocketFailed(each.socket);
    }
    this.#owner.onConnected(socket);
  }

  /** Blocked only if every address was: else the last error says more. */
  #dialFailure(): Failure {
    return this.#isForbidden && this.#lastError === ""
      ? BLOCKED
      : { status: "dial_failed", code: this.#lastError };
  }

  #fail(failure: Failure): void {
    this.#done = true;
    this.#timer?.cancel();
    this.#owner.onConnectFailed(failure);
  }
}

/** Addresses with the families in turn (RFC 8305, section 4). */
function inTurns(
  addresses: readonly Uint8Array[],
  port: number,
): SocketAddress[] {
  const [only] = addresses;
  if (addresses.length === 1 && only !== undefined) {
    return [SocketAddress.fromBytes(only, port)];
  }
  const first = only?.length;
  const preferred = addresses.filter(({ length }) => length === first);
  const others = addresses.filter(({ length }) => length !== first);
  const mixed: SocketAddress[] = [];
  for (let i = 0; i < preferred.length || i < others.length; i++) {
    for (const bytes of [preferred[i], others[i]]) {
      if (bytes !== undefined) mixed.push(SocketAddress.fromBytes(bytes, port));
    }
  }
  return mixed;
}
