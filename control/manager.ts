/**
 * The original's Manager: ports of a server that come and go as a client says
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
import type { Resolver } from "../dns/mod.ts";
import type { EventLoop } from "../loop/mod.ts";
import {
  type ControlAddress,
  type ControlClient,
  type ControlSocket,
  openControlSocket,
} from "./control_socket.ts";
import {
  type ManagerDialect,
  type ManagerRequest,
  parseRequest,
} from "./manager_request.ts";
import type { PortTraffic } from "./port_traffic.ts";

/** Most ports in one `stat:` that is pushed, as the original has it. */
const STAT_LIMIT = 50;
/** Most ports in one answer: what one datagram surely holds. */
const ANSWER_LIMIT = 900;
/** Most requests that wait for the one before; more are lost. */
const MAX_WAITING = 1024;

const logger = getLogger(["shadowsocks", "manager"]);

/** A port that is, or may be, opened. */
export interface ManagedPort {
  /** Its number. */
  readonly port: number;
  /** Its method. */
  readonly method: string;
  /** Where it listens, for log lines: `0.0.0.0:8001, [::]:8001`. */
  readonly addresses: string;
  /**
   * Looks the names of its addresses up; called before `open`. Absent: it has
   * none.
   *
   * @returns Why there is no address; undefined: it can be opened.
   */
  lookUp?(): Promise<Error | undefined>;
  /**
   * Listens.
   *
   * @returns Why the port or its cipher cannot be had; undefined: it listens.
   */
  open(): Promise<Error | undefined>;
}

/** A port that is to be added. */
export interface AddedPort {
  /** It is one. */
  readonly kind: "port";
  /** The port. */
  readonly port: ManagedPort;
  /** What is to be said about it. */
  readonly warnings: readonly PortNotice[];
}

/** What the JSON of an `add` means. */
export type PortRequest =
  | AddedPort
  | { readonly kind: "error"; readonly messages: readonly string[] };

/** One line about a port, for the log. */
export interface PortNotice {
  /** How loud. */
  readonly level: "info" | "warn";
  /** The line. */
  readonly text: string;
}

/** The server whose ports a manager opens and closes. */
export interface ManagedServer {
  /** Opened by {@linkcode Manager.start}. */
  readonly startPorts: readonly ManagedPort[];
  /**
   * Merges the JSON of an `add` over the configuration, and checks it as a
   * file is checked.
   *
   * @param json The JSON text.
   */
  parsePort(json: string): PortRequest;
  /**
   * Where a port would listen, for log lines.
   *
   * @param port Its number.
   */
  addressesOf(port: number): string;
  /**
   * Stops to listen on a port and resets its connections; settles when it is
   * free.
   *
   * @param port Its number.
   */
  closePort(port: number): Promise<void>;
}

/** What a {@linkcode Manager} runs on. */
export interface ManagerOptions {
  /** Where it listens. */
  readonly address: ControlAddress;
  /** How it answers `ping` and errors. */
  readonly dialect: ManagerDialect;
  /** Runs its socket and its timers. */
  readonly loop: EventLoop;
  /** Looks the name of its address up. */
  readonly resolver: Resolver;
  /** Opens and closes the ports. */
  readonly server: ManagedServer;
  /** Counts their bytes; an observer of the server's sessions. */
  readonly traffic: PortTraffic;
  /** Requests wait for it; undefined: they are done as they come. */
  readonly ready?: Promise<void> | undefined;
}

/** Adds and removes ports of a server as a client says. */
export class Manager {
  readonly #options: ManagerOptions;
  readonly #traffic: PortTraffic;
  /** The ports that are open. */
  readonly #ports = new Map<number, ManagedPort>();
  readonly #handlePeriodic = (): void => this.#pushStat();
  #control: ControlSocket | undefined;
  /** Who gets what is pushed. */
  #client: ControlClient | undefined;
  /** Settles when every request is done that waits for no name. */
  #work: Promise<void>;
  /** By port: settles when the last request is done that waits for a name. */
  readonly #lookups = new Map<number, Promise<void>>();
  #waiting = 0;
  #closed = false;

  /**
   * Makes a manager, which begins with {@linkcode Manager.start}.
   *
   * @param options What it runs on.
   */
  constructor(options: ManagerOptions) {
    this.#options = options;
    this.#traffic = options.traffic;
    this.#work = options.ready ?? Promise.resolve();
  }

  /** Where it is controlled, once it has started. */
  get controlName(): string {
    return this.#control?.name ?? "";
  }

