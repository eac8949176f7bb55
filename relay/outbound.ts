/**
 * Outbounds and routes: the contract of every server, proxy and group, and of
 * going to a target directly.
 *
 * @module
 */

import type { SocketAddress } from "../loop/mod.ts";
import type { StreamCodec } from "./codec.ts";
import type { Packet } from "./packet.ts";
import type { Session } from "./session.ts";
import type { Failure } from "./status.ts";
import type { Target } from "./target.ts";

/** Where a session may go: one outbound, or a group that picks one. */
export interface Route {
  /** The name, for logs and rules. */
  readonly name: string;
  /**
   * True if every connection by it goes to the target itself, so that the
   * router is asked about each address. Absent: false.
   */
  readonly isDirect?: boolean;
  /**
   * True if it picks one of several, so that a member that fails soon makes
   * room for the next. Absent: false.
   */
  readonly isGroup?: boolean;
  /**
   * Picks an outbound. Called again when that one could not be reached.
   *
   * @param session Says who asks for what.
   * @param tried Those that could not be reached, in order.
   * @returns An outbound that is not in `tried`; undefined: there is none left.
   */
  pick(session: Session, tried: readonly Outbound[]): Outbound | undefined;
}

/** Leads to targets. It is a {@linkcode Route} that picks itself. */
export interface Outbound extends Route {
  /**
   * Prepares a connection.
   *
   * @param target What was asked for.
   * @param session Who asks.
   */
  open(target: Target, session: Session): OutboundStream;
  /**
   * Prepares the datagrams of an association.
   *
   * @param session Who asks.
   * @returns The far side, or why there is none.
   */
  openPackets(session: Session): OutboundPackets | NoPackets;
  /**
   * False while it is known to be unreachable: then associations that use it
   * move to another member of their group. Absent: true.
   */
  readonly isUp?: boolean;
  /**
   * Hears that it was connected to.
   *
   * @param milliseconds From the start of connecting.
   */
  onReached?(milliseconds: number): void;
  /**
   * Hears that it could not be connected to.
   *
   * @param failure Why.
   */
  onUnreached?(failure: Failure): void;
  /**
   * Called when the far side of a connection has sent bytes that its codec
   * refuses; logs why.
   *
   * @param remote Who has sent them.
   * @param skew How many seconds its clock is ahead of ours, if that is why.
   */
  onCodecFailed?(remote: SocketAddress, skew?: number): void;
  /** Called at the end of a connection that has sent payload and got some. */
  onAnswered?(): void;
  /**
   * Called at the end of a connection that has sent payload and got none; logs
   * what may be wrong, if there is enough to tell.
   *
   * @param session The session, which has ended.
   * @param byFarSide Whether the far side has ended it, not the client.
   */
  onUnanswered?(session: Session, byFarSide: boolean): void;
}

/**
 * The far side of one connection. It is disposed of if it is not reached;
 * once it is, only its codec lives on, and is disposed of at the end.
 */
export interface OutboundStream extends Disposable {
  /** Whom to connect to; undefined: nobody, the session is blocked. */
  readonly destination: Target | undefined;
  /**
   * True if the destination is the target itself: then the router is asked
   * about each of its addresses, and a failure is the target's, not a
   * server's.
   */
  readonly isDirect: boolean;
  /** Whether the first bytes may leave with the SYN. */
  readonly fastOpen: boolean;
  /** The handshake with the proxies in front, before payload can flow. */
  readonly handshake: OutboundHandshake | undefined;
  /** The codec of the far side; undefined: its bytes are the payload. */
  readonly codec: StreamCodec | undefined;
}

/** What a proxy's answer leads to. */
export type HandshakeAnswer =
  | {
    /** Goes on: `send` goes to the proxy, then more bytes are waited for. */
    readonly kind: "more";
    readonly consumed: number;
    readonly send?: Uint8Array | undefined;
  }
  | {
    /** The proxy has opened the connection; bytes after `consumed` are the far side's first. */
    readonly kind: "ready";
    readonly consumed: number;
  }
  | {
    /** The proxy refuses, or does not speak its protocol. */
    readonly kind: "failed";
    readonly failure: Failure;
  };

/** The handshake with the proxies in front of an outbound, first to last. */
export interface OutboundHandshake {
  /** What is sent once connected. */
  start(): Uint8Array;
  /**
   * Takes the answer.
   *
   * @param data Bytes that came and were not consumed yet.
   */
  receive(data: Uint8Array): HandshakeAnswer;
}

/** Why an outbound carries no datagrams. */
export interface NoPackets {
  /**
   * How an association ends that has no other outbound: `blocked` where nobody
   * is to be reached, `server_failed` where the outbound has no UDP.
   */
  readonly refused: "blocked" | "server_failed";
  /** Constant words for the log. */
  readonly reason: string;
}

/** The far side of the datagrams of one association. */
export interface OutboundPackets extends Disposable {
  /** Whom every datagram goes to; undefined: to its own target. */
  readonly destination: Target | undefined;
  /**
   * True if answers count only when the destination itself has sent them,
   * since nothing in them proves who made them. Absent: false.
   */
  readonly checksSource?: boolean;
  /**
   * Wraps a datagram for the destination.
   *
   * @param packet The payload, with its target.
   * @param output Takes what is sent; as long as the relay's buffers.
   * @returns Bytes in `output`, `SEALED_IN_PLACE` or `NOT_SENDABLE`.
   */
  seal(packet: Packet, output: Uint8Array): number;
  /**
   * Unwraps an answer in place or into `output`; sets where its payload is,
   * and its source.
   *
   * @param packet The bytes as they came; `source` is who sent them.
   * @param output Room for the payload, with `PACKET_ROOM` left in front.
   * @returns False: it is not genuine, and is dropped.
   */
  open(packet: Packet, output: Uint8Array): boolean;
}
