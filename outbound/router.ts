/**
 * Where sessions go: by the rules of an ACL, and by the networks that nobody
 * may be connected to.
 *
 * On a client, `[bypass_list]` sends targets directly and `[proxy_list]` by
 * the listener's own route. On a server the two lists are about clients. The
 * `[outbound_…]` sections and `forbidden_ip` forbid targets on both.
 *
 * Precedence: a name that has a rule goes by it (`[outbound_block_list]`
 * before `[outbound_allow_list]`, `[proxy_list]` before `[bypass_list]`); an
 * address too (`[outbound_block_list]` before `[outbound_allow_list]`,
 * `[bypass_list]` before `[proxy_list]`). A name without one is looked up only
 * if the list against the default has networks: one address in that list is
 * enough. The addresses of a name that goes direct are looked at one by one
 * when they are connected to. A name that a proxy will look up is looked up
 * here too if networks are forbidden or blocked.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import type { DnsAnswer, Resolver } from "../dns/mod.ts";
import { parseIp, type SocketAddress } from "../loop/mod.ts";
import type { Decision, Route, Router, Session, Target } from "../relay/mod.ts";
import { lookUp } from "./_look_up.ts";
import { RefusalLog } from "./_refusal_log.ts";
import { canonicalHost } from "./acl/_host_name.ts";
import type { Acl, Verdict } from "./acl/acl.ts";
import type { Forbidden } from "./forbidden_networks.ts";
import { askMeaning, type NameMeaning } from "./forbidden_names.ts";

const logger = getLogger(["shadowsocks", "outbound"]);

/** What {@linkcode makeRouter} needs. */
export interface RouterOptions {
  /** What the lists without `outbound` are about: targets or clients. */
  readonly role: "client" | "server";
  /** The routes to choose from. */
  readonly routes: {
    /** The listener's own route: its servers, or direct on a server. */
    readonly default: Route;
    /** Where targets of `[bypass_list]` go. */
    readonly direct: Route;
  };
  /** The rules; routers may share them. */
  readonly acl?: Acl | undefined;
  /** Networks that nobody is connected to. */
  readonly forbidden?: Forbidden | undefined;
  /** Looks names up where a rule needs an address. */
  readonly resolver: Resolver;
}

/**
 * Makes the router of a listener.
 *
 * @param options The rules and the routes.
 * @returns A router that decides nothing if there are no rules.
 */
export function makeRouter(options: RouterOptions): Router {
  const { acl, forbidden, routes } = options;
  return acl === undefined && (forbidden?.size ?? 0) === 0
    ? new OpenRouter(routes.default)
    : new AclRouter(options);
}

/** Sends everything by one route. */
export class OpenRouter implements Router {
  /** Never: nobody is refused. */
  readonly checksClients = false;
  readonly #decision: Decision;

  /**
   * Makes a router.
   *
   * @param route The route.
   */
  constructor(route: Route) {
    this.#decision = { route, rule: "" };
  }

  /** Refuses nobody. */
  refusesClient(): undefined {
    return undefined;
  }

  /**
   * Decides at once.
   *
   * @param _target Not looked at.
   * @param _session Not looked at.
   * @param done Called with the route.
   */
  route(
    _target: Target,
    _session: Session,
    done: (decision: Decision) => void,
  ): undefined {
    done(this.#decision);
  }

  /** Forbids nothing. */
  forbids(): undefined {
    return undefined;
  }
}

/** Decides by an ACL, forbidden networks, or both. */
export class AclRouter implements Router {
  /** Whether the rules are about clients: those of a server with an ACL. */
  readonly checksClients: boolean;
  readonly #isClient: boolean;
  readonly #acl: Acl | undefined;
  readonly #forbidden: Forbidden | undefined;
  readonly #resolver: Resolver;
  readonly #default: Route;
  readonly #direct: Route;
  readonly #defaultDecision: Passage;
  readonly #bypassDecision: Passage;
  readonly #log = new RefusalLog();

  /**
   * Makes a router; {@linkcode makeRouter} makes a cheaper one where it can.
   *
   * @param options The rules and the routes.
   */
  constructor(options: RouterOptions) {
    const { role, routes, acl, forbidden, resolver } = options;
    this.#isClient = role === "client";
    this.checksClients = role === "server" && acl !== undefined;
    this.#acl = acl;
    this.#forbidden = (forbidden?.size ?? 0) === 0 ? undefined : forbidden;
    this.#resolver = resolver;
    this.#default = routes.default;
    this.#direct = routes.direct;
    this.#defaultDecision = { route: routes.default, rule: "" };
    this.#bypassDecision = { route: routes.direct, rule: "bypass_all" };
  }

