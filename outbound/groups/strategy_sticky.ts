/**
 * The strategy "sticky": all that goes to one site goes by one member, so that the
 * site sees one address of ours. Sites are spread over the members by weight.
 *
 * Rendezvous hashing: each pair of site and member has a number between 0 and
 * 1, and the member with the best one gets the site. If a member leaves, only
 * its own sites move, and they move back when it returns.
 *
 * @module
 */

import type { Session } from "../../relay/mod.ts";
import type { SiteOf } from "./site.ts";
import type { Strategy } from "./strategy.ts";
import { type Member, weightOf } from "./member.ts";

/** Chooses by the site that is asked for. */
export class StickyStrategy implements Strategy {
  /** Its name in a configuration. */
  readonly name = "sticky";
  readonly #siteOf: SiteOf;
  readonly #hashes = new Map<Member, number>();

  /**
   * Makes the strategy.
   *
   * @param siteOf Names the site of a host name.
   */
  constructor(siteOf: SiteOf) {
    this.#siteOf = siteOf;
  }

  /** The candidate that has the site. */
  choose(
    candidates: readonly Member[],
    session: Session,
  ): Member | undefined {
    const site = hash(this.#keyOf(session));
    let chosen: Member | undefined;
    let best = Infinity;
    for (const member of candidates) {
      const drawn = mix(site ^ this.#hashOf(member));
      // Half a step up, so that it is above 0 and below 1. The smallest of
      // several exponential times is each one's with a chance that is
      // proportional to its rate, the weight.
      const time = -Math.log((drawn + 0.5) / 2 ** 32) /
        weightOf(member, session.network);
      if (chosen !== undefined && time >= best) continue;
      best = time;
      chosen = member;
    }
    return chosen;
  }

  #keyOf({ target, client }: Session): string {
    if (target === undefined) return client.host;
    return target.address?.host ?? this.#siteOf(target.domain);
  }

  #hashOf(member: Member): number {
    let known = this.#hashes.get(member);
    if (known === undefined) {
      known = hash(member.route.name);
      this.#hashes.set(member, known);
    }
    return known;
  }
}

/** FNV-1a of the UTF-16 units, then {@linkcode mix}: 32 bits, unsigned. */
function hash(text: string): number {
  // The offset basis and the prime of FNV-1a for 32 bits.
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  }
  return mix(value);
}

/** The finalizer of MurmurHash3 for 32 bits: every bit moves every other. */
function mix(bits: number): number {
  let value = bits;
  value = Math.imul(value ^ value >>> 16, 0x85ebca6b);
  value = Math.imul(value ^ value >>> 13, 0xc2b2ae35);
  return (value ^ value >>> 16) >>> 0;
}