  /**
   * Takes requests, and opens the ports that the server begins with.
   *
   * @throws {SocketError} If an address cannot be bound.
   * @throws {Error} If a port cannot be opened: what `open` gave.
   */
  async start(): Promise<void> {
    const { address, loop, resolver, server } = this.#options;
    logger.info("entering manager mode");
    const control = await openControlSocket(address, {
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
    for (const port of server.startPorts) {
      const error = await this.#open(port);
      if (error !== undefined) throw error;
    }
  }

  /** Takes no more requests; the ports are the server's to close. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#pushStat();
    this.#options.loop.removePeriodic(this.#handlePeriodic);
    this.#control?.close();
  }

  /**
   * Requests are done one after the other. One that has names looked up waits
   * for them beside the others; only those about the same port wait for it.
   */
  #onRequest(data: Uint8Array, client: ControlClient): void {
    if (this.#waiting >= MAX_WAITING) {
      logger.warn("too many requests, one is lost");
      return;
    }
    const request = this.#understand(data);
    this.#waiting++;
    this.#options.loop.giveTurn();
    const port = portOf(request);
    const before = this.#lookups.get(port);
    const added = request.kind === "port" ? request.port : undefined;
    if (before === undefined && added?.lookUp === undefined) {
      this.#enqueue(request, client);
      return;
    }
    const done = this.#afterLookUp(request, client, before);
    this.#lookups.set(port, done);
    done.then(() => {
      if (this.#lookups.get(port) === done) this.#lookups.delete(port);
    });
  }

  /** Reads a request, and what it says about a port. */
  #understand(data: Uint8Array): Understood {
    const { dialect, server } = this.#options;
    const request = parseRequest(data, dialect);
    return request.kind === "add" ? server.parsePort(request.json) : request;
  }

  async #afterLookUp(
    request: Understood,
    client: ControlClient,
    before: Promise<void> | undefined,
  ): Promise<void> {
    await before;
    let failure: Error | undefined;
    if (request.kind === "port" && !this.#closed) {
      const { addresses: address, lookUp } = request.port;
      if (lookUp !== undefined) {
        logger.info("looking up {address}", { address });
      }
      failure = await lookUp?.().catch((error) => error);
    }
    await this.#enqueue(request, client, failure);
  }

  #enqueue(
    request: Understood,
    client: ControlClient,
    failure?: Error,
  ): Promise<void> {
    return this.#work = this.#work.then(async () => {
      this.#waiting--;
      if (this.#closed) return;
      try {
        await this.#answer(request, client, failure);
      } catch (error) {
        logger.error("Unexpected error in the manager: {error}", { error });
      }
    });
  }

  async #answer(
    request: Understood,
    client: ControlClient,
    failure: Error | undefined,
  ): Promise<void> {
    if (request.kind === "invalid") {
      logger.error("{reason}", { reason: request.reason });
      if (request.isKnown) this.#answerFailure(client, "err");
      return;
    }
    this.#client = client;
    switch (request.kind) {
      case "error":
        for (const text of request.messages) logger.error("{text}", { text });
        return this.#answerFailure(client, "err");
      case "port":
        return await this.#add(request, client, failure);
      case "remove": {
        const recent = await this.#remove(request.port);
        client.send("ok");
        return this.#pushLast(request.port, recent);
      }
      case "ping":
        if (this.#options.dialect === "python") {
          return client.send("pong");
        }
        return this.#sendTotals(client);
      case "list":
        return this.#sendList(client);
      default:
        return request satisfies never;
    }
  }

  async #add(
    { port, warnings }: AddedPort,
    client: ControlClient,
    failure: Error | undefined,
  ): Promise<void> {
    const { dialect } = this.#options;
    for (const { level, text } of warnings) logger[level]("{text}", { text });
    if (failure === undefined && this.#ports.has(port.port)) {
      if (dialect === "python") {
        logger.error("server already exists at {address}", {
          address: port.addresses,
        });
        return client.send("ok");
      }
      await this.#remove(port.port);
    }
    const error = failure ?? await this.#open(port);
    if (error === undefined) return client.send("ok");
    logger.error("{reason}", { reason: error.message });
    this.#answerFailure(client, "port is not available");
  }

  async #open(port: ManagedPort): Promise<Error | undefined> {
    logger.info("adding server at {address}", { address: port.addresses });
    const error = await port.open();
    if (error === undefined) this.#ports.set(port.port, port);
    return error;
  }

  /**
   * Ends a port, and what was counted for it: the next one to have the number
   * is another.
   *
   * @returns Bytes that nobody was told of yet.
   */
  async #remove(port: number): Promise<number> {
    const { server } = this.#options;
    const known = this.#ports.get(port);
    const address = known?.addresses ?? server.addressesOf(port);
    if (known === undefined) {
      logger.error("server not exist at {address}", { address });
      return 0;
    }
    logger.info("removing server at {address}", { address });
    this.#ports.delete(port);
    await server.closePort(port);
    return this.#traffic.forget(port);
  }

  /** Tells what a port had moved when it was removed. */
  #pushLast(port: number, bytes: number): void {
    if (bytes === 0 || this.#options.dialect === "libev") return;
    this.#client?.send(statText([[port, bytes]]));
  }

  #answerFailure(client: ControlClient, text: string): void {
    if (this.#options.dialect === "libev") client.send(text);
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
    if (recent.length === 0 || this.#options.dialect === "libev") return;
    for (const part of split(recent, STAT_LIMIT)) {
      this.#client?.send(statText(part));
    }
  }
}

/** A request, with the port that it adds. */
type Understood =
  | Exclude<ManagerRequest, { readonly kind: "add" }>
  | PortRequest;

/** The port that a request is about; 0: none. */
function portOf(request: Understood): number {
  if (request.kind === "port") return request.port.port;
  return request.kind === "remove" ? request.port : 0;
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
