/**
 * A role at work: the relays of every address and port of a configuration, on
 * one loop. Ports can be added and removed while it runs.
 *
 * @module
 */

import type { Config, HostPort } from "../config/mod.ts";
import { CipherSuite, type ProviderSet } from "../crypto/mod.ts";
import type { Resolver } from "../dns/mod.ts";
import { type EventLoop, SocketError } from "../loop/mod.ts";
import { listenAddress } from "./listen_address.ts";
import { PortRelays } from "./port_relays.ts";
import { RelayBuffers, type StatCallback } from "./settings.ts";

/** What a {@linkcode Service} runs on. */
export interface ServiceOptions {
  /** Runs the relays. */
  readonly loop: EventLoop;
  /** Looks names up. */
  readonly resolver: Resolver;
  /** Gives the ciphers. */
  readonly providers: ProviderSet;
  /** Told of every read. */
  readonly statCallback?: StatCallback | undefined;
  /** Lets several services share the ports (one in each worker). */
  readonly reusePort?: boolean | undefined;
  /** Where another service of the same configuration listens: so does this. */
  readonly listening?: readonly HostPort[] | undefined;
  /** Whether it logs where it listens; default true. */
  readonly announce?: boolean | undefined;
}

/** The relays of one configuration. */
export class Service {
  readonly #config: Config;
  readonly #options: ServiceOptions;
  readonly #announced = new Set<string>();
  readonly #buffers = new RelayBuffers();
  /** Those that listen. */
  #ports: PortRelays[] = [];
  /** Those that listen no more, and have open connections. */
  readonly #closing = new Set<PortRelays>();
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
  }

  /** The addresses it listens on, with the ports the system chose. */
  get listening(): readonly HostPort[] {
    return this.#ports.map(({ address: { host, port } }) => ({ host, port }));
  }

  /** The library that serves the cipher, such as `OpenSSL 3.0.19`. */
  get providerVersion(): string {
    return this.#ports[0]?.providerVersion ?? "";
  }

  /**
   * Listens on everything, or on nothing.
   *
   * @throws {SocketError} If an address cannot be bound.
   * @throws {CipherError} If the cipher cannot be had.
   */
  start(): Promise<void> {
    return this.#listen(this.#config, this.#options.listening);
  }

  /**
   * Listens on the addresses and ports of one more configuration, on all of
   * them or on none.
   *
   * @param config What to do there; its role is that of the service.
   * @throws {SocketError} If an address cannot be bound.
   * @throws {CipherError} If the cipher cannot be had.
   */
  addPort(config: Config): Promise<void> {
    return this.#listen(config);
  }

  /**
   * Stops to listen on a port, at all its addresses. Open connections go on.
   *
   * @param port The port.
   * @returns Whether somebody listened there.
   */
  removePort(port: number): boolean {
    const removed = this.#ports.filter(({ address }) => address.port === port);
    this.#ports = this.#ports.filter((each) => !removed.includes(each));
    for (const each of removed) this.#close(each);
    return removed.length > 0;
  }

  /**
   * Closes the listeners; open connections go on.
   *
   * @param onIdle Called once when the last of them has ended.
   */
  close(onIdle: () => void): void {
    this.#closed = true;
    for (const port of this.#ports.splice(0)) this.#close(port);
    this.#onIdle = onIdle;
    this.#checkIdle();
  }

  /** Closes the listeners and ends every connection. */
  destroy(): void {
    this.#closed = true;
    for (const port of this.#ports.splice(0)) port.destroy();
    for (const port of this.#closing) port.destroy();
  }

  async #listen(
    config: Config,
    addresses: readonly HostPort[] = [],
  ): Promise<void> {
    const { resolver, providers } = this.#options;
    const added: PortRelays[] = [];
    try {
      for (const [i, listener] of listeners(config).entries()) {
        const { password } = listener;
        const where = addresses[i] ?? listener;
        const address = await listenAddress(where, resolver);
        const { method } = config;
        const suite = await CipherSuite.create(method, password, providers);
        if (this.#closed) {
          suite[Symbol.dispose]();
          throw new SocketError(
            "ECANCELED",
            `Cannot listen on ${address}: the service has ended`,
          );
        }
        const port = new PortRelays({
          config,
          address,
          suite,
          service: this.#options,
          buffers: this.#buffers,
          announced: this.#announced,
        });
        added.push(port);
        this.#ports.push(port);
      }
    } catch (error) {
      this.#ports = this.#ports.filter((port) => !added.includes(port));
      for (const port of added) port.destroy();
      throw error;
    }
  }

  #close(port: PortRelays): void {
    this.#closing.add(port);
    port.close(() => {
      this.#closing.delete(port);
      this.#checkIdle();
    });
  }

  #checkIdle(): void {
    if (this.#closing.size > 0) return;
    const onIdle = this.#onIdle;
    this.#onIdle = undefined;
    onIdle?.();
  }
}

interface Listener extends HostPort {
  readonly password: string;
}

function listeners(config: Config): readonly Listener[] {
  const { role, password, portPassword } = config;
  if (role === "sslocal") {
    return [{ host: config.localAddress, port: config.localPort, password }];
  }
  if (role === "sstunnel") {
    return [{ host: config.localAddress, port: config.tunnelPort, password }];
  }
  const ports = portPassword !== undefined
    ? [...portPassword]
    : config.serverPort.map((port) => [port, password] as const);
  return config.server.flatMap((host) =>
    ports.map(([port, password]) => ({ host, port, password }))
  );
}
