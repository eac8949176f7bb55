/**
 * An outbound whose health is known: wraps any other outbound, listens to
 * what its sessions tell, and can stand in a group.
 *
 * @module
 */

import type {
  Failure,
  NoPackets,
  Outbound,
  OutboundPackets,
  OutboundStream,
  Session,
  Target,
} from "../../relay/mod.ts";
import type { SocketAddress } from "../../loop/mod.ts";
import type { Health } from "./health.ts";
import {
  HEALTHY,
  type MemberQuery,
  type MemberRoute,
  type Network,
} from "./member.ts";

/**
 * What kind of outbound it is. `server`: it can be down. `direct`: there is no
 * server, so a target that cannot be reached says nothing about it; only probes
 * do. `block`: always there, and always the slowest.
 */
export type OutboundKind = "server" | "direct" | "block";

/** An {@linkcode Outbound} and its health. */
export class WatchedOutbound implements Outbound, MemberRoute {
  /** The name of the outbound. */
  readonly name: string;
  /** What kind of outbound it is. */
  readonly kind: OutboundKind;
  /** What is known about it. */
  readonly health: Health;
  /** Whether every connection goes to the target itself. */
  readonly isDirect: boolean;
  readonly #outbound: Outbound;

  /**
   * Wraps an outbound. Whoever picks it must pick the wrapper from now on.
   *
   * @param outbound The outbound.
   * @param kind What kind of outbound it is.
   * @param health Its health; nobody else's.
   */
  constructor(outbound: Outbound, kind: OutboundKind, health: Health) {
    this.name = outbound.name;
    this.kind = kind;
    this.health = health;
    this.isDirect = outbound.isDirect === true;
    this.#outbound = outbound;
  }

  /** Picks itself. */
  pick(
    _session: Session,
    tried: readonly Outbound[],
  ): Outbound | undefined {
    if (tried.includes(this)) return undefined;
    this.health.claim();
    return this;
  }

  /** Whether it was not tried, and is healthy enough. */
  serves(query: MemberQuery): boolean {
    return (this.kind === "block" ? HEALTHY : this.health.level) <=
        query.level && !query.tried.includes(this);
  }

  /** Picks itself where {@linkcode WatchedOutbound.serves} would say yes. */
  take(session: Session, query: MemberQuery): Outbound | undefined {
    return this.serves(query) ? this.pick(session, query.tried) : undefined;
  }

  /** The latency that its health knows. */
  latency(_network: Network): number | undefined {
    if (this.kind === "block") return Infinity;
    // Without probes each server is used once, which tells its latency.
    const isUnused = this.kind === "server" && !this.health.isProbed;
    return this.health.latency ?? (isUnused ? 0 : undefined);
  }

  /** Prepares a connection. */
  open(target: Target, session: Session): OutboundStream {
    return this.#outbound.open(target, session);
  }

  /** Prepares the datagrams of an association. */
  openPackets(session: Session): OutboundPackets | NoPackets {
    return this.#outbound.openPackets(session);
  }

  /** Hears that it was connected to, and passes it on. */
  onReached(milliseconds: number): void {
    if (this.kind === "server") this.health.reached(milliseconds);
    this.#outbound.onReached?.(milliseconds);
  }

  /** Hears that it could not be connected to, and passes it on. */
  onUnreached(failure: Failure): void {
    if (this.kind === "server") this.health.unreached(failure);
    this.#outbound.onUnreached?.(failure);
  }

  /** Hears that it has answered, and passes it on. */
  onAnswered(): void {
    this.#outbound.onAnswered?.();
  }

  /** Hears that nothing was answered, and passes it on. */
  onUnanswered(session: Session, byFarSide: boolean): void {
    this.#outbound.onUnanswered?.(session, byFarSide);
  }

  /** Hears that the far side has sent wrong bytes, and passes it on. */
  onCodecFailed(remote: SocketAddress, skew?: number): void {
    this.#outbound.onCodecFailed?.(remote, skew);
  }

  /** False while sessions had better go elsewhere. */
  get isUp(): boolean {
    return this.kind !== "server" || this.health.isUp;
  }
}
