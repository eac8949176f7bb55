/**
 * The seed's Manager: ports of a server that come and go as a client says
 * through a datagram socket, all in this process.
 *
 * ```text
 * request                                          python   libev
 * add: {"server_port":8001,"password":"…", …}      ok       ok
 *   the port cannot be opened                      -        port is not available
 * remove: {"server_port":8001}                     ok       ok
 *   not a JSON text of a port                      -        err
 * ping                                             pong     stat: {"8001":11370}
 * list                                             [{"server_port":"8001",…}]
 * anything else                                    -        -
 * every 10 s, if there was traffic                 stat: {"8001":11370}
 * ```
 *
 * Python's `stat:` goes to the client of the last request that was understood
 * and counts since the last one; libev's answers alone, and counts since the
 * port was added. An `add` of a port that exists is ignored by Python; libev
 * replaces the port, which is how its clients change passwords. `list` is
 * libev's without the passwords.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import type { Config, HostPort, PortConfigResult } from "../config/mod.ts";
import { CipherError } from "../crypto/mod.ts";
import { formatHostPort, SocketError } from "../loop/mod.ts";
import {
  type ControlClient,
  type ControlSocket,
  openControlSocket,
} from "./control_socket.ts";
import { type ManagerRequest, parseRequest } from "./manager_request.ts";
import { PortTraffic } from "./port_traffic.ts";
import { Service, type ServiceOptions } from "./service.ts";

/** Most ports in one `stat:` that is pushed, as the seed has it. */
const STAT_LIMIT = 50;
/** Most ports in one answer: what one datagram surely holds. */
const ANSWER_LIMIT = 900;
/**
 * Milliseconds until a port that the deno poller closes is closed: Deno holds
 * it until the operation under way has ended.
 */
const CLOSE_DELAY = 10;
/** Most requests that wait for the one before; more are lost. */
const MAX_WAITING = 1024;

const logger = getLogger(["shadowsocks", "manager"]);

/** What a {@linkcode Manager} runs on. */
export interface ManagerOptions extends ServiceOptions {
  /**
   * Merges the JSON of an `add` over the configuration, and checks it as a
   * file is checked: `configForPort` of config.
   */
  readonly configForPort: (base: Config, json: string) => PortConfigResult;
}

/** A server whose ports are added and removed while it runs. */
export class Manager {
  readonly #config: Config;
  readonly #options: ManagerOptions;
  readonly #service: Service;
  readonly #traffic = new PortTraffic();
  /** Port → the configuration it was added with. */
  readonly #ports = new Map<number, Config>();
  readonly #handlePeriodic = (): void => this.#pushStat();
  #control: ControlSocket | undefined;
  /** Who gets what is pushed. */
  #client: ControlClient | undefined;
  /** Settles when every request so far is done. */
  #work: Promise<void> = Promise.resolve();
  #waiting = 0;
  #closed = false;

