/**
 * From plain descriptions to groups that pick: finds the members by name,
 * groups inside groups included, and decides what is probed and how often.
 *
 * @module
 */

import type { Outbound } from "../../relay/mod.ts";
import { Group } from "./group.ts";
import { Health } from "./health.ts";
import { type ProbePlan, ProbeSchedule } from "./probe_schedule.ts";
import type { Prober } from "./prober.ts";
import { loadSites, type SiteOf } from "./site.ts";
import type { Strategy, StrategyName } from "./strategy.ts";
import { FailoverStrategy } from "./strategy_failover.ts";
import { LatencyStrategy } from "./strategy_latency.ts";
import { RandomStrategy } from "./strategy_random.ts";
import { RoundRobinStrategy } from "./strategy_round_robin.ts";
import { SelectStrategy } from "./strategy_select.ts";
import { StickyStrategy } from "./strategy_sticky.ts";
import type { Timing } from "./timing.ts";
import { type OutboundKind, WatchedOutbound } from "./watched_outbound.ts";
import type { Member, MemberRoute } from "./member.ts";

/** What a configuration says about a group. */
export interface GroupDescription {
  /** Its name. */
  readonly name: string;
  /** How it picks. */
  readonly strategy: StrategyName;
  /** Names of leaves and of other groups. */
  readonly members: readonly string[];
  /** What probes ask for, an `http:` URL; undefined: none are sent. */
  readonly probeUrl?: string | undefined;
  /** Seconds between two probes of a member; 0: none are sent. */
  readonly probeInterval: number;
  /** What "select" begins with. Default: the first member. */
  readonly selected?: string | undefined;
}

/** An outbound, which is no group. */
export interface LeafDescription {
  /** The outbound. */
  readonly outbound: Outbound;
  /** What kind of outbound it is. Default: a server. */
  readonly kind?: OutboundKind | undefined;
  /** Its share of connections; 0: none, ever. Default: 1. */
  readonly tcpWeight?: number | undefined;
  /** Its share of associations; 0: none, ever. Default: 1. */
  readonly udpWeight?: number | undefined;
}

/** What {@linkcode buildGroups} runs on. */
export interface GroupsOptions {
  /** Time and timers. */
  readonly timing: Timing;
  /** Sends the probes. */
  readonly prober: Prober;
  /** Gives numbers from 0 to below 1. Default: `Math.random`. */
  readonly random?: (() => number) | undefined;
  /** How many probes run at once. Default: 8. */
  readonly probesAtOnce?: number | undefined;
}

/** All groups of a process, and the outbounds in them. */
export interface Groups {
  /** The groups by name, in the order of their descriptions. */
  readonly groups: ReadonlyMap<string, Group>;
  /**
   * The leaves by name. Rules and listeners that name one must use these: what
   * their sessions see is known to the groups too. A leaf that is in no group
   * is the outbound itself, since nobody asks after its health.
   */
  readonly leaves: ReadonlyMap<string, Outbound>;
  /** Those of them that are in a group, with what is known of their health. */
  readonly watched: ReadonlyMap<string, WatchedOutbound>;
  /** Begins to probe. */
  start(): void;
  /** Ends all probes. */
  stop(): void;
}

/**
 * Builds the groups. They are checked already: names are known, and no group
 * is within itself.
 *
 * @param descriptions The groups, in any order.
 * @param leaves All outbounds by name, `direct` and `block` among them.
 * @param options What they run on.
 * @throws {Error} If a member is unknown, or a group within itself.
 */
export async function buildGroups(
  descriptions: readonly GroupDescription[],
  leaves: ReadonlyMap<string, LeafDescription>,
  options: GroupsOptions,
): Promise<Groups> {
  const isSticky = descriptions.some(({ strategy }) => strategy === "sticky");
  const builder = new Builder(descriptions, leaves, {
    ...options,
    siteOf: isSticky ? await loadSites() : (host) => host,
  });
  return builder.build();
}

/** The state of one {@linkcode buildGroups}. */
class Builder {
  readonly #descriptions: ReadonlyMap<string, GroupDescription>;
  readonly #leaves: ReadonlyMap<string, LeafDescription>;
  readonly #options: GroupsOptions & { readonly siteOf: SiteOf };
  readonly #random: () => number;
  readonly #watched = new Map<string, WatchedOutbound>();
  readonly #groups = new Map<string, Group>();
  /** The groups whose members are being built, outermost first. */
  readonly #open = new Set<string>();

