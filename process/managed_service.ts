/**
 * A service whose ports a manager opens and closes.
 *
 * @module
 */

import type { Config, HostPort, ServerConfig } from "../config/mod.ts";
import { configForPort } from "../config/port_config.ts";
import {
  type ControlAddress,
  type ManagedPort,
  type ManagedServer,
  Manager,
  type PortRequest,
  PortTraffic,
} from "../control/mod.ts";
import { CipherError } from "../crypto/mod.ts";
import { listenAddress } from "../dns/mod.ts";
import { formatHostPort, parseIp, SocketError } from "../loop/mod.ts";
import { type PortSettings, Service, type ServiceOptions } from "./service.ts";

/**
 * Milliseconds until a port that the deno poller closes is closed: Deno holds
 * it until the operation under way has ended.
 */
const CLOSE_DELAY = 10;

/** A service and its manager. */
export class ManagedService implements ManagedServer {
  readonly #config: Config;
  readonly #options: ServiceOptions;
  readonly #service: Service;
  readonly #manager: Manager;
  /** Settles when requests may be done. */
  readonly #ready = Promise.withResolvers<void>();

  /**
   * Makes a service that listens nowhere.
   *
   * @param config What each port does; its servers are the first ports.
   * @param address Where the manager listens.
   * @param options What it runs on.
   */
  constructor(
    config: Config,
    address: ControlAddress,
    options: ServiceOptions,
  ) {
    const traffic = new PortTraffic();
    const observers = [...options.observers ?? [], traffic];
    this.#config = config;
    this.#options = options;
    this.#service = new Service(config, { ...options, observers });
    this.#manager = new Manager({
      address,
      dialect: config.managerDialect,
      loop: options.loop,
      resolver: options.resolver,
      server: this,
      traffic,
      ready: options.holds === true ? this.#ready.promise : undefined,
    });
  }

  /** The addresses of its ports. */
  get listening(): readonly HostPort[] {
    return this.#service.listening;
  }

  /** Where the manager listens, once it has started. */
  get controlName(): string {
    return this.#manager.controlName;
  }

  /** The ports of the configuration, each at all its addresses. */
  get startPorts(): readonly ManagedPort[] {
    const ports = new Map<number, ServerConfig[]>();
    for (const server of this.#config.servers) {
      const known = ports.get(server.port);
      if (known === undefined) ports.set(server.port, [server]);
      else known.push(server);
    }
    return [...ports.values()].map((servers) =>
      this.#portOf(servers, this.#config)
    );
  }

  /**
   * Begins to take requests, and opens the first ports.
   *
   * @throws {SocketError} If an address cannot be bound.
   * @throws {CipherError} If a cipher cannot be had.
   */
  async start(): Promise<void> {
    try {
      await this.#service.open();
      await this.#manager.start();
    } catch (error) {
      this.destroy();
      throw error;
    }
  }

  /** Serves whoever waits, and does the requests that have come. */
  begin(): void {
    this.#service.begin();
    this.#ready.resolve();
  }

  /**
   * Takes no more requests and closes the listeners; open connections go on.
   *
   * @param onIdle Called once when the last of them has ended.
   */
  close(onIdle: () => void): void {
    this.#manager.close();
    this.#service.close(onIdle);
  }

  /** Takes no more requests, closes the listeners, ends every connection. */
  destroy(): void {
    this.#manager.close();
    this.#service.destroy();
  }

  /**
   * Makes a port of the JSON of an `add`.
   *
   * @param json `server_port` and any other key of one port.
   * @returns The port, or what is wrong.
   */
  parsePort(json: string): PortRequest {
    const result = configForPort(this.#config, json);
    if (result.kind === "error") {
      return {
        kind: "error",
        messages: result.messages.map((one) => one.text),
      };
    }
    const warnings = result.warnings.map(({ level, text }) => ({
      level: level === "info" ? "info" as const : "warn" as const,
      text,
    }));
    return {
      kind: "port",
      port: this.#portOf(result.config.servers, result.config),
      warnings,
    };
  }

  /**
   * Where a port would listen.
   *
   * @param port Its number.
   */
  addressesOf(port: number): string {
    return this.#config.listenAddresses
      .map((host) => formatHostPort({ host, port })).join(", ");
  }

  /**
   * Stops to listen on a port and resets its connections; settles when it is
   * free.
   *
   * @param port Its number.
   */
  async closePort(port: number): Promise<void> {
    this.#service.removePort(port);
    const { loop } = this.#options;
    if (loop.poller.closesAtOnce) return;
    await new Promise<void>((resolve) => loop.addTimer(CLOSE_DELAY, resolve));
  }

  #portOf(
    servers: readonly ServerConfig[],
    settings: PortSettings,
  ): ManagedPort {
    const [first] = servers;
    const port = {
      port: first?.port ?? 0,
      method: first?.method ?? this.#config.method,
      addresses: servers.map(formatHostPort).join(", "),
    };
    if (servers.every(({ host }) => parseIp(host) !== undefined)) {
      return { ...port, open: () => this.#open(servers, settings) };
    }
    let found = servers;
    return {
      ...port,
      lookUp: () =>
        failureOf(async () => {
          found = await Promise.all(servers.map((each) => this.#lookUp(each)));
        }),
      open: () => this.#open(found, settings),
    };
  }

  async #lookUp(server: ServerConfig): Promise<ServerConfig> {
    const { host } = await listenAddress(server, this.#options.resolver);
    return { ...server, host };
  }

  #open(
    servers: readonly ServerConfig[],
    settings: PortSettings,
  ): Promise<Error | undefined> {
    return failureOf(() => this.#service.addServers(servers, settings));
  }
}

/** Does something; gives why it cannot be done. */
async function failureOf(
  action: () => Promise<void>,
): Promise<Error | undefined> {
  try {
    await action();
    return undefined;
  } catch (error) {
    if (error instanceof CipherError) return error;
    if (!(error instanceof SocketError)) throw error;
    const { withAdvice } = await import("./_advice.ts");
    return new SocketError(error.code, await withAdvice(error));
  }
}
