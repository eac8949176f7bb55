/**
 * What speaks with whoever connects to us: the contract of every protocol that
 * a listener can have.
 *
 * @module
 */

import type { SocketAddress } from "../loop/mod.ts";
import type { StreamCodec } from "./codec.ts";
import type { Session } from "./session.ts";
import type { Failure, Status } from "./status.ts";
import type { Target } from "./target.ts";

/**
 * How a connection is left:
 *
 * - `close` sends what waits and then closes cleanly.
 * - `reset` aborts it.
 * - `drain` sends our end at once, and reads on until the deadline that counts
 *   from accept.
 * - `silent` says nothing, not even our end, until that deadline.
 */
export type Ending = "close" | "reset" | "drain" | "silent";

/** Nothing can be decided yet; the reply, if there is one, is sent. */
export interface MoreAnswer {
  /** Which answer it is. */
  readonly kind: "more";
  /** Bytes that need not be given again. */
  readonly consumed: number;
  /** Sent to the client. */
  readonly reply?: Uint8Array | undefined;
  /**
   * Milliseconds without a byte after which `onSilence` is to be called; the
   * client's end makes that no sooner. Absent: never.
   */
  readonly silence?: number | undefined;
  /** True if nothing is to be read until then. */
  readonly isFull?: boolean | undefined;
}

/** A connection to a target. Bytes after `consumed` are the codec's. */
export interface RequestAnswer {
  /** Which answer it is. */
  readonly kind: "request";
  /** Bytes that need not be given again. */
  readonly consumed: number;
  /** Where the client wants to go. */
  readonly target: Target;
  /** First payload, decoded already; valid during the call only. */
  readonly payload?: Uint8Array | undefined;
  /**
   * The client is not served but passed on: its session ends now, with this
   * status, and the target is connected to whatever the router says. If it
   * cannot be reached, `failed` says how the client is left. Absent: served.
   */
  readonly stranger?: Status | undefined;
}

/** What an inbound makes of the bytes that have come so far. */
export type InboundAnswer =
  | MoreAnswer
  | RequestAnswer
  | {
    /** The connection holds a UDP association (SOCKS5 UDP ASSOCIATE). */
    readonly kind: "associate";
    readonly consumed: number;
    /** The port that its datagrams will come from; 0: the client says none. */
    readonly port: number;
  }
  | {
    /** The client is not served. */
    readonly kind: "refuse";
    readonly status: Status;
    readonly ending: Ending;
    readonly reply?: Uint8Array | undefined;
  };

/** What is said to a client whose target was not reached. */
export interface Refusal {
  /** Sent first. */
  readonly reply?: Uint8Array | undefined;
  /** How the connection is left then. */
  readonly ending: Ending;
}

/** The same for a connection that was open. */
export interface FinalRefusal extends Refusal {
  /** How the session ends. */
  readonly status: Status;
}

/**
 * The client's side of one connection. Whatever is not whole yet is kept in
 * here, never in the handler.
 */
export interface InboundStream extends Disposable {
  /**
   * Takes bytes until there is a request. Sets `session.user`, and logs why
   * a client is refused.
   *
   * @param data Bytes that came and were not consumed yet; the buffer is used
   * again after the call. Empty at the start: an inbound that needs no bytes
   * (a tunnel) answers at once, all others "more".
   * @param output Room for what is decoded: as long as the relay's buffers.
   */
  receive(data: Uint8Array, output: Uint8Array): InboundAnswer;
  /**
   * Called when nothing has come for as long as the last answer has asked for.
   * Absent: no answer asks for that.
   *
   * @param data Bytes that came and were not consumed yet.
   * @returns No `more`.
   */
  onSilence?(data: Uint8Array): InboundAnswer;
  /**
   * What the client is told once the target is reached (with fast open: before
   * anybody knows); undefined: nothing.
   */
  connected(): Uint8Array | undefined;
  /**
   * What the client is told when it holds a UDP association.
   *
   * @param address Where to send datagrams: the address that the client has
   * reached us at, with the port of the UDP side.
   */
  associated?(address: SocketAddress): Uint8Array;
  /**
   * What the client is told when the target was not reached. Not called after
   * {@linkcode InboundStream.connected}: then the connection is reset.
   *
   * @param failure Why.
   */
  failed(failure: Failure): Refusal;
  /**
   * Called when bytes of an open connection are wrong: `codec` has failed.
   * Absent: the connection is reset, with the status `error`.
   *
   * @returns How the connection ends.
   */
  onCodecFailed?(): FinalRefusal;
  /**
   * Called when the target has sent its end. Absent: `pass`.
   *
   * @returns `pass`: the client gets the end too; `next`: the answer is whole,
   * and the connection goes on with its next request; or how it ends.
   */
  onTargetEnd?(): "pass" | "next" | FinalRefusal;
  /**
   * True if nobody may notice how long it takes to look at a stranger's bytes:
   * its end is answered at a moment that does not depend on it. Absent: false.
   */
  readonly hidesWork?: boolean;
  /**
   * True if whoever shows no request is reset, also at the deadline and at its
   * own end; where the poller cannot reset, it is drained. Absent: false.
   */
  readonly resetsStrangers?: boolean;
  /** The client's codec; undefined: its bytes are the payload. */
  readonly codec: StreamCodec | undefined;
  /**
   * True while nothing is under way in either direction, so that an end cuts
   * nothing (HTTP between two requests). Absent: never.
   */
  readonly idle?: boolean;
  /**
   * True once what was asked for is answered in full and the connection may
   * carry another request, for another target (HTTP keep-alive). The session
   * ends, and the next one begins with the bytes not consumed. Absent: never.
   */
  readonly finished?: boolean;
  /**
   * Asked once `finished` is true: true if there is no next request, since one
   * of the two has said so. The connection is closed as soon as the client was
   * sent everything. Absent: never.
   */
  readonly closes?: boolean;
}

/** A protocol of a listener. */
export interface Inbound {
  /**
   * Makes the client's side of a connection that was accepted.
   *
   * @param session The session of its first request.
   */
  accept(session: Session): InboundStream;
  /**
   * The client's side goes on with its next request.
   *
   * @param stream What `accept` gave; it is `finished`.
   * @param session The session of the next request.
   */
  next?(stream: InboundStream, session: Session): void;
}
