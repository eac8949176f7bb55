/**
 * The ways of a configuration: its servers, its groups, `direct` and `block`.
 *
 * @module
 */

import type { Config, ProxyConfig } from "../config/mod.ts";
import type { ProviderSet } from "../crypto/mod.ts";
import type { Resolver } from "../dns/mod.ts";
import type { EventLoop } from "../loop/mod.ts";
import { BlockOutbound, DirectOutbound } from "../outbound/basic.ts";
import type { Groups, LeafDescription } from "../outbound/groups/mod.ts";
import { type Outbound, type Route, Target } from "../relay/mod.ts";
import { openEdition, type ReplayMemory } from "../shadowsocks/mod.ts";

/** What {@linkcode openOutbounds} works with. */
export interface OutboundsContext {
  /** Waits for probes. */
  readonly loop: EventLoop;
  /** Looks the names of servers up. */
  readonly resolver: Resolver;
  /** Gives the ciphers. */
  readonly providers: ProviderSet;
  /** Where salts are remembered; absent: in each server's edition. */
  readonly replayMemory?: ReplayMemory | undefined;
}

/** The ways of a configuration by their names. */
export class Outbounds implements Disposable {
  /** The ciphers of the servers, and the libraries that serve them. */
  readonly ciphers: readonly string[];
  readonly #routes: ReadonlyMap<string, Route>;
  readonly #groups: Groups | undefined;
  readonly #stack: DisposableStack;

  /**
   * Keeps what {@linkcode openOutbounds} has made.
   *
   * @param made The ways, the ciphers for the log, the groups if there are
   * some, and what ends with the ways.
   */
  constructor(
    made: {
      readonly routes: ReadonlyMap<string, Route>;
      readonly ciphers: readonly string[];
      readonly groups: Groups | undefined;
      readonly stack: DisposableStack;
    },
  ) {
    this.ciphers = made.ciphers;
    this.#routes = made.routes;
    this.#groups = made.groups;
    this.#stack = made.stack;
  }

  /**
   * Finds a way by its name; the configuration is checked, so it is there.
   *
   * @param name A server, a group, `direct` or `block`.
   * @throws {Error} If there is none.
   */
  route(name: string): Route {
    const route = this.#routes.get(name);
    if (route === undefined) {
      throw new Error(`Cannot find outbound "${name}": there is none`);
    }
    return route;
  }

  /** Begins to probe. */
  start(): void {
    this.#groups?.start();
  }

  /** Ends probes and ciphers. */
  [Symbol.dispose](): void {
    this.#groups?.stop();
    this.#stack.dispose();
  }
}

/**
 * Makes the ways of a configuration. What is not needed is not loaded.
 *
 * @param config The configuration, of a client or a server.
 * @param context What they work with.
 * @returns The ways; probes begin with `start`.
 * @throws {CipherError} If a cipher cannot be had.
 */
export async function openOutbounds(
  config: Config,
  context: OutboundsContext,
): Promise<Outbounds> {
  using stack = new DisposableStack();
  const ciphers: string[] = [];
  const leaves = new Map<string, LeafDescription>([
    ["direct", { outbound: new DirectOutbound(), kind: "direct" }],
    ["block", { outbound: new BlockOutbound(), kind: "block" }],
  ]);
  for (const server of config.locals.length > 0 ? config.servers : []) {
    const { ShadowsocksOutbound } = await import("../outbound/shadowsocks.ts");
    const edition = stack.use(await openEdition(server, context));
    ciphers.push(`${edition.method.name} by ${edition.providerVersion}`);
    const { name, host, port, fastOpen, mode } = server;
    const outbound = await viaProxies(
      new ShadowsocksOutbound({
        name,
        server: Target.ofPlace(host, port),
        edition,
        fastOpen,
      }),
      server.proxy,
    );
    const hasUdp = mode !== "tcp_only" && server.proxy.length === 0;
    const udpWeight = hasUdp ? server.udpWeight : 0;
    const tcpWeight = mode !== "udp_only" ? server.tcpWeight : 0;
    leaves.set(name, { outbound, kind: "server", tcpWeight, udpWeight });
  }
  const groups = config.groups.length > 0
    ? await openGroups(config, leaves, context)
    : undefined;
  const routes = new Map<string, Route>();
  for (const [name, { outbound }] of leaves) routes.set(name, outbound);
  for (const [name, route] of groups?.leaves ?? []) routes.set(name, route);
  for (const [name, route] of groups?.groups ?? []) routes.set(name, route);
  return new Outbounds({ routes, ciphers, groups, stack: stack.move() });
}

/**
 * Puts proxies of others in front of a way.
 *
 * @param inner The way.
 * @param proxies First hop first; none: the way itself.
 * @returns The way through them.
 */
export async function viaProxies(
  inner: Outbound,
  proxies: readonly ProxyConfig[],
): Promise<Outbound> {
  if (proxies.length === 0) return inner;
  const { HttpProxyHandshake, ProxyOutbound, Socks5ProxyHandshake } =
    await import("../outbound/proxies/mod.ts");
  const hops = proxies.map(({ protocol, host, port, user, password }) => ({
    target: Target.ofPlace(host, port),
    handshake: (target: Target) =>
      protocol === "socks5"
        ? new Socks5ProxyHandshake({ target, user, password })
        : new HttpProxyHandshake(
          target,
          user === undefined
            ? undefined
            : { name: user, password: password ?? "" },
        ),
  }));
  return new ProxyOutbound(inner, hops);
}

async function openGroups(
  config: Config,
  leaves: ReadonlyMap<string, LeafDescription>,
  context: OutboundsContext,
): Promise<Groups> {
  const { buildGroups, HttpProber } = await import("../outbound/groups/mod.ts");
  // The compiler holds the strategies of config/ against those of outbound/.
  return await buildGroups(config.groups, leaves, {
    timing: context.loop,
    prober: new HttpProber(context),
  });
}
