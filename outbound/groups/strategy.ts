/**
 * The contract of the strategies by which a group picks one of its members.
 *
 * @module
 */

import type { Session } from "../../relay/mod.ts";
import type { Member, Network } from "./member.ts";

/** The names of all strategies, as a configuration has them. */
export const STRATEGY_NAMES = [
  "latency",
  "failover",
  "round-robin",
  "random",
  "sticky",
  "select",
] as const;

/** One of {@linkcode STRATEGY_NAMES}. */
export type StrategyName = typeof STRATEGY_NAMES[number];

/** Chooses among the members that can be chosen. */
export interface Strategy {
  /** Its name in a configuration. */
  readonly name: StrategyName;
  /**
   * Chooses the member for a session.
   *
   * @param candidates At least one; all of them have a weight above 0 and a
   * an outbound for the session, none was tried. In the order of the group.
   * @param session Says who asks for what.
   * @param isFirst False: it is one more choice for a session whose first one
   * could not be reached.
   * @returns One of `candidates`; undefined: none of them will do.
   */
  choose(
    candidates: readonly Member[],
    session: Session,
    isFirst: boolean,
  ): Member | undefined;
  /**
   * The member that the next session would get. Absent: that depends on the
   * session, or on chance.
   *
   * @param candidates As for `choose`.
   * @param network TCP or UDP.
   */
  current?(
    candidates: readonly Member[],
    network: Network,
  ): Member | undefined;
  /**
   * Whether a member can be chosen at all now. Absent: each can.
   *
   * @param member A member of the group.
   */
  admits?(member: Member): boolean;
}