  /**
   * Makes a manager, which begins with {@linkcode Manager.start}.
   *
   * @param config What to do; it says where the manager listens.
   * @param options What to run on.
   */
  constructor(config: Config, options: ManagerOptions) {
    this.#config = config;
    this.#options = options;
    this.#service = new Service(config, {
      ...options,
      statCallback: (port, bytes) => {
        this.#traffic.count(port, bytes);
        options.statCallback?.(port, bytes);
      },
    });
  }

  /** The addresses of its ports. */
  get listening(): readonly HostPort[] {
    return this.#service.listening;
  }

  /** The library that serves the cipher of the first port. */
  get providerVersion(): string {
    return this.#service.providerVersion;
  }

  /** Where it is controlled, once it has started. */
  get controlName(): string {
    return this.#control?.name ?? "";
  }

  /**
   * Takes requests, and listens on the ports of the configuration: all of
   * `port_password`, or `server_port` of an `ssserver` that has a password.
   *
   * @throws {SocketError} If an address cannot be bound.
   * @throws {CipherError} If a cipher cannot be had.
   */
  async start(): Promise<void> {
    const { managerAddress } = this.#config;
    if (managerAddress === undefined) {
      throw new TypeError("Cannot start manager: it has no address");
    }
    const { loop, resolver } = this.#options;
    logger.info("entering manager mode");
    try {
      const control = await openControlSocket(managerAddress, {
        loop,
        resolver,
        onRequest: (data, client) => this.#onRequest(data, client),
      }).catch((error) => {
        logger.error("can not bind to manager address");
        throw error;
      });
      if (this.#closed) return control.close();
      this.#control = control;
      logger.info("starting manager at {name}", { name: control.name });
      loop.addPeriodic(this.#handlePeriodic);
      for (const config of startPorts(this.#config)) await this.#open(config);
    } catch (error) {
      this.destroy();
      throw error;
    }
  }

  /**
   * Takes no more requests and closes the listeners; open connections go on.
   *
   * @param onIdle Called once when the last of them has ended.
   */
  close(onIdle: () => void): void {
    this.#closeControl();
    this.#service.close(onIdle);
  }

  /** Takes no more requests, closes the listeners, ends every connection. */
  destroy(): void {
    this.#closeControl();
    this.#service.destroy();
  }

  #closeControl(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#pushStat();
    this.#options.loop.removePeriodic(this.#handlePeriodic);
    this.#control?.close();
  }

  /** Requests are done one after the other: names may be looked up. */
  #onRequest(data: Uint8Array, client: ControlClient): void {
    const request = parseRequest(data, this.#config.managerDialect);
    if (this.#waiting >= MAX_WAITING) {
      logger.warn("too many requests, one is lost");
      return;
    }
    this.#waiting++;
    this.#options.loop.giveTurn();
    this.#work = this.#work.then(async () => {
      this.#waiting--;
      if (this.#closed) return;
      try {
        await this.#answer(request, client);
      } catch (error) {
        logger.error("Unexpected error in the manager: {error}", { error });
      }
    });
  }

  async #answer(request: ManagerRequest, client: ControlClient): Promise<void> {
    if (request.kind === "invalid") {
      logger.error("{reason}", { reason: request.reason });
      if (request.isKnown) this.#answerFailure(client, "err");
      return;
    }
    this.#client = client;
    switch (request.kind) {
      case "add":
        return await this.#add(request.json, client);
      case "remove":
        await this.#remove(request.port);
        return client.send("ok");
      case "ping":
        if (this.#config.managerDialect === "python") {
          return client.send("pong");
        }
        return this.#sendTotals(client);
      case "list":
        return this.#sendList(client);
      default:
        return request satisfies never;
    }
  }

  async #add(json: string, client: ControlClient): Promise<void> {
    const result = this.#options.configForPort(this.#config, json);
    if (result.kind === "error") {
      for (const { text } of result.messages) logger.error("{text}", { text });
      return this.#answerFailure(client, "err");
    }
    const { config, warnings } = result;
    for (const { level, text } of warnings) {
      if (level === "info") logger.info("{text}", { text });
      else logger.warn("{text}", { text });
    }
    const port = config.serverPort[0]!;
    if (this.#ports.has(port)) {
      if (this.#config.managerDialect === "python") {
        logger.error("server already exists at {address}", {
          address: addressesOf(config, port),
        });
        return client.send("ok");
      }
      await this.#remove(port);
    }
    try {
      await this.#open(config);
    } catch (error) {
      if (!(error instanceof SocketError || error instanceof CipherError)) {
        throw error;
      }
      logger.error("{reason}", { reason: error.message });
      return this.#answerFailure(client, "port is not available");
    }
    client.send("ok");
  }

  async #open(config: Config): Promise<void> {
    const port = config.serverPort[0]!;
    logger.info("adding server at {address}", {
      address: addressesOf(config, port),
    });
    await this.#service.addPort(config);
    this.#ports.set(port, config);
  }

  async #remove(port: number): Promise<void> {
    const config = this.#ports.get(port);
    const address = addressesOf(config ?? this.#config, port);
    if (config === undefined) {
      logger.error("server not exist at {address}", { address });
      return;
    }
    logger.info("removing server at {address}", { address });
    this.#ports.delete(port);
    this.#traffic.forgetTotal(port);
    this.#service.removePort(port);
    const { loop } = this.#options;
    if (loop.poller.closesAtOnce) return;
    await new Promise<void>((resolve) => loop.addTimer(CLOSE_DELAY, resolve));
  }

  #answerFailure(client: ControlClient, text: string): void {
    if (this.#config.managerDialect === "libev") client.send(text);
  }

  #sendTotals(client: ControlClient): void {
    const totals = [...this.#ports.keys()]
      .map((port) => [port, this.#traffic.total(port)] as const);
    for (const part of split(totals, ANSWER_LIMIT)) client.send(statText(part));
  }

  #sendList(client: ControlClient): void {
    const entries = [...this.#ports].map(([port, { method }]) =>
      "\n\t" + JSON.stringify({ server_port: `${port}`, method })
    );
    for (const part of split(entries, ANSWER_LIMIT)) {
      client.send(`[${part.join(",")}\n]`);
    }
  }

  #pushStat(): void {
    const recent = this.#traffic.takeRecent();
    if (recent.length === 0 || this.#config.managerDialect === "libev") return;
    for (const part of split(recent, STAT_LIMIT)) {
      this.#client?.send(statText(part));
    }
  }
}

/** One configuration for each port that a manager starts with. */
function startPorts(config: Config): readonly Config[] {
  const { role, portPassword, password, serverPort } = config;
  const ports = portPassword !== undefined
    ? [...portPassword]
    : role === "ssserver" && password !== ""
    ? serverPort.map((port) => [port, password] as const)
    : [];
  return ports.map(([port, password]) => ({
    ...config,
    role: "ssserver",
    serverPort: [port],
    password,
    portPassword: undefined,
    managerAddress: undefined,
  }));
}

function addressesOf({ server }: Config, port: number): string {
  return server.map((host) => formatHostPort({ host, port })).join(", ");
}

function statText(counts: readonly (readonly [number, number])[]): string {
  return `stat: {${
    counts.map(([port, bytes]) => `"${port}":${bytes}`).join(",")
  }}`;
}

/** Cuts a list into parts; an empty one is one part. */
function split<T>(list: readonly T[], size: number): readonly (readonly T[])[] {
  const parts: (readonly T[])[] = [];
  for (let i = 0; i === 0 || i < list.length; i += size) {
    parts.push(list.slice(i, i + size));
  }
  return parts;
}
