/**
 * A role at work: the listeners of a configuration on one loop. Ports of a
 * server can be added and removed while it runs.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import type {
  Config,
  HostPort,
  LocalConfig,
  ServerConfig,
} from "../config/mod.ts";
import type { ProviderSet } from "../crypto/mod.ts";
import { listenAddress, type Resolver } from "../dns/mod.ts";
import { DirectOutbound } from "../outbound/basic.ts";
import { type EventLoop, SocketError } from "../loop/mod.ts";
import { type Observer, RelayBuffers, Sessions } from "../relay/mod.ts";
import { openEdition, type ReplayMemory } from "../shadowsocks/mod.ts";
import type { AclFiles } from "./acl_files.ts";
import { planFamilies } from "./families.ts";
import { Listener, type ListenerContext } from "./listener.ts";
import { openOutbounds, type Outbounds, viaProxies } from "./outbounds.ts";
import { Routing } from "./routing.ts";

/** What a {@linkcode Service} runs on. */
export interface ServiceOptions {
  /** Runs the relays. */
  readonly loop: EventLoop;
  /** Looks names up. */
  readonly resolver: Resolver;
  /** Gives the ciphers. */
  readonly providers: ProviderSet;
  /** Where salts are remembered; absent: in each port's edition. */
  readonly replayMemory?: ReplayMemory | undefined;
  /** Has read the rules with the configuration; absent: they are read. */
  readonly acls?: AclFiles | undefined;
  /** Told of every session. */
  readonly observers?: readonly Observer[] | undefined;
  /** Lets several services share the ports (one in each worker). */
  readonly reusePort?: boolean | undefined;
  /** Where another service of the same configuration listens: so does this. */
  readonly listening?: readonly HostPort[] | undefined;
  /** Whether it logs where it listens; default true. */
  readonly announce?: boolean | undefined;
  /**
   * Whether nobody is served before {@linkcode Service.begin}; default false.
   */
  readonly holds?: boolean | undefined;
}

/** What the ports of a server may have of their own. */
export type PortSettings = Pick<
  Config,
  "forbiddenIp" | "udpTimeout" | "udpMaxAssociations"
>;

const logger = getLogger(["shadowsocks"]);

/** How a port of a server is opened. */
interface PortOptions {
  /** Where another service has it; undefined: where the server says. */
  readonly where?: HostPort | undefined;
  /** Whether it leaves IPv4 to another listener of the port. */
  readonly ipv6Only: boolean;
  /** Default: those of the configuration. */
  readonly settings?: PortSettings;
}

/** The listeners of one configuration. */
export class Service {
  readonly #config: Config;
  readonly #options: ServiceOptions;
  readonly #context: ListenerContext;
  #routing: Routing | undefined;
  /** Ciphers in use, each with the library that serves it. */
  readonly #ciphers = new Set<string>();
  #outbounds: Outbounds | undefined;
  /** Those that listen. */
  #listeners: Listener[] = [];
  /** Those that listen no more, and have open connections. */
  readonly #closing = new Set<Listener>();
  /** Whether it was said that connections are not reset. */
  #isWarned = false;
  #begun: boolean;
  #closed = false;
  #onIdle: (() => void) | undefined;

