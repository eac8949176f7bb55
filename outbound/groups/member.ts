/**
 * What can stand in a group: an outbound, or another group, with the
 * questions that a group asks about it before it picks.
 *
 * @module
 */

import type { Outbound, Route, Session } from "../../relay/mod.ts";

/** It answers, as far as anybody knows. */
export const HEALTHY = 0;
/**
 * It can be connected to, or nobody tried, but no probe comes back through it:
 * a wrong password, or a probe URL that does not answer.
 */
export const DOUBTED = 1;
/** It could not be connected to. */
export const DOWN = 2;

/** TCP or UDP. */
export type Network = Session["network"];

/** What a group asks for when it looks for an outbound. */
export interface MemberQuery {
  /** TCP or UDP. */
  readonly network: Network;
  /** Ways that could not be reached: none of them is an answer. */
  readonly tried: readonly Outbound[];
  /** The worst health that will do: one of the three levels of this file. */
  readonly level: number;
}

/** A {@linkcode Route} that can stand in a group. */
export interface MemberRoute extends Route {
  /**
   * Whether `take` would find something. Changes nothing.
   *
   * @param query What is asked for.
   */
  serves(query: MemberQuery): boolean;
  /**
   * Picks an outbound that a session uses at once.
   *
   * @param session Says who asks for what.
   * @param query What is asked for, of the network of `session`.
   * @returns undefined: there is none at that level.
   */
  take(session: Session, query: MemberQuery): Outbound | undefined;
  /**
   * Milliseconds of a round trip through it, made worse by recent failures.
   *
   * @param network TCP or UDP.
   * @returns undefined: nobody knows yet. Infinity: there never is an answer.
   */
  latency(network: Network): number | undefined;
}

/** A {@linkcode MemberRoute} in a group. */
export interface Member {
  /** Where it leads. */
  readonly route: MemberRoute;
  /** Its share of connections; 0: none of them, ever. */
  readonly tcpWeight: number;
  /** Its share of UDP associations; 0: none of them, ever. */
  readonly udpWeight: number;
}

/**
 * The weight of a member.
 *
 * @param member The member.
 * @param network What it is asked to carry.
 */
export function weightOf(member: Member, network: Network): number {
  return network === "udp" ? member.udpWeight : member.tcpWeight;
}
