/**
 * For tests: routers over ways that do nothing, a resolver that knows a few
 * names, sessions, and the lines that were logged.
 *
 * @module
 */

import { type DnsCallback, DnsError, type Resolver } from "../dns/mod.ts";
import { parseIp, SocketAddress } from "../loop/mod.ts";
import {
  type Decision,
  type Route,
  type Router,
  type Session,
  Sessions,
  Target,
} from "../relay/mod.ts";
import type { Acl } from "./acl/acl.ts";
import { parseAcl } from "./acl/parser.ts";
import { DirectOutbound } from "./direct.ts";
import { ForbiddenNetworks } from "./forbidden_networks.ts";
import { makeRouter } from "./router.ts";

/** The way of a client that is not direct. */
export const PROXY: Route = { name: "proxy", pick: () => undefined };
/** The direct way. */
export const DIRECT: Route = new DirectOutbound();

/** Reads rules that are right. */
export function aclOf(text: string): Acl {
  const reading = parseAcl(text, "test.acl");
  if ("acl" in reading) return reading.acl;
  throw new Error(`Cannot read ACL: ${JSON.stringify(reading.problems)}`);
}

/** Knows the names it was made with; answers at once or when it is told to. */
export class ZoneResolver implements Resolver {
  /** What was asked for. */
  readonly asked: string[] = [];
  readonly #zone: Readonly<Record<string, readonly string[]>>;
  readonly #isSlow: boolean;
  readonly #waiting = new Map<DnsCallback, string>();

  constructor(
    zone: Readonly<Record<string, readonly string[]>>,
    options: { readonly isSlow?: boolean } = {},
  ) {
    this.#zone = zone;
    this.#isSlow = options.isSlow ?? false;
  }

  /** How many questions wait. */
  get waiting(): number {
    return this.#waiting.size;
  }

  resolve(hostname: string, callback: DnsCallback): void {
    this.asked.push(hostname);
    this.#waiting.set(callback, hostname);
    if (!this.#isSlow) this.answer();
  }

  /** Answers all questions. */
  answer(): void {
    for (const [callback, hostname] of [...this.#waiting]) {
      this.#waiting.delete(callback);
      const addresses = (this.#zone[hostname] ?? []).map(addressOf);
      const error = addresses.length > 0
        ? undefined
        : new DnsError("not-found", `unknown hostname ${hostname}`);
      callback({ hostname, addresses, error });
    }
  }

  removeCallback(callback: DnsCallback): void {
    this.#waiting.delete(callback);
  }

  close(): void {
    this.#waiting.clear();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** What {@linkcode RouterFixture} is made with. */
export interface RouterFixtureOptions {
  readonly role: "client" | "server";
  readonly acl?: string;
  readonly forbidden?: string;
  /** Whether a server goes by a proxy. */
  readonly isProxied?: boolean;
  readonly zone?: Readonly<Record<string, readonly string[]>>;
  readonly isSlow?: boolean;
}

/** A router and what it needs. */
export class RouterFixture {
  readonly router: Router;
  readonly resolver: ZoneResolver;
  readonly #sessions = new Sessions();

  constructor(options: RouterFixtureOptions) {
    const { role, acl, forbidden, isProxied, zone = {}, isSlow } = options;
    this.resolver = new ZoneResolver(zone, { isSlow: isSlow ?? false });
    this.router = makeRouter({
      role,
      routes: {
        default: role === "client" || isProxied === true ? PROXY : DIRECT,
        direct: DIRECT,
      },
      acl: acl === undefined ? undefined : aclOf(acl),
      forbidden: forbidden === undefined
        ? undefined
        : ForbiddenNetworks.of(forbidden),
      resolver: this.resolver,
    });
  }

  /** A session of a client. */
  session(network: "tcp" | "udp" = "tcp", client = "192.0.2.1"): Session {
    return this.#sessions.open({
      listener: { protocol: "test", port: 1080 },
      network,
      client: SocketAddress.parse(client, 5000),
    }, 0);
  }

  /** Asks the router; the answer as text: the way, a colon, the rule. */
  ask(host: string, session = this.session()): string {
    let text = "no answer";
    this.router.route(Target.of(host, 443), session, (decision) => {
      text = textOf(decision);
    });
    return text;
  }
}

/** A decision as text: `direct: |rule`, `blocked: |rule`. */
export function textOf(decision: Decision): string {
  return "blocked" in decision
    ? `blocked: ${decision.blocked}`
    : `${decision.route.name}: ${decision.rule}`;
}

/** Bytes of an IP literal. */
export function addressOf(text: string): Uint8Array {
  const bytes = parseIp(text);
  if (bytes === undefined) throw new TypeError(`No address: ${text}`);
  return bytes;
}
