/**
 * One configuration served by one loop, on the thread that makes it.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import type { Config, HostPort } from "../config/mod.ts";
import { ProviderSet } from "../crypto/mod.ts";
import { makeResolver } from "../dns/mod.ts";
import {
  DescriptorBudget,
  EventLoop,
  makePoller,
  type Poller,
} from "../loop/mod.ts";
import type { Observer } from "../relay/mod.ts";
import { ReplayMemory } from "../shadowsocks/mod.ts";
import type { AclFiles } from "./acl_files.ts";
import { ProcessError } from "./errors.ts";
import type { ManagedService } from "./managed_service.ts";
import { MemoryKeeper, type MemoryLoad } from "./memory.ts";
import { Service, type ServiceOptions } from "./service.ts";
import type { SaltTable } from "./salts/mod.ts";

/** What serves a configuration: a loop here, or loops in workers. */
export interface Serving extends Disposable {
  /**
   * Listens on everything; nobody is served before {@linkcode Serving.serve}.
   *
   * @throws {SocketError} If an address cannot be bound.
   * @throws {CipherError} If the cipher cannot be had, or a library that the
   * user named cannot be used.
   * @throws {ProcessError} If the system refuses something else.
   */
  start(): Promise<void>;
  /** Serves to the end. */
  serve(): Promise<void>;
  /**
   * Stops listening; the end comes with that of the last connection.
   *
   * @returns Settles when nothing listens any more.
   */
  drain(): Promise<void>;
  /** Ends everything. */
  terminate(): void;
}

/** Options of a {@linkcode RelayLoop}. */
export interface RelayLoopOptions {
  /** Has read the rules with the configuration; absent: they are read. */
  readonly acls?: AclFiles | undefined;
  /** Told of every session, beside the access log. */
  readonly observers?: readonly Observer[] | undefined;
  /** Takes the lines of the access log, if the configuration has one. */
  readonly onAccess?: ((line: string) => void) | undefined;
  /** Where salts are remembered with others; absent: in this loop alone. */
  readonly salts?: SaltTable | undefined;
  /** Descriptors that its sockets may have; absent: nobody knows. */
  readonly descriptors?: number | undefined;
  /** Whether other loops of this system share the ports. */
  readonly reusePort?: boolean;
  /** Where another loop of the same configuration listens. */
  readonly listening?: readonly HostPort[];
  /** Whether it logs where it listens; default true. */
  readonly announce?: boolean;
  /** Called now and then while it serves. */
  readonly onPeriodic?: (() => void) | undefined;
}

const logger = getLogger(["shadowsocks"]);

/**
 * Packets of each direction that a client remembers: half a minute of 1,000 a
 * second, in 1 MiB, where an application expects of UDP that a packet may come
 * twice.
 */
const CLIENT_PACKETS = 1 << 15;

/** Poller, loop, resolver, ciphers and relays of one thread. */
export class RelayLoop implements Serving {
  readonly #stack = new DisposableStack();
  readonly #loop: EventLoop;
  readonly #config: Config;
  readonly #options: ServiceOptions;
  /** Made by `start`. */
  #service: Service | ManagedService | undefined;
  readonly #providers: ProviderSet;
  readonly #announce: boolean;
  #ended = false;

