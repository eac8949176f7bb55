/**
 * How an outbound that is no group is picked.
 *
 * @module
 */

import type { Outbound } from "../relay/mod.ts";

/**
 * Picks an outbound once.
 *
 * @param outbound The outbound.
 * @param tried Those that could not be reached.
 * @returns The outbound; undefined if it was tried.
 */
export function pickSelf<T extends Outbound>(
  outbound: T,
  tried: readonly Outbound[],
): T | undefined {
  return tried.includes(outbound) ? undefined : outbound;
}
