/**
 * One listening port: its relays and its cipher, from first to last.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import type { Config } from "../config/mod.ts";
import type { CipherSuite } from "../crypto/mod.ts";
import { SocketAddress, SocketError } from "../loop/mod.ts";
import type { ServiceOptions } from "./service.ts";
import type { RelayBuffers, RelaySettings } from "./settings.ts";
import { TCPRelay } from "./tcp_relay.ts";
import { UDPLocalRelay } from "./udp_local_relay.ts";
import type { UDPRelay } from "./udp_relay.ts";
import { UDPServerRelay } from "./udp_server_relay.ts";

/** What a {@linkcode PortRelays} is made of. */
export interface PortRelaysOptions {
  /** What the port does: role, method, mode, time-out and so on. */
  readonly config: Config;
  /** Where it listens; port 0 lets the system choose. */
  readonly address: SocketAddress;
  /** Its cipher, which ends with it. */
  readonly suite: CipherSuite;
  /** The surroundings of its service. */
  readonly service: ServiceOptions;
  /** The buffers that all ports of the loop share. */
  readonly buffers: RelayBuffers;
  /** Ciphers that the log has named already; one more is added. */
  readonly announced: Set<string>;
}

/** How often a port that is free for TCP and UDP is looked for. */
const CHOOSE_ATTEMPTS = 16;

const logger = getLogger(["shadowsocks"]);

/** The relays of one port. */
export class PortRelays {
  readonly #config: Config;
  readonly #options: PortRelaysOptions;
  readonly #suite: CipherSuite;
  readonly #tcp: TCPRelay | undefined;
  readonly #udp: UDPRelay | undefined;
  #ended = false;

  /**
   * Listens, and begins to relay.
   *
   * @param options What it is made of.
   * @throws {SocketError} If the address cannot be bound.
   */
  constructor(options: PortRelaysOptions) {
    const { config, address, suite, service } = options;
    const { loop } = service;
    this.#config = config;
    this.#options = options;
    this.#suite = suite;
    try {
      [this.#tcp, this.#udp] = this.#listen(
        makeSettings(config, address, suite),
      );
      this.#udp?.addToLoop(loop);
      this.#tcp?.addToLoop(loop);
    } catch (error) {
      this.#suite[Symbol.dispose]();
      throw error;
    }
    if (service.announce !== false) this.#logStart();
  }

  /** The address it listens on, with the port the system chose. */
  get address(): SocketAddress {
    const relay = (this.#tcp ?? this.#udp)!;
    return new SocketAddress(relay.settings.listen.bytes, relay.listenPort);
  }

  /** The library that serves its cipher, such as `OpenSSL 3.0.19`. */
  get providerVersion(): string {
    return this.#suite.providerVersion;
  }

  /**
   * Stops listening. Open connections go on; UDP associations end.
   *
   * @param onEnd Called once when the last connection has ended.
   */
  close(onEnd: () => void): void {
    const { port } = this.address;
    let isListening = true;
    let isIdle = this.#tcp === undefined;
    const end = (): void => {
      isIdle = true;
      if (isListening || this.#ended) return;
      this.#end();
      onEnd();
    };
    this.#udp?.close();
    this.#tcp?.close(end);
    isListening = false;
    if (this.#options.service.announce !== false) this.#logClose(port);
    if (isIdle) end();
  }

  /** Stops listening and ends every connection. */
  destroy(): void {
    this.#tcp?.destroy();
    this.#udp?.destroy();
    this.#end();
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#suite[Symbol.dispose]();
  }

  /** Makes the relays; a port that the system chooses suits both. */
  #listen(settings: RelaySettings): [TCPRelay | undefined, UDPRelay?] {
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

  #tryListen(settings: RelaySettings): [TCPRelay | undefined, UDPRelay?] {
    const { role, mode } = this.#config;
    const isLocal = role === "sslocal" || role === "sstunnel";
    const { service, buffers } = this.#options;
    const shared = {
      poller: service.loop.poller,
      dnsResolver: service.resolver,
      statCallback: service.statCallback,
      reusePort: service.reusePort,
      buffers,
    };
    const Udp = isLocal ? UDPLocalRelay : UDPServerRelay;
    const udp = mode === "tcp_only" ? undefined : new Udp(settings, shared);
    // SOCKS5 needs its TCP side for UDP ASSOCIATE.
    if (udp !== undefined && mode === "udp_only" && role !== "sslocal") {
      return [undefined, udp];
    }
    try {
      const listen = udp === undefined
        ? settings.listen
        : new SocketAddress(settings.listen.bytes, udp.listenPort);
      const tcp = new TCPRelay({ ...settings, listen }, {
        ...shared,
        isLocal,
        udpRelay: udp,
      });
      return udp === undefined ? [tcp] : [tcp, udp];
    } catch (error) {
      udp?.destroy();
      throw error;
    }
  }

  #logClose(port: number): void {
    if (this.#tcp !== undefined) {
      logger.info("closed TCP port {port}", { port });
    }
    if (this.#udp !== undefined) {
      logger.info("closed UDP port {port}", { port });
    }
  }

  #logStart(): void {
    const { role, tunnelRemote, tunnelRemotePort } = this.#config;
    const address = `${this.address}`;
    const { announced, service } = this.#options;
    const cipher = `${this.#suite.method.name} by ${this.providerVersion}`;
    if (!announced.has(cipher)) {
      announced.add(cipher);
      logger.info("{cipher}, {poller} event loop", {
        cipher,
        poller: service.loop.poller.name,
      });
    }
    if (role === "sstunnel") {
      logger.info("starting tcp tunnel at {address} forward to {target}", {
        address,
        target: `${tunnelRemote}:${tunnelRemotePort}`,
      });
      return;
    }
    logger.info("starting {what} at {address}", {
      what: role === "sslocal" ? "local" : "server",
      address,
    });
  }
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