  private constructor(
    config: Config,
    poller: Poller,
    options: RelayLoopOptions & Pick<ServiceOptions, "replayMemory">,
  ) {
    using stack = new DisposableStack();
    this.#announce = options.announce ?? true;
    this.#providers = stack.use(new ProviderSet(config));
    this.#loop = new EventLoop(stack.use(poller));
    const memory = new MemoryKeeper(loadOf(this.#loop));
    this.#loop.addQuiet(() => memory.onQuiet());
    if (options.onPeriodic !== undefined) {
      this.#loop.addPeriodic(options.onPeriodic);
    }
    const resolver = stack.use(
      makeResolver(this.#loop, {
        servers: config.dnsServer,
        preferIpv6: config.preferIpv6,
      }),
    );
    this.#config = config;
    this.#options = {
      ...options,
      holds: true,
      loop: this.#loop,
      resolver,
      providers: this.#providers,
    };
    stack.defer(() => this.#service?.destroy());
    this.#stack.use(stack.move());
  }

  /**
   * Makes everything but the sockets.
   *
   * @param config What to do.
   * @param options How.
   * @returns The loop, which the caller disposes of.
   * @throws {ProcessError} If the poller cannot be had.
   */
  static async open(
    config: Config,
    options: RelayLoopOptions = {},
  ): Promise<RelayLoop> {
    const observers = await observersOf(config, options);
    const replayMemory = await replayMemoryOf(config, options.salts);
    const poller = await openPoller(
      config.eventLoop,
      new DescriptorBudget(options.descriptors),
    );
    return new RelayLoop(config, poller, {
      ...options,
      observers,
      replayMemory,
    });
  }

  /** Where it listens, in the order of the configuration. */
  get listening(): readonly HostPort[] {
    return this.#service?.listening ?? [];
  }

  async start(): Promise<void> {
    await this.#providers.openChosen();
    const service = await this.#makeService();
    if (this.#ended) return;
    this.#service = service;
    // Names are looked up through the loop; then it stands still again.
    const running = this.#loop.run();
    try {
      await Promise.race([service.start(), running]);
    } finally {
      this.#loop.stop();
      await running;
    }
    if (this.#announce) warnOfFallback(this.#providers);
  }

  async serve(): Promise<void> {
    if (this.#ended) return;
    this.#service?.begin();
    await this.#loop.run();
  }

  drain(): Promise<void> {
    const onIdle = (): void => {
      logger.info("stopping");
      this.#end();
    };
    if (this.#service === undefined) onIdle();
    else this.#service.close(onIdle);
    // Deno's own sockets are closed one turn after they are told to.
    return new Promise((resolve) => setTimeout(resolve, 0));
  }

  terminate(): void {
    this.#service?.destroy();
    this.#end();
  }

  /** Gives everything back; the loop must have ended. */
  [Symbol.dispose](): void {
    this.#stack.dispose();
  }

  async #makeService(): Promise<Service | ManagedService> {
    const { managerAddress } = this.#config;
    if (managerAddress === undefined) {
      return new Service(this.#config, this.#options);
    }
    const { ManagedService } = await import("./managed_service.ts");
    return new ManagedService(this.#config, managerAddress, this.#options);
  }

  #end(): void {
    this.#ended = true;
    this.#loop.stop();
  }
}

/** Who is told of sessions: nobody, unless somebody asked. */
async function observersOf(
  { accessLog }: Config,
  { observers = [], onAccess }: RelayLoopOptions,
): Promise<readonly Observer[]> {
  if (accessLog === undefined || onAccess === undefined) return observers;
  const { AccessLog } = await import("../control/access_log.ts");
  const { format } = accessLog;
  return [...observers, new AccessLog({ format, write: onAccess })];
}

/** Where a loop remembers salts: with others, or in a memory of its own. */
async function replayMemoryOf(
  { replay, locals }: Config,
  salts: SaltTable | undefined,
): Promise<ReplayMemory> {
  if (salts !== undefined) {
    const { saltMemory } = await import("./salts/mod.ts");
    return saltMemory(salts);
  }
  if (replay === "off") return ReplayMemory.none();
  return ReplayMemory.inMemory({
    packets: locals.length > 0 ? CLIENT_PACKETS : undefined,
  });
}

/**
 * Makes the poller of a configuration.
 *
 * @param name The one asked for.
 * @param budget The descriptors that its sockets may have.
 * @returns The poller.
 * @throws {ProcessError} If it cannot be had.
 */
export async function openPoller(
  name: Config["eventLoop"],
  budget?: DescriptorBudget,
): Promise<Poller> {
  try {
    return await makePoller(name, budget);
  } catch (error) {
    throw new ProcessError((error as Error).message, { cause: error });
  }
}

/** What the memory of a loop depends on. */
function loadOf(loop: EventLoop): MemoryLoad {
  return {
    get sockets() {
      return loop.size;
    },
    release: () => loop.poller.trim?.(),
  };
}

function warnOfFallback(providers: ProviderSet): void {
  const reason = providers.fallbackReason;
  if (reason === undefined) return;
  logger.warn(
    "no native library for the method is used, portable crypto is slower: " +
      "OpenSSL 3 or libsodium makes it fast",
  );
  logger.debug("native libraries: {reason}", { reason });
}
