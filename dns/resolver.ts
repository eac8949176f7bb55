/**
 * The resolver over the loop's sockets: a stub that asks name servers.
 *
 * @module
 */

import {
  type EventHandler,
  type EventLoop,
  readAddress,
  type Socket,
  SocketAddress,
} from "../loop/mod.ts";
import {
  type CommonResolverOptions,
  fileSource,
  ResolverCore,
} from "./_core.ts";
import { Query, type QueryContext } from "./_query.ts";
import { ServerList } from "./_servers.ts";
import { UdpPool } from "./_udp.ts";
import {
  DEFAULT_ATTEMPTS,
  DEFAULT_RESOLV_CONF_PATH,
  DEFAULT_TIMEOUT,
  ResolvConf,
  type ServerSettings,
} from "./resolv_conf.ts";
import type { DnsCallback, ResolveOptions, Resolver } from "./types.ts";

/** A name server: an IP literal and a port. */
export interface NameServer {
  /** An IP literal without brackets. */
  readonly host: string;
  /** The port, usually 53. */
  readonly port: number;
}

/** Options of {@linkcode DNSResolver}. */
export interface DNSResolverOptions extends CommonResolverOptions {
  /** The name servers; absent or empty: those of resolv.conf. */
  readonly servers?: readonly NameServer[] | undefined;
  /** Default `/etc/resolv.conf`. */
  readonly resolvConfPath?: string | undefined;
  /** Gives random 16-bit numbers. Default: the system's secure generator. */
  readonly random?: (() => number) | undefined;
}

/** A resolver that asks name servers over the sockets of a loop. */
export class DNSResolver implements Resolver, EventHandler {
  readonly #loop: EventLoop;
  readonly #core: ResolverCore;
  readonly #udp: UdpPool;
  readonly #periodic: () => void = () => this.handlePeriodic();
  #closed = false;

  /**
   * Makes a resolver without sockets.
   *
   * @param loop Must run for answers to come.
   * @param options Whom to ask, and how.
   * @throws {SyntaxError} If a server is not an IP literal.
   */
  constructor(loop: EventLoop, options: DNSResolverOptions = {}) {
    this.#loop = loop;
    this.#udp = new UdpPool(loop, {
      handler: this,
      random: options.random ?? secureRandom(),
    });
    const context: QueryContext = {
      loop,
      udp: this.#udp,
      servers: new ServerList(serverSettings(loop, options)),
    };
    this.#core = new ResolverCore(loop, {
      ...options,
      ask: (name, type, done) => {
        const query = new Query(context, { name, type, done });
        query.start();
        return query;
      },
    });
    loop.addPeriodic(this.#periodic);
  }

  /**
   * Finds the addresses of a host name; the callback may run inside this call.
   * `search` domains of resolv.conf are not applied.
   *
   * @param hostname An IP literal without brackets, or a host name.
   * @param callback Takes the answer.
   * @param options Who asks, and what for.
   */
  resolve(
    hostname: string,
    callback: DnsCallback,
    options?: ResolveOptions,
  ): void {
    this.#core.resolve(hostname, callback, options);
  }

  /**
   * Forgets a callback.
   *
   * @param callback A function given to `resolve`.
   */
  removeCallback(callback: DnsCallback): void {
    this.#core.removeCallback(callback);
  }

  /**
   * Handles an event of one of the resolver's UDP sockets.
   *
   * @param socket The socket.
   * @param fd Its descriptor.
   * @param event A mask of `POLL_*`.
   */
  handleEvent(socket: Socket, fd: number, event: number): void {
    this.#udp.handleEvent(socket, fd, event);
  }

  /** Drops what has expired from the cache. */
  handlePeriodic(): void {
    this.#core.sweep();
  }

  /** Ends all lookups without calling their callbacks. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#loop.removePeriodic(this.#periodic);
    this.#core.close();
    this.#udp.close();
  }

  /** Closes it. */
  [Symbol.dispose](): void {
    this.close();
  }
}

function serverSettings(
  loop: EventLoop,
  options: DNSResolverOptions,
): () => ServerSettings {
  const { servers = [] } = options;
  if (servers.length > 0) {
    const settings: ServerSettings = {
      servers: servers.map(({ host, port }) =>
        readAddress(host, port) ?? SocketAddress.parse(host, port)
      ),
      timeout: DEFAULT_TIMEOUT,
      attempts: DEFAULT_ATTEMPTS,
    };
    return () => settings;
  }
  const file = new ResolvConf(
    options.resolvConfPath ?? DEFAULT_RESOLV_CONF_PATH,
    fileSource(options.readFile),
  );
  return () => file.settings(loop.time());
}

/** 16-bit numbers of the system's secure generator, fetched in batches. */
function secureRandom(): () => number {
  const batch = new Uint16Array(128);
  let used = batch.length;
  return () => {
    if (used === batch.length) {
      crypto.getRandomValues(batch);
      used = 0;
    }
    return batch[used++]!;
  };
}
