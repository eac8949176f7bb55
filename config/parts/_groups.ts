/**
 * From the keys to the groups, the default outbound, and the ways that locals
 * name.
 *
 * @module
 */

import { shown } from "../_shown.ts";
import type { Context, Top } from "../_context.ts";
import type { PlacedLocal } from "./_locals.ts";
import { claimName, RESERVED } from "./_names.ts";
import { nearest } from "../readers/_nearest.ts";
import type { GroupKeys } from "../keys/_server_keys.ts";
import type { Servers } from "./_servers.ts";
import type { Section } from "../keys/_shape.ts";
import type { GroupConfig, Strategy } from "../types.ts";

/** The name of the group that everything goes to. */
const DEFAULT_GROUP = "default";

/** What shadowsocks-rust probes with, and how often. */
export const DEFAULT_PROBE_URL = "http://clients3.google.com/generate_204";
/** Seconds between probes. */
export const DEFAULT_PROBE_INTERVAL = 10;

/** Strategies that know nothing without probes. */
const PROBING: ReadonlySet<Strategy> = new Set(["latency", "failover"]);

/** The groups, and where everything goes that nothing sends elsewhere. */
export interface Groups {
  /** Those given, and the default one where it had to be made. */
  readonly all: readonly GroupConfig[];
  /** A server, a group, or `direct`. */
  readonly defaultOutbound: string;
}

/**
 * Makes the groups of a client.
 *
 * @param top The outermost table.
 * @param servers The servers.
 * @param context Takes what is wrong.
 * @returns The groups; none for servers.
 */
export function buildGroups(
  top: Top,
  servers: Servers,
  context: Context,
): Groups {
  if (!context.isClient) return { all: [], defaultOutbound: "direct" };
  const sections = top.values.groups ?? [];
  for (const [i, section] of sections.entries()) {
    const { name } = section.values;
    if (name !== undefined) {
      const at = section.at("name");
      const owner = `groups[${i}]`;
      claimName(name, { owners: servers.owners, owner, at, context });
    } else if (section.lacks("name")) {
      context.findings.refuse(`groups[${i}] has no "name"`, section.spot);
    }
  }
  const groups = sections.map((section, i) =>
    groupOf(section, { label: `groups[${i}]`, servers, context })
  );
  // One that shares its name with another is not what members mean by it.
  const named = groups.map((group, i) => ({ group, section: sections[i]! }))
    .filter(({ group }, i) =>
      servers.owners.get(group.name) === `groups[${i}]`
    );
  refuseCircles(named, context);
  return withDefault(groups, { top, servers });
}

function groupOf(
  section: Section<GroupKeys>,
  { label, servers, context }: {
    label: string;
    servers: Servers;
    context: Context;
  },
): GroupConfig {
  const { values } = section;
  const strategy = values.strategy ?? "latency";
  const members: string[] = [];
  for (const [i, member] of (values.members ?? []).entries()) {
    if (servers.owners.has(member) || RESERVED.has(member)) {
      members.push(member);
    } else if (!servers.disabled.has(member)) {
      context.findings.refuse(
        `${label} has the member ${unknown(member, servers)}`,
        section.at("members", [i]),
      );
      // One line is enough about this group.
      members.push(member);
    }
  }
  if (members.length === 0 && !isRefused(section, "members")) {
    context.findings.refuse(
      `${label} has no members that are not disabled: name servers or groups ` +
        'in "members"',
      section.at("members") ?? section.spot,
    );
  }
  const { selected } = values;
  if (selected !== undefined && !members.includes(selected)) {
    context.findings.refuse(
      `${label} selects ${shown(selected)}, which is not one of its ` +
        "members",
      section.at("selected"),
    );
  }
  const probe = values.probe_url ??
    (PROBING.has(strategy) ? DEFAULT_PROBE_URL : "");
  return {
    name: values.name ?? label,
    strategy,
    members,
    probeUrl: probe === "" ? undefined : probe,
    probeInterval: values.probe_interval ?? DEFAULT_PROBE_INTERVAL,
    selected,
  };
}

function isRefused(section: Section<GroupKeys>, key: "members"): boolean {
  return section.values[key] === undefined && !section.lacks(key);
}

/** `"x", and nothing is called that`, with a guess. */
function unknown(name: string, { owners, disabled }: Servers): string {
  const what = shown(name);
  if (disabled.has(name)) return `${what}, which is disabled`;
  const guess = nearest(name, [...owners.keys(), ...RESERVED]);
  const hint = guess === undefined ? "" : `: did you mean ${shown(guess)}?`;
  return `${what}, but no server or group is called that${hint}`;
}

/** Walks from each group; a name that comes again on the way is a circle. */
function refuseCircles(
  groups: readonly {
    readonly group: GroupConfig;
    readonly section: Section<GroupKeys>;
  }[],
  context: Context,
): void {
  const byName = new Map(groups.map((each) => [each.group.name, each]));
  const done = new Set<string>();
  const walk = (name: string, way: readonly string[]): void => {
    const found = byName.get(name);
    if (found === undefined || done.has(name)) return;
    for (const [m, member] of found.group.members.entries()) {
      const start = [...way, name].indexOf(member);
      if (start < 0) {
        walk(member, [...way, name]);
        continue;
      }
      const circle = [...way, name].slice(start).concat(member)
        .map(shown).join(" > ");
      context.findings.refuse(
        `groups in a circle: ${circle}: take one out of the other's members`,
        found.section.at("members", [m]),
      );
    }
    done.add(name);
  };
  for (const name of byName.keys()) walk(name, []);
}

function withDefault(
  groups: readonly GroupConfig[],
  { top, servers }: { top: Top; servers: Servers },
): Groups {
  const names = servers.all.map(({ name }) => name);
  const given = groups.find(({ name }) => name === DEFAULT_GROUP) ??
    groups.find(({ members }) =>
      names.length > 1 && names.every((name) => members.includes(name))
    );
  if (given !== undefined) return { all: groups, defaultOutbound: given.name };
  if (names.length <= 1) {
    return { all: groups, defaultOutbound: names[0] ?? "direct" };
  }
  // The flat lists are the original's, which picks at random and probes not.
  const isFlat = servers.tables.length === 0;
  let name = DEFAULT_GROUP;
  for (let i = 2; servers.owners.has(name); i++) {
    name = `${DEFAULT_GROUP} #${i}`;
  }
  const group: GroupConfig = {
    name,
    strategy: isFlat ? "random" : "latency",
    members: names,
    probeUrl: isFlat ? undefined : DEFAULT_PROBE_URL,
    probeInterval: top.values.balancer?.values.check_interval ??
      DEFAULT_PROBE_INTERVAL,
    selected: undefined,
  };
  return { all: [...groups, group], defaultOutbound: name };
}

/**
 * Checks that the ways which locals name exist.
 *
 * @param locals The locals.
 * @param servers The servers and all names.
 * @param context Takes what is wrong.
 */
export function checkOutbounds(
  locals: readonly PlacedLocal[],
  servers: Servers,
  context: Context,
): void {
  for (const { config: { outbound }, label, outboundAt } of locals) {
    const isKnown = outbound === undefined || RESERVED.has(outbound) ||
      servers.owners.has(outbound);
    if (isKnown) continue;
    context.findings.refuse(
      `${label} goes out by ${unknown(outbound, servers)}`,
      outboundAt,
    );
  }
}
