/**
 * The strategy "round-robin": the members in turn, each as often as its weight
 * says, and the turns of a heavy one spread between those of the others.
 *
 * Each member has a credit. A choice gives every candidate its weight, takes
 * the one with the most, and takes the sum of the weights from that one: with
 * weights 5, 1 and 1 that gives a a b a c a a ("smooth weighted round-robin").
 *
 * @module
 */

import type { Session } from "../../relay/mod.ts";
import type { Strategy } from "./strategy.ts";
import { type Member, type Network, weightOf } from "./member.ts";

/** Chooses in turn; connections and associations have turns of their own. */
export class RoundRobinStrategy implements Strategy {
  /** Its name in a configuration. */
  readonly name = "round-robin";
  readonly #credits: Readonly<Record<Network, Map<Member, number>>> = {
    tcp: new Map(),
    udp: new Map(),
  };

  /** The candidate whose turn it is. */
  choose(
    candidates: readonly Member[],
    { network }: Session,
  ): Member | undefined {
    const credits = this.#credits[network];
    let total = 0;
    let chosen: Member | undefined;
    let most = -Infinity;
    for (const member of candidates) {
      const weight = weightOf(member, network);
      const credit = (credits.get(member) ?? 0) + weight;
      credits.set(member, credit);
      total += weight;
      if (credit <= most) continue;
      most = credit;
      chosen = member;
    }
    if (chosen !== undefined) credits.set(chosen, most - total);
    return chosen;
  }
}
