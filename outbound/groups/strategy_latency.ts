/**
 * The strategy "latency": the member that answers fastest. It stays with the
 * one it has while that works and no other is clearly faster, so that it does
 * not flap between two that are equally far away.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import type { Session } from "../../relay/mod.ts";
import type { Strategy } from "./strategy.ts";
import { type Member, type Network, weightOf } from "./member.ts";

/**
 * Milliseconds by which another must be faster: what a round trip over radio
 * (Wi-Fi, LTE) varies by, and too little for people to notice.
 */
const TOLERANCE = 30;
/**
 * The part of the present latency by which another must be faster: above
 * 120 ms the variation grows with the length of the path.
 */
const TOLERANCE_PART = 0.25;

const logger = getLogger(["shadowsocks", "outbound"]);

/** Chooses the fastest. */
export class LatencyStrategy implements Strategy {
  /** Its name in a configuration. */
  readonly name = "latency";
  readonly #group: string;
  readonly #current: Record<Network, Member | undefined> = {
    tcp: undefined,
    udp: undefined,
  };

  /**
   * Makes the strategy.
   *
   * @param group The name of the group, for log lines.
   */
  constructor(group: string) {
    this.#group = group;
  }

  /** The present choice, or for a session that cannot have it the fastest. */
  choose(
    candidates: readonly Member[],
    { network }: Session,
    isFirst: boolean,
  ): Member | undefined {
    return isFirst
      ? this.current(candidates, network)
      : fastest(candidates, network);
  }

  /** The present choice, which changes if it is not good enough any more. */
  current(
    candidates: readonly Member[],
    network: Network,
  ): Member | undefined {
    const best = fastest(candidates, network);
    const present = this.#current[network];
    if (best === undefined || best === present) return best;
    if (present !== undefined && candidates.includes(present)) {
      const time = scoreOf(present, network);
      // Not measured yet: it gets the time to be.
      if (time === UNKNOWN) return present;
      const tolerance = Math.max(TOLERANCE, time * TOLERANCE_PART);
      if (scoreOf(best, network) >= time - tolerance) return present;
    }
    this.#current[network] = best;
    if (present !== undefined) {
      logger.info("group {group} changes from {from} to {to} for {network}", {
        group: this.#group,
        from: present.route.name,
        to: best.route.name,
        network,
      });
    }
    return best;
  }
}

/** The score of what nobody has measured: after all that was. */
const UNKNOWN = Number.MAX_VALUE;

/** The latency, the lighter the worse. */
function scoreOf(member: Member, network: Network): number {
  const latency = member.route.latency(network);
  if (latency === undefined) return UNKNOWN;
  return latency / weightOf(member, network);
}

/** The one with the best score; of equals the first. */
function fastest(
  candidates: readonly Member[],
  network: Network,
): Member | undefined {
  let best: Member | undefined;
  let bestScore = Infinity;
  for (const member of candidates) {
    const score = scoreOf(member, network);
    if (best !== undefined && score >= bestScore) continue;
    best = member;
    bestScore = score;
  }
  return best;
}
