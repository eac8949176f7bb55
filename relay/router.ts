/**
 * Who decides where a session goes.
 *
 * @module
 */

import type { SocketAddress } from "../loop/mod.ts";
import type { Route } from "./outbound.ts";
import type { Session } from "./session.ts";
import type { Target } from "./target.ts";

/** What a {@linkcode Router} decides. */
export type Decision =
  | {
    /** What gives outbounds for it. */
    readonly route: Route;
    /** The rule that chose it; `""`: the default. */
    readonly rule: string;
  }
  | {
    /** The rule that forbids it. */
    readonly blocked: string;
  };

/** Decides by rules where sessions go. */
export interface Router {
  /** False if `refusesClient` never refuses, so that nobody need ask. */
  readonly checksClients: boolean;
  /**
   * Tells whether a client may connect at all.
   *
   * @param client Who connects, or sends a first datagram.
   * @returns The rule that forbids it; undefined: none.
   */
  refusesClient(client: SocketAddress): string | undefined;
  /**
   * Decides about a target. Names are looked up only where a rule needs an
   * address.
   *
   * @param target What is asked for.
   * @param session Who asks.
   * @param done Called once with the decision; at once unless a name must be
   * looked up.
   * @returns Takes the question back, so that `done` is not called any more;
   * undefined if it was called.
   */
  route(
    target: Target,
    session: Session,
    done: (decision: Decision) => void,
  ): (() => void) | undefined;
  /**
   * Tells whether an address may be connected to directly: asked about each
   * address of a target, also when its name was allowed. Logs a refusal.
   *
   * @param address The address.
   * @param session Who asks.
   * @param target What the address belongs to: a rule that allows its name is
   * enough where all addresses without a rule are forbidden. Absent: only the
   * address counts.
   * @returns The rule that forbids it; undefined: none.
   */
  forbids(
    address: SocketAddress,
    session: Session,
    target?: Target,
  ): string | undefined;
}