  /**
   * Tells whether a client may connect, and logs that it may not.
   *
   * @param client Who connects.
   * @returns The rule; on a client always undefined.
   */
  refusesClient(client: SocketAddress): string | undefined {
    if (this.#isClient || this.#acl === undefined) return undefined;
    const verdict = this.#acl.routeOfAddress(client.bytes);
    if (verdict?.list === "white") return undefined;
    if (verdict === undefined && !this.#acl.bypassAll) return undefined;
    const rule = verdict?.rule ?? "reject_all";
    // Of a flood of warnings a few are written: anybody can make these.
    logger.warn("client {client} is refused by rule {rule}", () => ({
      client: `${client}`,
      rule,
    }));
    return rule;
  }

  /**
   * Decides about a target, and logs that it is forbidden.
   *
   * @param target What is asked for.
   * @param session Who asks.
   * @param done Called once with the decision.
   * @returns Takes the question back; undefined if it was answered.
   */
  route(
    target: Target,
    session: Session,
    done: (decision: Decision) => void,
  ): (() => void) | undefined {
    const host = target.address === undefined
      ? canonicalHost(target.domain)
      : "";
    const bytes = target.address?.bytes ?? hiddenAddress(host, target.domain);
    if (bytes !== undefined) {
      done(this.#decideAddress(bytes, target, session));
      return undefined;
    }
    const question = { host, target, session, done };
    if (this.#forbidden !== undefined || this.#acl?.blocksNetworks === true) {
      return this.#routeForbidding(question);
    }
    return this.#acl === undefined
      ? void done(this.#defaultDecision)
      : this.#routeName(this.#acl, question);
  }

  /**
   * Tells whether an address may be connected to, and logs that it may not.
   *
   * @param address The address.
   * @param session Who asks.
   * @param target What the address belongs to.
   * @returns The rule; undefined: it may.
   */
  forbids(
    address: SocketAddress,
    session: Session,
    target?: Target,
  ): string | undefined {
    const network = this.#forbidden?.find(address.bytes);
    if (network !== undefined) {
      return this.#log.forbid(network, address.host, session);
    }
    const acl = this.#acl;
    if (acl === undefined) return undefined;
    const rule = acl.blockRuleOf(address.bytes) ??
      (acl.outboundBlockAll && !acl.allowsOutbound(address.bytes) &&
          !allowsName(acl, target)
        ? BLOCK_ALL
        : undefined);
    return rule === undefined
      ? undefined
      : this.#log.block(rule, address, session);
  }

  #decideAddress(
    bytes: Uint8Array,
    target: Target,
    session: Session,
  ): Decision {
    const acl = this.#acl;
    const outbound = acl?.outboundOfAddress(bytes);
    if (isForbidden(outbound, acl)) {
      return {
        blocked: this.#log.block(outbound?.rule ?? BLOCK_ALL, target, session),
      };
    }
    const routing = this.#isClient ? acl?.routeOfAddress(bytes) : undefined;
    const decision = this.#go(routing, outbound);
    // Addresses that are connected to directly are looked at then.
    if (!isDirect(decision.route)) {
      const network = this.#forbidden?.find(bytes);
      if (network !== undefined) {
        return { blocked: this.#log.forbid(network, target.host, session) };
      }
    }
    return decision;
  }

  /**
   * Routes a name; one that is not connected to from here, where each of its
   * addresses would be looked at, is looked up before.
   */
  #routeForbidding(question: NameQuestion): (() => void) | undefined {
    const { host, done } = question;
    let cancel: (() => void) | undefined;
    const decide = (decision: Decision, answer?: DnsAnswer): void => {
      cancel = undefined;
      if ("blocked" in decision || isDirect(decision.route)) {
        return done(decision);
      }
      const asker = question.session;
      const from = { resolver: this.#resolver, answer, asker };
      cancel = askMeaning(host, from, (meaning) => {
        cancel = undefined;
        const blocked = this.#refusesMeaning(meaning, question);
        done(blocked === undefined ? decision : { blocked });
      });
    };
    if (this.#acl === undefined) decide(this.#defaultDecision);
    else {
      const early = this.#routeName(this.#acl, { ...question, done: decide });
      cancel ??= early;
    }
    return cancel === undefined ? undefined : () => cancel?.();
  }

  /** The rule against handing a name to a proxy, which is logged. */
  #refusesMeaning(
    meaning: NameMeaning,
    { host, target, session }: NameQuestion,
  ): string | undefined {
    if (typeof meaning === "string" && this.#forbidden !== undefined) {
      return this.#log.forbid(meaning, host, session);
    }
    const addresses = meaning === "localhost" ? LOOPBACK : meaning;
    if (typeof addresses === "string") {
      const rule = `outbound_block_list ${addresses}`;
      return this.#log.block(rule, target, session);
    }
    for (const bytes of addresses) {
      const network = this.#forbidden?.find(bytes);
      if (network !== undefined) {
        return this.#log.forbid(network, host, session);
      }
      const rule = this.#acl?.blockRuleOf(bytes);
      if (rule !== undefined) return this.#log.block(rule, target, session);
    }
    return undefined;
  }

  #routeName(acl: Acl, question: NameQuestion): (() => void) | undefined {
    const { host, target, session, done } = question;
    const outbound = acl.outboundOfName(host);
    if (outbound?.list === "outboundBlock") {
      done({ blocked: this.#log.block(outbound.rule, target, session) });
      return undefined;
    }
    const routing = this.#isClient ? acl.routeOfName(host) : undefined;
    const asksRoute = this.#isClient && routing === undefined &&
      acl.routeNeedsAddress;
    const decision = this.#go(routing, outbound);
    const asksOutbound = outbound === undefined && acl.outboundBlockAll &&
      acl.outboundNeedsAddress;
    if (asksRoute || asksOutbound) {
      return this.#lookUp(acl, question, { routing, outbound });
    }
    done(
      outbound === undefined && acl.outboundBlockAll
        ? { blocked: this.#log.block(BLOCK_ALL, target, session) }
        : decision,
    );
    return undefined;
  }

  #lookUp(
    acl: Acl,
    question: NameQuestion,
    known: Verdicts,
  ): (() => void) | undefined {
    const { host, target, session, done } = question;
    const onAnswer = (answer: DnsAnswer): void => {
      const { addresses } = answer;
      const outbound = known.outbound ?? acl.outboundOfAddresses(addresses);
      if (isForbidden(outbound, acl)) {
        const rule = outbound?.rule ?? BLOCK_ALL;
        done({ blocked: this.#log.block(rule, target, session) });
        return;
      }
      const routing = this.#isClient
        ? known.routing ?? acl.routeOfAddresses(addresses)
        : undefined;
      done(this.#go(routing, outbound), answer);
    };
    return lookUp(host, this.#resolver, onAnswer, session);
  }

  /** The decision for a target that is not forbidden. */
  #go(
    routing: Verdict | undefined,
    outbound: Verdict | undefined,
  ): Passage {
    if (routing !== undefined) {
      const route = routing.list === "black" ? this.#direct : this.#default;
      return { route, rule: routing.rule };
    }
    if (this.#isClient && this.#acl?.bypassAll) return this.#bypassDecision;
    return outbound === undefined
      ? this.#defaultDecision
      : { route: this.#default, rule: outbound.rule };
  }
}

/** The name of the rule that forbids what has no rule. */
const BLOCK_ALL = "outbound_block_all";

/** What `localhost` means (RFC 6761, section 6.3). */
const LOOPBACK: readonly Uint8Array[] = [
  Uint8Array.of(127, 0, 0, 1),
  Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1),
];

/** A decision for a route. */
type Passage = Extract<Decision, { readonly route: Route }>;

interface Verdicts {
  readonly routing: Verdict | undefined;
  readonly outbound: Verdict | undefined;
}

/** What {@linkcode AclRouter.route} was asked about a name. */
interface NameQuestion {
  /** The name in the form of rules. */
  readonly host: string;
  readonly target: Target;
  readonly session: Session;
  /** Takes the decision, and the answer if the name was looked up for it. */
  readonly done: (decision: Decision, answer?: DnsAnswer) => void;
}

/** Whether a target is forbidden by its rule, or for want of one. */
function isForbidden(
  outbound: Verdict | undefined,
  acl: Acl | undefined,
): boolean {
  return outbound === undefined
    ? acl?.outboundBlockAll === true
    : outbound.list === "outboundBlock";
}

/** Whether a rule for its name allows a target, whatever its addresses are. */
function allowsName(acl: Acl, target: Target | undefined): boolean {
  if (target === undefined || target.address !== undefined) return false;
  const verdict = acl.outboundOfName(canonicalHost(target.domain));
  return verdict?.list === "outboundAllow";
}

/**
 * Whether the router will be asked about each address of a target. Of a group
 * with other members than direct that is not known yet: its targets are looked
 * at now, and their addresses again if it picks direct.
 */
function isDirect(route: Route): boolean {
  return route.isDirect === true;
}

/** The address that a name becomes in the form of rules: `127.0.0.1.`. */
function hiddenAddress(host: string, name: string): Uint8Array | undefined {
  return host === name ? undefined : parseIp(host);
}