  /**
   * Makes a service, which begins with {@linkcode Service.start}.
   *
   * @param config What to do.
   * @param options What to run on.
   */
  constructor(config: Config, options: ServiceOptions) {
    this.#config = config;
    this.#options = options;
    this.#begun = options.holds !== true;
    this.#context = {
      loop: options.loop,
      resolver: options.resolver,
      buffers: new RelayBuffers(),
      sessions: new Sessions(options.observers),
      reusePort: options.reusePort ?? false,
    };
  }

  /** The addresses it listens on, with the ports the system chose. */
  get listening(): readonly HostPort[] {
    return this.#listeners.map(({ address: { host, port } }) => ({
      host,
      port,
    }));
  }

  /** Ciphers in use and who serves them: `aes-256-gcm by OpenSSL 3.0.19`. */
  get ciphers(): readonly string[] {
    return [...this.#ciphers];
  }

  /**
   * Listens on everything, or on nothing.
   *
   * @throws {SocketError} If an address cannot be bound.
   * @throws {CipherError} If a cipher cannot be had.
   * @throws {ProcessError} If an ACL has a rule that cannot be read.
   */
  async start(): Promise<void> {
    const { locals, servers } = this.#config;
    const { listening = [] } = this.#options;
    const isClient = locals.length > 0;
    await this.open();
    await this.#addAll(
      isClient
        ? this.#planned(locals).map(({ row, ipv6Only }, i) => () =>
          this.#addLocal(row, { where: listening[i], ipv6Only })
        )
        : this.#planned(servers).map(({ row, ipv6Only }, i) => () =>
          this.#addServer(row, { where: listening[i], ipv6Only })
        ),
    );
  }

  /** Serves whoever waits, and from now on everybody. */
  begin(): void {
    if (this.#begun) return;
    this.#begun = true;
    for (const listener of this.#listeners) listener.begin();
  }

  /**
   * Makes the ways, and listens nowhere: for a server whose ports come later.
   *
   * @throws {CipherError} If a cipher cannot be had.
   * @throws {ProcessError} If an ACL has a rule that cannot be read.
   */
  async open(): Promise<void> {
    const { resolver, acls } = this.#options;
    this.#routing = await Routing.create(this.#config, resolver, acls);
    const outbounds = await openOutbounds(this.#config, this.#options);
    if (this.#closed) {
      outbounds[Symbol.dispose]();
      return;
    }
    this.#outbounds = outbounds;
    for (const cipher of outbounds.ciphers) this.#announce(cipher);
    outbounds.start();
  }

  /**
   * Listens on the addresses and ports of more servers, on all or on none.
   *
   * @param servers Where to listen, and with which method and password.
   * @param settings What differs from the configuration of the process.
   * @throws {SocketError} If an address cannot be bound.
   * @throws {CipherError} If a cipher cannot be had.
   */
  addServers(
    servers: readonly ServerConfig[],
    settings: PortSettings = this.#config,
  ): Promise<void> {
    return this.#addAll(
      this.#planned(servers).map(({ row, ipv6Only }) => () =>
        this.#addServer(row, { settings, ipv6Only })
      ),
    );
  }

  /**
   * Stops to listen on a port, at all its addresses, and ends its connections:
   * who was removed is served no more, nor counted for who comes next.
   *
   * @param port The port.
   * @returns Whether somebody listened there.
   */
  removePort(port: number): boolean {
    const removed = this.#listeners
      .filter(({ address }) => address.port === port);
    this.#listeners = this.#listeners
      .filter((each) => !removed.includes(each));
    if (this.#options.announce !== false) logClose(removed);
    for (const listener of removed) listener.destroy("removed");
    return removed.length > 0;
  }

  /**
   * Closes the listeners; open connections go on.
   *
   * @param onIdle Called once when the last of them has ended.
   */
  close(onIdle: () => void): void {
    this.#closed = true;
    this.#close(this.#listeners.splice(0));
    this.#onIdle = onIdle;
    this.#checkIdle();
  }

  /** Closes the listeners and ends every connection. */
  destroy(): void {
    this.#closed = true;
    for (const each of this.#listeners.splice(0)) each.destroy();
    for (const each of this.#closing) each.destroy();
    this.#closing.clear();
    this.#outbounds?.[Symbol.dispose]();
    this.#outbounds = undefined;
  }

  async #addAll(adders: readonly (() => Promise<Listener>)[]): Promise<void> {
    const added: Listener[] = [];
    try {
      for (const add of adders) {
        const listener = await add();
        added.push(listener);
        this.#listeners.push(listener);
        if (this.#begun) listener.begin();
      }
    } catch (error) {
      this.#listeners = this.#listeners.filter((one) => !added.includes(one));
      for (const listener of added) listener.destroy();
      throw error;
    }
  }

  #planned<T extends LocalConfig | ServerConfig>(
    rows: readonly T[],
  ): ReturnType<typeof planFamilies<T>> {
    return planFamilies(rows, this.#options.loop.poller.splitsFamilies);
  }

  async #addLocal(
    local: LocalConfig,
    { where, ipv6Only }: PortOptions,
  ): Promise<Listener> {
    const { resolver } = this.#options;
    const { timeout, udpTimeout, udpMaxAssociations } = this.#config;
    const address = await listenAddress(
      where ?? { host: local.address, port: local.port },
      resolver,
    );
    const { localInbound } = await import("./local_inbound.ts");
    const { inbound, packets, udpNeedsTcp } = localInbound(local);
    const { outbounds, routing } = this.#opened(`${address}`);
    const listener = new Listener({
      address,
      ipv6Only,
      protocol: local.protocol,
      mode: local.mode,
      inbound,
      packets,
      udpNeedsTcp,
      router: routing.forLocal(local, outbounds),
      timeout,
      udpTimeout,
      maxAssociations: udpMaxAssociations,
      fastOpen: this.#config.fastOpen,
      resource: undefined,
    }, this.#context);
    if (this.#options.announce !== false) {
      logStart(local, `${listener.address}`);
    }
    return listener;
  }

  async #addServer(
    server: ServerConfig,
    { where = server, ipv6Only, settings = this.#config }: PortOptions,
  ): Promise<Listener> {
    const { resolver, providers, replayMemory } = this.#options;
    const address = await listenAddress(where, resolver);
    const { ShadowsocksInbound, ShadowsocksPackets } = await import(
      "../inbound/server.ts"
    );
    const direct = this.#opened(`${address}`).outbounds.route("direct");
    const route = server.proxy.length > 0
      ? await viaProxies(new DirectOutbound(), server.proxy)
      : direct;
    const edition = await openEdition(server, { providers, replayMemory });
    if (this.#closed) {
      edition[Symbol.dispose]();
      throw ended(`${address}`);
    }
    const { routing } = this.#opened(`${address}`);
    const listener = new Listener({
      address,
      ipv6Only,
      protocol: "shadowsocks",
      mode: server.mode,
      inbound: new ShadowsocksInbound(edition, {
        reject: server.reject,
        fallback: server.fallback,
      }),
      packets: new ShadowsocksPackets(edition, settings.udpMaxAssociations),
      udpNeedsTcp: false,
      router: routing.forServer(server, route, settings.forbiddenIp),
      timeout: server.timeout,
      udpTimeout: settings.udpTimeout,
      maxAssociations: settings.udpMaxAssociations,
      fastOpen: server.fastOpen,
      resource: edition,
    }, this.#context);
    this.#announce(`${edition.method.name} by ${edition.providerVersion}`);
    if (this.#options.announce !== false) {
      const isNew = edition.method.edition === "2022";
      if (isNew && server.reject === "reset") this.#warnOfReset();
      logger.info("starting {what} at {address}", {
        what: "server",
        address: `${listener.address}`,
      });
    }
    return listener;
  }

  /** What `open` has made; it is gone once the service has ended. */
  #opened(
    address: string,
  ): { readonly outbounds: Outbounds; readonly routing: Routing } {
    const outbounds = this.#outbounds;
    const routing = this.#routing;
    if (this.#closed || outbounds === undefined || routing === undefined) {
      throw ended(address);
    }
    return { outbounds, routing };
  }

  #announce(cipher: string): void {
    if (this.#ciphers.has(cipher)) return;
    this.#ciphers.add(cipher);
    if (this.#options.announce === false) return;
    logger.info("{cipher}, {poller} event loop", {
      cipher,
      poller: this.#options.loop.poller.name,
    });
  }

  /** Says once that the poller cannot do what `reject` asks for. */
  #warnOfReset(): void {
    const { poller } = this.#context.loop;
    if (poller.resets || this.#isWarned) return;
    this.#isWarned = true;
    logger.warn(
      'the {poller} event loop cannot reset connections: `reject = "reset"` is done as "drain"',
      { poller: poller.name },
    );
  }

  #close(listeners: readonly Listener[]): void {
    if (this.#options.announce !== false) logClose(listeners);
    for (const listener of listeners) {
      this.#closing.add(listener);
      listener.close(() => {
        this.#closing.delete(listener);
        this.#checkIdle();
      });
    }
  }

  #checkIdle(): void {
    if (this.#closing.size > 0) return;
    const onIdle = this.#onIdle;
    this.#onIdle = undefined;
    onIdle?.();
  }
}

function ended(address: string): SocketError {
  return new SocketError(
    "ECANCELED",
    `Cannot listen on ${address}: the service has ended`,
  );
}

/** One line a port and network, however many addresses the port has. */
function logClose(listeners: readonly Listener[]): void {
  const logged = new Set<string>();
  for (const { networks, address: { port } } of listeners) {
    for (const network of networks) {
      const name = `${network} ${port}`;
      if (logged.has(name)) continue;
      logged.add(name);
      logger.info("closed {network} port {port}", { network, port });
    }
  }
}

function logStart({ protocol, forward }: LocalConfig, address: string): void {
  if (protocol === "tunnel" && forward !== undefined) {
    logger.info("starting tcp tunnel at {address} forward to {target}", {
      address,
      target: `${forward.host}:${forward.port}`,
    });
    return;
  }
  logger.info("starting {what} at {address}", { what: "local", address });
}
