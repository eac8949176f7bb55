/**
 * The strategy "select": the member that somebody has chosen, and no other,
 * whether it works or not. Whoever selects a member does not want another one.
 *
 * @module
 */

import type { Strategy } from "./strategy.ts";
import type { Member } from "./member.ts";

/** Chooses what was selected. */
export class SelectStrategy implements Strategy {
  /** Its name in a configuration. */
  readonly name = "select";
  /** The member that was selected; undefined: the group has none. */
  selected: Member | undefined;

  /**
   * Makes the strategy.
   *
   * @param selected The member that is selected at the start.
   */
  constructor(selected: Member | undefined) {
    this.selected = selected;
  }

  /** Only what was selected can be chosen. */
  admits(member: Member): boolean {
    return member === this.selected;
  }

  /** What was selected. */
  choose(candidates: readonly Member[]): Member | undefined {
    return candidates[0];
  }

  /** What was selected. */
  current(candidates: readonly Member[]): Member | undefined {
    return candidates[0];
  }
}
