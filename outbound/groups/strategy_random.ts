/**
 * The strategy "random", the original's: each connection goes anywhere, with a
 * chance that is proportional to the weight.
 *
 * @module
 */

import type { Session } from "../../relay/mod.ts";
import type { Strategy } from "./strategy.ts";
import { type Member, weightOf } from "./member.ts";

/** Chooses by chance. */
export class RandomStrategy implements Strategy {
  /** Its name in a configuration. */
  readonly name = "random";
  readonly #random: () => number;

  /**
   * Makes the strategy.
   *
   * @param random Gives numbers from 0 to below 1.
   */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** Any of the candidates. */
  choose(
    candidates: readonly Member[],
    { network }: Session,
  ): Member | undefined {
    let total = 0;
    for (const member of candidates) total += weightOf(member, network);
    let rest = this.#random() * total;
    for (const member of candidates) {
      rest -= weightOf(member, network);
      if (rest < 0) return member;
    }
    // The sum may have been rounded up.
    return candidates.at(-1);
  }
}
