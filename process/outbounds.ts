/**
 * The ways of a configuration: its servers, its groups, `direct` and `block`.
 *
 * @module
 */

import type { Config, ProxyConfig, ServerConfig } from "../config/mod.ts";
import type { ProviderSet } from "../crypto/mod.ts";
import type { Resolver } from "../dns/mod.ts";
import type { EventLoop } from "../loop/mod.ts";
import {
  BlockOutbound,
  buildGroups,
  DirectOutbound,
  type Groups,
  HttpProber,
  HttpProxyHandshake,
  type LeafDescription,
  type ProxyHop,
  ProxyOutbound,
  ShadowsocksOutbound,
  Socks5ProxyHandshake,
} from "../outbound/mod.ts";
import { type Outbound, type Route, Target } from "../relay/mod.ts";
import { openEdition } from "../shadowsocks/mod.ts";

/** What {@linkcode openOutbounds} works with. */
export interface OutboundsContext {
  /** Waits for probes. */
  readonly loop: EventLoop;
  /** Looks the names of servers up. */
  readonly resolver: Resolver;
  /** Gives the ciphers. */
  readonly providers: ProviderSet;
}

/** The ways of a configuration by their names. */
export class Outbounds implements Disposable {
  /** The cipher of the first server and the library that serves it. */
  readonly ciphers: readonly string[];
  readonly #groups: Groups;
  readonly #stack: DisposableStack;

  /**
   * Keeps what {@linkcode openOutbounds} has made.
   *
   * @param groups Groups and single ways.
   * @param ciphers What the log says about ciphers.
   * @param stack What ends with the ways.
   */
  constructor(
    groups: Groups,
    ciphers: readonly string[],
    stack: DisposableStack,
  ) {
    this.#groups = groups;
    this.ciphers = ciphers;
    this.#stack = stack;
  }

  /**
   * Finds a way by its name; the configuration is checked, so it is there.
   *
   * @param name A server, a group, `direct` or `block`.
   * @throws {Error} If there is none.
   */
  route(name: string): Route {
    const route = this.#groups.groups.get(name) ??
      this.#groups.leaves.get(name);
    if (route === undefined) {
      throw new Error(`Cannot find outbound "${name}": there is none`);
    }
    return route;
  }

  /**
   * The way of a server's port to the targets of its clients.
   *
   * @param server The port.
   */
  routeOfServer({ proxy }: ServerConfig): Route {
    return proxy.length === 0
      ? this.route("direct")
      : viaProxies(new DirectOutbound(), proxy);
  }

  /** Begins to probe. */
  start(): void {
    this.#groups.start();
  }

  /** Ends probes and ciphers. */
  [Symbol.dispose](): void {
    this.#groups.stop();
    this.#stack.dispose();
  }
}

/**
 * Makes the ways of a configuration.
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
  const leaves = new Map<string, LeafDescription>();
  const ciphers: string[] = [];
  const isClient = config.locals.length > 0;
  for (const server of isClient ? config.servers : []) {
    const edition = stack.use(await openEdition(server, context.providers));
    ciphers.push(`${edition.method.name} by ${edition.providerVersion}`);
    const { name, host, port, fastOpen, tcpWeight, udpWeight } = server;
    const outbound = viaProxies(
      new ShadowsocksOutbound({
        name,
        server: Target.of(host, port),
        edition,
        fastOpen,
      }),
      server.proxy,
    );
    leaves.set(name, { outbound, kind: "server", tcpWeight, udpWeight });
  }
  leaves.set("direct", { outbound: new DirectOutbound(), kind: "direct" });
  leaves.set("block", { outbound: new BlockOutbound(), kind: "block" });
  const groups = await buildGroups(config.groups, leaves, {
    timing: context.loop,
    prober: new HttpProber(context),
  });
  return new Outbounds(groups, ciphers, stack.move());
}

function viaProxies(
  inner: Outbound,
  proxies: ServerConfig["proxy"],
): Outbound {
  return proxies.length === 0
    ? inner
    : new ProxyOutbound(inner, proxies.map(hopOf));
}

function hopOf(
  { protocol, host, port, user, password }: ProxyConfig,
): ProxyHop {
  const credentials = { user, password };
  return {
    target: Target.of(host, port),
    handshake: (target) =>
      protocol === "http"
        ? new HttpProxyHandshake(
          target,
          user === undefined
            ? undefined
            : { name: user, password: password ?? "" },
        )
        : new Socks5ProxyHandshake({ target, ...credentials }),
  };
}