  constructor(
    descriptions: readonly GroupDescription[],
    leaves: ReadonlyMap<string, LeafDescription>,
    options: GroupsOptions & { readonly siteOf: SiteOf },
  ) {
    this.#descriptions = new Map(descriptions.map((one) => [one.name, one]));
    this.#leaves = leaves;
    this.#options = options;
    this.#random = options.random ?? Math.random;
  }

  build(): Groups {
    const members = new Set(
      [...this.#descriptions.values()].flatMap((one) => one.members),
    );
    const leaves = new Map<string, Outbound>();
    for (const [name, { outbound, kind = "server" }] of this.#leaves) {
      leaves.set(name, outbound);
      if (!members.has(name)) continue;
      const health = new Health(name, this.#options.timing);
      const watched = new WatchedOutbound(outbound, kind, health);
      this.#watched.set(name, watched);
      leaves.set(name, watched);
    }
    const groups = new Map<string, Group>();
    for (const description of this.#descriptions.values()) {
      groups.set(description.name, this.#group(description));
    }
    const schedule = new ProbeSchedule(this.#plans(), {
      timing: this.#options.timing,
      prober: this.#options.prober,
      random: this.#random,
      atOnce: this.#options.probesAtOnce,
    });
    return {
      groups,
      leaves,
      watched: this.#watched,
      start: () => schedule.start(),
      stop: () => schedule.stop(),
    };
  }

  #group(description: GroupDescription): Group {
    const { name } = description;
    const known = this.#groups.get(name);
    if (known !== undefined) return known;
    if (this.#open.has(name)) {
      throw new Error(
        `Cannot build group "${name}": it is within itself: ` +
          [...this.#open, name].join(" > "),
      );
    }
    this.#open.add(name);
    const members = description.members.map((each) => this.#member(each, name));
    this.#open.delete(name);
    const group = new Group({
      name,
      members,
      strategy: this.#strategy(description, members),
    });
    this.#groups.set(name, group);
    return group;
  }

  #member(name: string, group: string): Member {
    const description = this.#descriptions.get(name);
    const route: MemberRoute | undefined = description === undefined
      ? this.#watched.get(name)
      : this.#group(description);
    if (route === undefined) {
      throw new Error(`Cannot build group "${group}": no member "${name}"`);
    }
    const leaf = description === undefined ? this.#leaves.get(name) : undefined;
    return {
      route,
      tcpWeight: leaf?.tcpWeight ?? 1,
      udpWeight: leaf?.udpWeight ?? 1,
    };
  }

  #strategy(
    { name, strategy, selected }: GroupDescription,
    members: readonly Member[],
  ): Strategy {
    switch (strategy) {
      case "latency":
        return new LatencyStrategy(name);
      case "failover":
        return new FailoverStrategy();
      case "round-robin":
        return new RoundRobinStrategy();
      case "random":
        return new RandomStrategy(this.#random);
      case "sticky":
        return new StickyStrategy(this.#options.siteOf);
      case "select":
        return new SelectStrategy(
          members.find(({ route }) => route.name === selected) ?? members[0],
        );
    }
    return strategy satisfies never;
  }

  /**
   * What is probed: each outbound that is in a group with an interval, or in a
   * group within it, once, as the group with the shortest interval wants it.
   */
  #plans(): Map<WatchedOutbound, ProbePlan> {
    const plans = new Map<WatchedOutbound, ProbePlan>();
    for (const description of this.#descriptions.values()) {
      const { name, probeUrl: url, probeInterval } = description;
      const group = this.#groups.get(name);
      if (group === undefined || url === undefined) continue;
      if (!(probeInterval > 0)) continue;
      const plan = { url, interval: probeInterval * 1000 };
      for (const outbound of probedIn(group)) {
        const known = plans.get(outbound);
        if (known === undefined || known.interval > plan.interval) {
          plans.set(outbound, plan);
        }
      }
    }
    return plans;
  }
}

/**
 * The outbounds in a group and in the groups within it that a probe can say
 * something about. A probe is a connection: not about those for UDP alone.
 */
function* probedIn(group: Group): Generator<WatchedOutbound> {
  for (const { route, tcpWeight } of group.members) {
    if (tcpWeight === 0) continue;
    if (route instanceof Group) yield* probedIn(route);
    else if (route instanceof WatchedOutbound && route.kind !== "block") {
      yield route;
    }
  }
}
