/**
 * An outbound behind proxies of others: we connect to the first of them, ask
 * each for the next, and the last for the destination of the outbound itself.
 *
 * ```text
 * we ── proxy 1 ── proxy 2 ── shadowsocks server (or the target) ── …
 * ```
 *
 * Only connections go through proxies. CONNECT of HTTP carries no datagrams, and the
 * UDP ASSOCIATE of SOCKS5 gives an address that only the first proxy's
 * neighbours can send to, so there is no UDP: datagrams that went around the
 * proxies would show what the proxies are to hide.
 *
 * @module
 */

import type { SocketAddress } from "../../loop/mod.ts";
import type {
  Failure,
  HandshakeAnswer,
  NoPackets,
  Outbound,
  OutboundHandshake,
  OutboundStream,
  Session,
  StreamCodec,
  Target,
} from "../../relay/mod.ts";
import { pickSelf } from "../_pick_self.ts";

/** One proxy of a chain. */
export interface ProxyHop {
  /** Where the proxy listens; a name is looked up by whoever connects to it. */
  readonly target: Target;
  /**
   * Prepares the handshake with the proxy.
   *
   * @param next What the proxy is asked for.
   */
  handshake(next: Target): OutboundHandshake;
}

const NO_PACKETS: NoPackets = {
  refused: "server_failed",
  reason:
    "UDP is not carried by proxies; leave UDP out of the mode, or the proxies",
};

/** An outbound with proxies in front of it. */
export class ProxyOutbound implements Outbound {
  /** The name of the outbound behind the proxies. */
  readonly name: string;
  readonly #inner: Outbound;
  readonly #hops: readonly ProxyHop[];

  /**
   * Puts proxies in front of an outbound.
   *
   * @param inner The outbound.
   * @param hops The proxies in the order of connecting, one at least.
   * @throws {RangeError} If there is none.
   */
  constructor(inner: Outbound, hops: readonly ProxyHop[]) {
    if (hops.length === 0) {
      throw new RangeError(
        `Cannot put proxies in front of "${inner.name}": there are none`,
      );
    }
    this.name = inner.name;
    this.#inner = inner;
    this.#hops = hops;
  }

  /** Picks itself, once. */
  pick(_session: Session, tried: readonly Outbound[]): Outbound | undefined {
    return pickSelf(this, tried);
  }

  /** Prepares a connection to the first proxy. */
  open(target: Target, session: Session): OutboundStream {
    const inner = this.#inner.open(target, session);
    const { destination } = inner;
    // A blocked session is connected nowhere, proxies included.
    return destination === undefined
      ? inner
      : new ProxyStream(inner, destination, this.#hops);
  }

  /** Proxies carry no datagrams. */
  openPackets(): NoPackets {
    return NO_PACKETS;
  }

  /** Tells the outbound behind the proxies. */
  onReached(milliseconds: number): void {
    this.#inner.onReached?.(milliseconds);
  }

  /** Tells the outbound behind the proxies. */
  onUnreached(failure: Failure): void {
    this.#inner.onUnreached?.(failure);
  }

  /** Passes on that it has answered. */
  onAnswered(): void {
    this.#inner.onAnswered?.();
  }

  /** Passes on that nothing was answered. */
  onUnanswered(session: Session, byFarSide: boolean): void {
    this.#inner.onUnanswered?.(session, byFarSide);
  }

  /** Passes on that the far side has sent wrong bytes. */
  onCodecFailed(remote: SocketAddress, skew?: number): void {
    this.#inner.onCodecFailed?.(remote, skew);
  }
}

/** The far side of a connection through proxies. */
class ProxyStream implements OutboundStream {
  readonly destination: Target;
  /** The target's addresses are the last proxy's to find. */
  readonly isDirect = false;
  /** The handshake with the proxies comes before any payload. */
  readonly fastOpen = false;
  readonly handshake: OutboundHandshake;
  readonly #inner: OutboundStream;

  constructor(
    inner: OutboundStream,
    destination: Target,
    hops: readonly ProxyHop[],
  ) {
    this.#inner = inner;
    this.destination = hops[0]!.target;
    this.handshake = new ChainHandshake(inner, destination, hops);
  }

  get codec(): StreamCodec | undefined {
    return this.#inner.codec;
  }

  [Symbol.dispose](): void {
    this.#inner[Symbol.dispose]();
  }
}

/** The handshakes with all proxies, one after the other. */
class ChainHandshake implements OutboundHandshake {
  readonly #inner: OutboundStream;
  readonly #destination: Target;
  readonly #hops: readonly ProxyHop[];
  /** The proxy that is spoken with; the outbound itself has the last number. */
  #place = 0;
  #current: OutboundHandshake;

  constructor(
    inner: OutboundStream,
    destination: Target,
    hops: readonly ProxyHop[],
  ) {
    this.#inner = inner;
    this.#destination = destination;
    this.#hops = hops;
    this.#current = this.#handshakeAt(0)!;
  }

  start(): Uint8Array {
    return this.#current.start();
  }

  receive(data: Uint8Array): HandshakeAnswer {
    const answer = this.#current.receive(data);
    switch (answer.kind) {
      case "more":
        return answer;
      case "failed":
        return { kind: "failed", failure: this.#judged(answer.failure) };
      case "ready":
        break;
      default:
        return answer satisfies never;
    }
    const next = this.#handshakeAt(this.#place + 1);
    if (next === undefined) return answer;
    this.#place++;
    this.#current = next;
    return { kind: "more", consumed: answer.consumed, send: next.start() };
  }

  /** The handshake at a place; undefined behind the last. */
  #handshakeAt(place: number): OutboundHandshake | undefined {
    const hops = this.#hops;
    const hop = hops[place];
    if (hop !== undefined) {
      return hop.handshake(hops[place + 1]?.target ?? this.#destination);
    }
    return place === hops.length ? this.#inner.handshake : undefined;
  }

  /**
   * A proxy that cannot reach the next one has failed us; only the last one
   * knows about the target, and only if the outbound is direct.
   */
  #judged(failure: Failure): Failure {
    const last = this.#hops.length - 1;
    if (this.#place > last) return failure;
    if (this.#place === last && this.#inner.isDirect) return failure;
    return { status: "server_failed", code: failure.code };
  }
}
