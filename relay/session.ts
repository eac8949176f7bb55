/**
 * One relayed connection or UDP association, from accept to end, and those who
 * are told of it.
 *
 * @module
 */

import { SocketAddress } from "../loop/mod.ts";
import { STREAM_UP } from "./constants.ts";
import type { Status } from "./status.ts";
import type { Target } from "./target.ts";

/** The listener that a session came through. */
export interface ListenerInfo {
  /** What it speaks: `mixed`, `socks`, `http`, `tunnel`, `shadowsocks`. */
  readonly protocol: string;
  /** The port it listens on. */
  readonly port: number;
}

/**
 * Told of every session of a process. Nothing here may throw, or keep a
 * session beyond its end.
 */
export interface Observer {
  /**
   * A session has begun; its target is not known yet.
   *
   * @param session The session.
   */
  onOpen?(session: Session): void;
  /**
   * A session has moved bytes; its own counters have them already.
   *
   * @param session The session.
   * @param stream `STREAM_UP` or `STREAM_DOWN`.
   * @param payload Bytes of the application.
   * @param wire Bytes on the client's side: as read from the client (up), or
   * as made for it (down).
   */
  onBytes?(
    session: Session,
    stream: number,
    payload: number,
    wire: number,
  ): void;
  /**
   * A session is over, and has its status.
   *
   * @param session The session.
   */
  onEnd?(session: Session): void;
}

/** Who came, as far as it has to be known: a socket is one. */
export interface Peer {
  /** The address; a socket makes it when it is first asked for. */
  readonly remoteAddress: SocketAddress;
}

/** What a {@linkcode Session} begins with. */
export interface SessionOptions {
  /** Where it came in. */
  readonly listener: ListenerInfo;
  /** Whether it is a connection or a UDP association. */
  readonly network: "tcp" | "udp";
  /** Who came: an address, or a socket that knows it. */
  readonly client: SocketAddress | Peer;
}

/** One connection or association, and what is known about it. */
export class Session {
  /** Counts up from 1 within a thread. */
  readonly id: number;
  /** Where it came in. */
  readonly listener: ListenerInfo;
  /** Whether it is a connection or a UDP association. */
  readonly network: "tcp" | "udp";
  /** When it began, in milliseconds of the loop's clock. */
  readonly started: number;
  /** The user's name; `""` until known, or if there are no users. */
  user = "";
  /** What was asked for; of an association the first target. */
  target: Target | undefined = undefined;
  /** The rule that chose its route; `""` if none did. */
  rule = "";
  /** The name of its outbound; `""` until known. */
  outbound = "";
  /** Bytes of payload from client to target. */
  up = 0;
  /** Bytes of payload from target to client. */
  down = 0;
  /** Bytes read from the client, whatever they were. */
  received = 0;
  /**
   * How the session ends if the client closes or resets its connection now,
   * where the inbound knows more than `ok` or `client_reset` says: HTTP sets
   * `auth_failed` after a 407. undefined: one of those two.
   */
  statusIfClientCloses: Status | undefined = undefined;
  /** How it ended; undefined before. */
  status: Status | undefined = undefined;
  /** Milliseconds of the loop's clock at the end; 0 before. */
  ended = 0;
  readonly #client: SocketAddress | Peer;
  readonly #observers: readonly Observer[];

  /**
   * Begins a session; {@linkcode Sessions.open} does.
   *
   * @param options Who and where.
   * @param id Its number.
   * @param now Milliseconds of the loop's clock.
   * @param observers Who is told.
   */
  constructor(
    options: SessionOptions,
    id: number,
    now: number,
    observers: readonly Observer[],
  ) {
    this.listener = options.listener;
    this.network = options.network;
    this.#client = options.client;
    this.id = id;
    // A whole number takes no memory of its own.
    this.started = Math.round(now);
    this.#observers = observers;
  }

  /** Who came. */
  get client(): SocketAddress {
    const client = this.#client;
    return client instanceof SocketAddress ? client : client.remoteAddress;
  }

  /**
   * Counts bytes.
   *
   * @param stream `STREAM_UP` or `STREAM_DOWN`.
   * @param payload Bytes of the application; 0 in a handshake.
   * @param wire Bytes on the client's side: see {@linkcode Observer.onBytes}.
   */
  moved(stream: number, payload: number, wire: number): void {
    if (stream === STREAM_UP) {
      this.up += payload;
      this.received += wire;
    } else this.down += payload;
    const observers = this.#observers;
    for (let i = 0; i < observers.length; i++) {
      observers[i]!.onBytes?.(this, stream, payload, wire);
    }
  }

  /**
   * Ends the session; the first status stays. {@linkcode Session.statusIfClientCloses} says
   * more than the way in which the client has left.
   *
   * @param status Why.
   * @param now Milliseconds of the loop's clock.
   */
  end(status: Status, now: number): void {
    if (this.status !== undefined) return;
    const byClient = status === "ok" || status === "client_reset";
    this.status = byClient ? this.statusIfClientCloses ?? status : status;
    this.ended = now;
    for (const observer of this.#observers) observer.onEnd?.(this);
  }
}

/**
 * What log lines call a session.
 *
 * @param session The session.
 * @returns Makes the names; called only if a line is written.
 */
export function namesOf(
  session: Session,
): () => { readonly name: string; readonly client: string } {
  return () => ({ name: `${session.target}`, client: `${session.client}` });
}

/** Begins the sessions of one loop. */
export class Sessions {
  readonly #observers: readonly Observer[];
  #lastId = 0;

  /**
   * Makes a source of sessions.
   *
   * @param observers Who is told of each.
   */
  constructor(observers: readonly Observer[] = []) {
    this.#observers = observers;
  }

  /**
   * Begins a session and tells the observers.
   *
   * @param options Who and where.
   * @param now Milliseconds of the loop's clock.
   */
  open(options: SessionOptions, now: number): Session {
    const observers = this.#observers;
    const session = new Session(options, ++this.#lastId, now, observers);
    for (const observer of observers) observer.onOpen?.(session);
    return session;
  }
}
