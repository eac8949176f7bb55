/**
 * From a host to a socket: looks its name up, and connects to the first of its
 * addresses that answers ("happy eyeballs", RFC 8305).
 *
 * The families take turns, the preferred one first. An address that has not
 * answered after 250 ms goes on, and the next one is tried beside it; one that
 * fails makes room for the next at once. The first to be connected wins.
 *
 * Addresses are tried as they come: the first family to be known does not wait
 * for the other, whose addresses join when they are known. All has failed when
 * both families are known and each address has failed.
 *
 * @module
 */

import type { DnsAnswer, Resolver } from "../dns/mod.ts";
import {
  type EventHandler,
  type EventLoop,
  isSameIp,
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
  /** For whom names are looked up; absent: for the program itself. */
  readonly asker?: { readonly client: SocketAddress } | undefined;
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
  readonly #asker: ConnectorOptions["asker"];
  /** Addresses still to be tried, in order. */
  #candidates: SocketAddress[] = [];
  /** Connects under way, the oldest first. */
  #attempts: Attempt[] = [];
  #timer: Timer | undefined;
  /** Milliseconds of the loop's clock when the newest connect began. */
  #begun = 0;
  /** Takes an answer that is waited for. */
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
    this.#asker = options.asker;
  }

  /**
   * Looks a host up if it is a name, then connects.
   *
   * @param destination The host and port.
   */
  start({ address, domain, port }: Target): void {
    if (address !== undefined) {
      this.#candidates = [address];
      this.#next();
      return;
    }
    const onAnswer = (answer: DnsAnswer): void => {
      if (this.#onAnswer !== onAnswer) return;
      this.#onAnswer = undefined;
      const { addresses, error, isPartial } = answer;
      if (error !== undefined) {
        this.#owner.onUnresolved?.(error.message);
        this.#fail({ status: "name_failed", code: error.code });
        return;
      }
      this.#candidates = inTurns(addresses, port);
      if (isPartial === true) this.#awaitRest(domain, addresses, port);
      if (this.#attempts.length === 0) this.#next();
    };
    this.#onAnswer = onAnswer;
    const options = { asker: this.#asker };
    this.#context.resolver.resolve(domain, onAnswer, options);
  }

  /** Has the addresses that are not known yet join those that are tried. */
  #awaitRest(
    domain: string,
    known: readonly Uint8Array[],
    port: number,
  ): void {
    const onAnswer = ({ addresses }: DnsAnswer): void => {
      if (this.#onAnswer !== onAnswer) return;
      this.#onAnswer = undefined;
      const rest = addresses.filter((each) =>
        !known.some((other) => isSameIp(each, other))
      );
      const left = this.#candidates.map(({ bytes }) => bytes);
      // The other family is next, once one of the first has been tried.
      this.#candidates = inTurns(
        this.#begun === 0 ? [...left, ...rest] : [...rest, ...left],
        port,
      );
      const now = this.#context.loop.time() * 1000;
      const isDue = this.#fastOpenData === undefined &&
        now - this.#begun >= ATTEMPT_DELAY;
      if (isDue || this.#attempts.length === 0) this.#next();
      else this.#watch();
    };
    this.#onAnswer = onAnswer;
    const options = { asker: this.#asker, isWhole: true };
    this.#context.resolver.resolve(domain, onAnswer, options);
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
    this.#end();
    for (const { socket } of this.#attempts.splice(0)) {
      this.#owner.onSocketFailed(socket);
    }
  }

  /** Begins with the next address, if there is one. */
  #next(): void {
    for (;;) {
      if (this.#done) return;
      const address = this.#candidates.shift();
      if (address === undefined) {
        if (this.#attempts.length > 0) this.#watch();
        else if (this.#onAnswer === undefined) this.#fail(this.#dialFailure());
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
    this.#begun = loop.time() * 1000;
    this.#attempts.push({ socket, deadline: this.#begun + this.#timeout });
    this.#watch();
  }

  /** Waits until the next address is due, or the oldest connect is too late. */
  #watch(): void {
    this.#timer?.cancel();
    const { loop } = this.#context;
    const first = this.#attempts[0];
    if (first === undefined) return;
    const mayRace = this.#candidates.length > 0 &&
      this.#fastOpenData === undefined;
    const due = mayRace
      ? Math.min(this.#begun + ATTEMPT_DELAY, first.deadline)
      : first.deadline;
    const delay = Math.max(0, due - loop.time() * 1000);
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
    this.#end();
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
    this.#end();
    this.#owner.onConnectFailed(failure);
  }

  /** Waits for nothing any more. */
  #end(): void {
    this.#done = true;
    this.#timer?.cancel();
    if (this.#onAnswer === undefined) return;
    this.#context.resolver.removeCallback(this.#onAnswer);
    this.#onAnswer = undefined;
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
