/**
 * A group: a route that picks one of several members, by a strategy.
 *
 * It asks for a healthy member first, then for one of which only the probes say
 * that it does not work, then for any: a session is not lost because of what
 * others have seen.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import type { Outbound, Session } from "../../relay/mod.ts";
import type { Strategy, StrategyName } from "./strategy.ts";
import { SelectStrategy } from "./strategy_select.ts";
import {
  DOWN,
  HEALTHY,
  type Member,
  type MemberQuery,
  type MemberRoute,
  type Network,
  weightOf,
} from "./member.ts";

const logger = getLogger(["shadowsocks", "outbound"]);

/** What a {@linkcode Group} is made of. */
export interface GroupOptions {
  /** Its name. */
  readonly name: string;
  /** Its members, in their order. */
  readonly members: readonly Member[];
  /** How it picks; no other group's. */
  readonly strategy: Strategy;
}

/** Several outbounds under one name. */
export class Group implements MemberRoute {
  /** Its name. */
  readonly name: string;
  /** Its members, in their order. */
  readonly members: readonly Member[];
  /** A member that fails soon makes room for the next. */
  readonly isGroup = true;
  /** Whether no member is anything else than direct. */
  readonly isDirect: boolean;
  readonly #strategy: Strategy;

  /**
   * Makes a group.
   *
   * @param options Its name, its members and how it picks.
   */
  constructor(options: GroupOptions) {
    this.name = options.name;
    this.members = options.members;
    this.isDirect = options.members.every(({ route }) =>
      route.isDirect === true
    );
    this.#strategy = options.strategy;
  }

  /** How it picks. */
  get strategy(): StrategyName {
    return this.#strategy.name;
  }

  /** Picks an outbound, the healthiest that the strategy finds. */
  pick(session: Session, tried: readonly Outbound[]): Outbound | undefined {
    const { network } = session;
    for (let level = HEALTHY; level <= DOWN; level++) {
      const outbound = this.take(session, { network, tried, level });
      if (outbound !== undefined) return outbound;
    }
    return undefined;
  }

  /** Picks an outbound of that health or a better one. */
  take(session: Session, query: MemberQuery): Outbound | undefined {
    const candidates = this.#candidates(query);
    if (candidates.length === 0) return undefined;
    const isFirst = query.tried.length === 0;
    return this.#strategy.choose(candidates, session, isFirst)
      ?.route.take(session, query);
  }

  /** Whether a member serves that can be chosen. */
  serves(query: MemberQuery): boolean {
    return this.members.some((member) => this.#canBe(member, query));
  }

  /** The latency of the present choice, or of the fastest healthy member. */
  latency(network: Network): number | undefined {
    const current = this.current(network);
    if (current !== undefined) return current.route.latency(network);
    let best: number | undefined;
    const query = { network, tried: [], level: HEALTHY };
    for (const { route } of this.#candidates(query)) {
      const latency = route.latency(network);
      if (latency === undefined) continue;
      if (best === undefined || latency < best) best = latency;
    }
    return best;
  }

  /**
   * The member that the next session gets.
   *
   * @param network TCP or UDP.
   * @returns undefined: that depends on the session or on chance, or nothing
   * can carry that network.
   */
  current(network: Network): Member | undefined {
    if (this.#strategy.current === undefined) return undefined;
    for (let level = HEALTHY; level <= DOWN; level++) {
      const candidates = this.#candidates({ network, tried: [], level });
      if (candidates.length === 0) continue;
      return this.#strategy.current(candidates, network);
    }
    return undefined;
  }

  /** The name of the selected member; undefined: none can be selected. */
  get selected(): string | undefined {
    return this.#strategy instanceof SelectStrategy
      ? this.#strategy.selected?.route.name
      : undefined;
  }

  /**
   * Selects the member that new sessions go through; those that live stay.
   *
   * @param name The name of a member.
   * @returns False: there is no such member, or the group selects by itself.
   */
  select(name: string): boolean {
    if (!(this.#strategy instanceof SelectStrategy)) return false;
    const member = this.members.find(({ route }) => route.name === name);
    if (member === undefined) return false;
    const from = this.selected;
    if (from === name) return true;
    this.#strategy.selected = member;
    logger.info("group {group} is set from {from} to {to}", {
      group: this.name,
      from,
      to: name,
    });
    return true;
  }

  #candidates(query: MemberQuery): readonly Member[] {
    return this.members.filter((member) => this.#canBe(member, query));
  }

  #canBe(member: Member, query: MemberQuery): boolean {
    return weightOf(member, query.network) > 0 &&
      this.#strategy.admits?.(member) !== false &&
      member.route.serves(query);
  }
}
