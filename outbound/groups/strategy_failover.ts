/**
 * The strategy "failover": the first member that works, in their order.
 *
 * @module
 */

import type { Strategy } from "./strategy.ts";
import type { Member } from "./member.ts";

/** Chooses the first. */
export class FailoverStrategy implements Strategy {
  /** Its name in a configuration. */
  readonly name = "failover";

  /** The first of the candidates. */
  choose(candidates: readonly Member[]): Member | undefined {
    return candidates[0];
  }

  /** The first of the candidates. */
  current(candidates: readonly Member[]): Member | undefined {
    return candidates[0];
  }
}
