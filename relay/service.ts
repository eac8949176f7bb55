/**
 * A role at work: the relays of every address and port of a configuration, on
 * one loop.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import type { Resolver } from "../dns/mod.ts";
import type { Config, HostPort } from "../config/mod.ts";
import { CipherSuite, type ProviderSet } from "../crypto/mod.ts";
import {
  type EventLoop,
  parseIp,
  SocketAddress,
  SocketError,
} from "../loop/mod.ts";
import { RelayBuffers, type RelaySettings } from "./settings.ts";
import type { StatCallback } from "./settings.ts";
import { TCPRelay } from "./tcp_relay.ts";
import { UDPLocalRelay } from "./udp_local_relay.ts";
import type { UDPRelay } from "./udp_relay.ts";
import { UDPServerRelay } from "./udp_server_relay.ts";

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

/** One listening port: its relays and its cipher. */
interface Port {
  readonly tcp: TCPRelay | undefined;
  readonly udp: UDPRelay | undefined;
  readonly suite: CipherSuite;
}

/** How often a port that is free for TCP and UDP is looked for. */
const CHOOSE_ATTEMPTS = 16;

const logger = getLogger(["shadowsocks"]);

/** The relays of one configuration. */
export class Service {
  readonly #config: Config;
  readonly #options: ServiceOptions;
  readonly #buffers = new RelayBuffers();
  readonly #ports: Port[] = [];

  /**
   * @param config What to do.
   * @param options What to run on.
   */
  constructor(config: Config, options: ServiceOptions) {
    this.#config = config;
    this.#options = options;
  }

