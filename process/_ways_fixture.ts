/**
 * For tests: ways that are names only, and sessions that ask for them.
 *
 * @module
 */

import { findMethod, openProviders, type ProviderSet } from "../crypto/mod.ts";
import { makePoller, SocketAddress } from "../loop/mod.ts";
import { BlockOutbound, DirectOutbound } from "../outbound/basic.ts";
import type { Groups } from "../outbound/groups/mod.ts";
import {
  type Decision,
  type NoPackets,
  type Outbound,
  type Router,
  type Session,
  Sessions,
  Target,
} from "../relay/mod.ts";
import { METHOD } from "./_config_fixture.ts";
import { Outbounds } from "./outbounds.ts";

/**
 * The ciphers of all tests of a file. Libraries stay loaded: those of the
 * poller and of the method are loaded here, so that no test is said to leak
 * them.
 */
export const PROVIDERS: ProviderSet = await openProviders();
(await makePoller())[Symbol.dispose]();
await PROVIDERS.forMethod(findMethod(METHOD)!);

/** No groups, which remember what they were told. */
export class FakeGroups implements Groups {
  readonly groups = new Map<string, never>();
  readonly watched = new Map<string, never>();
  readonly leaves = new Map<string, never>();
  /** `start` and `stop` in their order. */
  readonly told: string[] = [];

  start(): void {
    this.told.push("start");
  }

  stop(): void {
    this.told.push("stop");
  }
}

/** A way that leads nowhere. */
class NamedOutbound implements Outbound {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  pick(_session: Session, tried: readonly Outbound[]): Outbound | undefined {
    return tried.includes(this) ? undefined : this;
  }

  open(): never {
    throw new Error(`Cannot open ${this.name}: it is a fake`);
  }

  openPackets(): NoPackets {
    return { refused: "server_failed", reason: "it is a fake" };
  }
}

/**
 * Makes the ways of a process that lead nowhere.
 *
 * @param names The ways, beside `direct` and `block`.
 */
export function namedOutbounds(...names: readonly string[]): Outbounds {
  const routes = new Map<string, Outbound>([
    ["direct", new DirectOutbound()],
    ["block", new BlockOutbound()],
    ...names.map((name) => [name, new NamedOutbound(name)] as const),
  ]);
  const stack = new DisposableStack();
  return new Outbounds({ routes, ciphers: [], groups: undefined, stack });
}

/**
 * Begins a session.
 *
 * @param network Whether it is a connection or an association.
 * @param client The address of its client.
 */
export function newSession(
  network: Session["network"] = "tcp",
  client = "192.0.2.99",
): Session {
  return new Sessions().open({
    listener: { protocol: "mixed", port: 1080 },
    network,
    client: SocketAddress.parse(client, 4000),
  }, 0);
}

/**
 * Asks a router that decides at once.
 *
 * @param router The router.
 * @param host What is asked for.
 * @returns The name of the way, or `blocked by` and the rule.
 */
export function decisionOf(router: Router, host: string): string {
  let decision: Decision | undefined;
  router.route(Target.of(host, 443), newSession(), (each) => decision = each);
  if (decision === undefined) return "late";
  return "blocked" in decision
    ? `blocked by ${decision.blocked}`
    : decision.route.name;
}
