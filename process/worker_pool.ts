/**
 * One configuration served by several loops, each on a thread of its own. The
 * kernel deals connections, and the clients of UDP, out to them.
 *
 * The main thread has the signals and the log. If one worker dies the process
 * ends: whoever supervises it starts it anew, with all its rights.
 *
 * @module
 */

import type { Config, HostPort, LogOutput } from "../config/mod.ts";
import type { WorkerCommand, WorkerReport } from "./_worker_messages.ts";
import type { AclFiles } from "./acl_files.ts";
import { ProcessError } from "./errors.ts";
import { openPoller, RelayLoop, type Serving } from "./relay_loop.ts";
import type { SaltTable } from "./salts/mod.ts";

/** Options of a {@linkcode WorkerPool}. */
export interface WorkerPoolOptions {
  /** Takes the lines that workers log. */
  readonly output: LogOutput;
  /** Takes the lines of the access log, if the configuration has one. */
  readonly onAccess?: ((line: string) => void) | undefined;
  /**
   * Has read the rules with the configuration; absent: they are read. Workers
   * read them again, each for itself.
   */
  readonly acls?: AclFiles | undefined;
  /** Where salts are remembered; absent: in each worker. */
  readonly salts?: SaltTable | undefined;
  /** Descriptors that the sockets of each may have; absent: nobody knows. */
  readonly descriptors?: number | undefined;
  /** Starts a thread; default one of this program's workers. */
  readonly makeWorker?: () => WorkerThread;
}

/** What is used of a `Worker`. */
export interface WorkerThread {
  /** Takes its reports. */
  onmessage: ((event: MessageEvent) => void) | null;
  /** Takes the error that ended it. */
  onerror: ((event: ErrorEvent) => void) | null;
  /** Sends a command. */
  postMessage(command: unknown): void;
  /** Ends the thread. */
  terminate(): void;
}

/** The workers of one configuration. */
export class WorkerPool implements Serving {
  readonly #config: Config;
  readonly #options: WorkerPoolOptions;
  readonly #workers: RelayWorker[] = [];
  /** How the end was asked for. */
  #closing: WorkerCommand | undefined;

  /**
   * Makes a pool without workers.
   *
   * @param config What to do; `workers` says how many there are.
   * @param options Its surroundings.
   */
  constructor(config: Config, options: WorkerPoolOptions) {
    this.#config = config;
    this.#options = options;
  }

  /**
   * Tells whether several sockets can share the ports and their load here.
   *
   * @param config What would be served.
   * @returns False where one loop has to do.
   * @throws {ProcessError} If the poller asked for cannot be had.
   */
  static async isAvailable(config: Config): Promise<boolean> {
    if (Deno.build.os !== "linux") return false;
    if (config.mode === "tcp_only") return true;
    using poller = await openPoller(config.eventLoop);
    return poller.sharesUdpPorts;
  }

  async start(): Promise<void> {
    await this.#probe();
    // The first one finds out what port 0 and names stand for.
    const listening = await this.#startWorker(undefined);
    await Promise.all(
      Array.from(
        { length: this.#config.workers - 1 },
        () => this.#startWorker(listening),
      ),
    );
  }

  async serve(): Promise<void> {
    this.#tell({ kind: "serve" });
    await Promise.all(this.#workers.map((worker) => worker.ended));
  }

  async drain(): Promise<void> {
    this.#close({ kind: "drain" });
    await Promise.all(this.#workers.map((worker) => worker.closed));
  }

  terminate(): void {
    this.#close({ kind: "terminate" });
  }

  /** Ends the threads. */
  [Symbol.dispose](): void {
    for (const worker of this.#workers.splice(0)) worker.terminate();
  }

  /** Shared ports can always be bound: first look whether they are free. */
  async #probe(): Promise<void> {
    using probe = await RelayLoop.open(this.#config, {
      announce: false,
      acls: this.#options.acls,
    });
    await probe.start();
  }

  async #startWorker(
    listening: readonly HostPort[] | undefined,
  ): Promise<readonly HostPort[]> {
    const worker = new RelayWorker(this.#options);
    this.#workers.push(worker);
    worker.tell({
      kind: "start",
      config: this.#config,
      listening,
      salts: this.#options.salts,
      descriptors: this.#options.descriptors,
    });
    if (this.#closing !== undefined) worker.tell(this.#closing);
    return await worker.listening;
  }

  #close(command: WorkerCommand): void {
    this.#closing = command;
    this.#tell(command);
  }

  #tell(command: WorkerCommand): void {
    for (const worker of this.#workers) worker.tell(command);
  }
}

/** The main thread's side of one worker. */
class RelayWorker {
  readonly #worker: WorkerThread;
  readonly #options: WorkerPoolOptions;
  readonly #listening = Promise.withResolvers<readonly HostPort[]>();
  readonly #closed = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<void>();

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    this.#worker = (options.makeWorker ?? makeWorker)();
    this.#worker.onmessage = (event: MessageEvent<WorkerReport>): void =>
      this.#receive(event.data);
    this.#worker.onerror = (event): void => {
      event.preventDefault();
      this.#fail(`Cannot go on: a worker died: ${event.message}`);
    };
    // Whoever waits for one of them learns of a failure.
    this.#listening.promise.catch(() => {});
    this.#ended.promise.catch(() => {});
  }

  /** Settles when it listens. */
  get listening(): Promise<readonly HostPort[]> {
    return this.#listening.promise;
  }

  /** Settles when it listens no more. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /** Settles at its end. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  tell(command: WorkerCommand): void {
    this.#worker.postMessage(command);
  }

  terminate(): void {
    this.#worker.terminate();
  }

  #receive(report: WorkerReport): void {
    switch (report.kind) {
      case "log":
        this.#options.output.write(report.text);
        return;
      case "listening":
        this.#listening.resolve(report.listening);
        return;
      case "access":
        this.#options.onAccess?.(report.text);
        return;
      case "failed":
        this.#fail(report.reason);
        return;
      case "closed":
        this.#closed.resolve();
        return;
      case "ended":
        this.#listening.resolve([]);
        this.#closed.resolve();
        this.#ended.resolve();
        return;
      default:
        report satisfies never;
    }
  }

  #fail(reason: string): void {
    const error = new ProcessError(reason);
    this.#closed.resolve();
    this.#listening.reject(error);
    this.#ended.reject(error);
  }
}

function makeWorker(): WorkerThread {
  // In an executable made of bundles it lies beside the main one.
  const bundled = import.meta.url.endsWith(".js");
  const name = bundled ? "./_worker.js" : "./_worker.ts";
  return new Worker(new URL(name, import.meta.url), { type: "module" });
}