  /** The addresses it listens on, with the ports the system chose. */
  get listening(): readonly HostPort[] {
    return this.#ports.map(({ tcp, udp }) => ({
      host: (tcp ?? udp)!.settings.listen.host,
      port: (tcp ?? udp)!.listenPort,
    }));
  }

  /** The library that serves the cipher, such as `OpenSSL 3.0.19`. */
  get providerVersion(): string {
    return this.#ports[0]?.suite.providerVersion ?? "";
  }

  /**
   * Listens on everything, or on nothing.
   *
   * @throws {SocketError} If an address cannot be bound.
   * @throws {CipherError} If the cipher cannot be had.
   */
  async start(): Promise<void> {
    const { listening = [] } = this.#options;
    try {
      for (const [i, listener] of listeners(this.#config).entries()) {
        const { host, port } = listening[i] ?? listener;
        await this.addPort(host, port, listener.password);
      }
    } catch (error) {
      this.destroy();
      throw error;
    }
  }

  /**
   * Listens on one more port.
   *
   * @param host Where: an IP literal or a name.
   * @param port The port; 0 lets the system choose.
   * @param password Its password.
   */
  async addPort(host: string, port: number, password: string): Promise<void> {
    const config = this.#config;
    const { providers, loop } = this.#options;
    const address = await this.#resolve(host, port);
    const suite = CipherSuite.create(config.method, password, providers);
    try {
      const { tcp, udp } = this.#listen(makeSettings(config, address, suite));
      udp?.addToLoop(loop);
      tcp?.addToLoop(loop);
      this.#ports.push({ tcp, udp, suite });
      if (this.#options.announce !== false) this.#announce(tcp, udp, suite);
    } catch (error) {
      suite[Symbol.dispose]();
      throw error;
    }
  }

  /** Makes the relays of a port; one that the system chooses suits both. */
  #listen(settings: RelaySettings): Omit<Port, "suite"> {
    for (let attempt = 1;; attempt++) {
      try {
        return this.#tryListen(settings);
      } catch (error) {
        const chosen = settings.listen.port === 0 &&
          error instanceof SocketError && error.code === "EADDRINUSE";
        if (!chosen || attempt === CHOOSE_ATTEMPTS) throw error;
      }
    }
  }

  #tryListen(settings: RelaySettings): Omit<Port, "suite"> {
    const { role, mode } = this.#config;
    const isLocal = role === "sslocal" || role === "sstunnel";
    const shared = {
      poller: this.#options.loop.poller,
      dnsResolver: this.#options.resolver,
      statCallback: this.#options.statCallback,
      reusePort: this.#options.reusePort,
    };
    const Udp = isLocal ? UDPLocalRelay : UDPServerRelay;
    const udp = mode === "tcp_only" ? undefined : new Udp(settings, shared);
    // SOCKS5 needs its TCP side for UDP ASSOCIATE.
    if (mode === "udp_only" && role !== "sslocal") {
      return { tcp: undefined, udp };
    }
    try {
      const listen = udp === undefined
        ? settings.listen
        : new SocketAddress(settings.listen.bytes, udp.listenPort);
      const tcp = new TCPRelay({ ...settings, listen }, {
        ...shared,
        isLocal,
        buffers: this.#buffers,
        udpRelay: udp,
      });
      return { tcp, udp };
    } catch (error) {
      udp?.destroy();
      throw error;
    }
  }

  /**
   * Closes the listeners; open connections go on.
   *
   * @param onIdle Called once when the last of them has ended.
   */
  close(onIdle: () => void): void {
    let left = 1;
    const ended = (): void => {
      if (--left === 0) onIdle();
    };
    for (const { tcp, udp } of this.#ports) {
      udp?.close();
      if (tcp === undefined) continue;
      left++;
      tcp.close(ended);
    }
    ended();
  }

  /** Closes the listeners and ends every connection. */
  destroy(): void {
    for (const { tcp, udp, suite } of this.#ports.splice(0)) {
      tcp?.destroy();
      udp?.destroy();
      suite[Symbol.dispose]();
    }
  }

  #announce(
    tcp: TCPRelay | undefined,
    udp: UDPRelay | undefined,
    suite: CipherSuite,
  ): void {
    const { role } = this.#config;
    const relay = (tcp ?? udp)!;
    const address = new SocketAddress(
      relay.settings.listen.bytes,
      relay.listenPort,
    );
    logger.info("{method} by {provider}, {poller} event loop", {
      method: suite.method.name,
      provider: suite.providerVersion,
      poller: this.#options.loop.poller.name,
    });
    if (role === "sstunnel") {
      const { tunnel } = relay.settings;
      logger.info("starting tcp tunnel at {address} forward to {target}", {
        address: `${address}`,
        target: `${tunnel!.host}:${tunnel!.port}`,
      });
      return;
    }
    logger.info("starting {what} at {address}", {
      what: role === "sslocal" ? "local" : "server",
      address: `${address}`,
    });
  }

  #resolve(host: string, port: number): Promise<SocketAddress> {
    const bytes = parseIp(host);
    if (bytes !== undefined) {
      return Promise.resolve(new SocketAddress(bytes, port));
    }
    const { promise, resolve, reject } = Promise.withResolvers<SocketAddress>();
    this.#options.resolver.resolve(host, (answer) => {
      const [first] = answer.addresses;
      if (first !== undefined) resolve(new SocketAddress(first, port));
      else {
        reject(
          new SocketError(
            "ENOTFOUND",
            `Cannot listen on "${host}": ${
              answer.error?.message ?? "it has no address"
            }`,
          ),
        );
      }
    });
    return promise;
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

function makeSettings(
  config: Config,
  listen: SocketAddress,
  suite: CipherSuite,
): RelaySettings {
  const isServer = config.role === "ssserver" || config.role === "ssmanager";
  return {
    listen,
    suite,
    timeout: config.timeout,
    mode: config.mode,
    servers: isServer
      ? []
      : config.server.flatMap((host) =>
        config.serverPort.map((port) => ({ host, port }))
      ),
    tunnel: config.role === "sstunnel"
      ? { host: config.tunnelRemote, port: config.tunnelRemotePort }
      : undefined,
    forbiddenIp: config.forbiddenIp,
    fastOpen: config.fastOpen,
    oneTimeAuth: config.oneTimeAuth,
    udpMaxAssociations: config.udpMaxAssociations,
  };
}
