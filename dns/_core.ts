/**
 * What the resolvers share: everything but the asking.
 *
 * A name is tried as an IP literal, in the hosts file, in the cache, and only
 * then asked for. Lookups of a name that is being asked for wait for the same
 * answer. When too many are under way, the oldest of the client that has most
 * makes room.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import {
  type EventLoop,
  FairShares,
  parseIp,
  type ShareKey,
  shareKey,
  unmapIp,
} from "../loop/mod.ts";
import type { Outcome } from "./_answer.ts";
import {
  type Ask,
  combine,
  Lookup,
  type LookupResult,
  typesInOrder,
} from "./_lookup.ts";
import { isValidHostname, normalizeHostname } from "./_name.ts";
import { type FileSource, SYSTEM_FILES } from "./_watched_file.ts";
import { cacheKey, DnsCache } from "./cache.ts";
import { defaultHostsPath, HostsFile } from "./hosts.ts";
import { type AddressType, TYPE_A } from "./message.ts";
import {
  type DnsCallback,
  DnsError,
  type DnsErrorCode,
  type ResolveOptions,
} from "./types.ts";

/** Options that all resolvers have. */
export interface CommonResolverOptions {
  /** Puts IPv6 addresses first. Default false. */
  readonly preferIpv6?: boolean | undefined;
  /** The hosts file. Default: the system's. */
  readonly hostsPath?: string | undefined;
  /** Reads files in place of the system; undefined: it cannot be read. */
  readonly readFile?: ((path: string) => string | undefined) | undefined;
  /** Most cached answers, a name counting twice. Default 1024. */
  readonly cacheSize?: number | undefined;
}

/** Options of {@linkcode ResolverCore}. */
export interface ResolverCoreOptions extends CommonResolverOptions {
  /** Asks for one record type. */
  readonly ask: Ask;
}

/**
 * Default of {@linkcode CommonResolverOptions.cacheSize}: 512 names with both
 * record types.
 */
const CACHE_SIZE = 1024;
/**
 * Most lookups at once: each holds two questions and their timers for up to
 * five seconds, so a flood of names would fill the memory.
 */
const MAX_LOOKUPS = 4096;
/** Seconds between two warnings, at the least. */
const WARNING_INTERVAL = 1;

const MESSAGES: Readonly<Record<DnsErrorCode, string>> = {
  "invalid-name": "it is no host name",
  "not-found": "the name does not exist; check its spelling",
  "no-address": "the name has no IP address",
  "timeout": "no name server answered in time; check the network or dns_server",
  "failed": "the name servers failed or cannot be reached; check dns_server",
  "busy": "too many lookups are under way",
  "closed": "the resolver is closed",
};

/** What a callback waits for. */
interface Wait {
  /** The names it gave. */
  readonly hostnames: string[];
  /** Whether a partial answer will not do. */
  readonly isWhole: boolean;
  /** Who asks. */
  readonly share: ShareKey;
}

/** A lookup, and who waits for it. */
interface Running {
  readonly name: string;
  readonly lookup: Lookup;
  readonly waiters: Map<DnsCallback, Wait>;
  /** On whose share it counts: of who waits or has waited for it. */
  share: ShareKey;
}

/** The share of the program itself. */
const OWN_SHARE: ShareKey = "";

const logger = getLogger(["shadowsocks", "dns"]);

/**
 * The files of a resolver.
 *
 * @param readFile A reader in place of the system's.
 * @returns The reader, or the system's files.
 */
export function fileSource(
  readFile: CommonResolverOptions["readFile"],
): FileSource {
  return readFile === undefined ? SYSTEM_FILES : { read: readFile };
}

/** Answers at once or asks, and calls those who wait. */
export class ResolverCore {
  readonly #loop: EventLoop;
  readonly #ask: Ask;
  readonly #types: readonly [AddressType, AddressType];
  readonly #hosts: HostsFile;
  readonly #cache: DnsCache;
  /** Lookups that are not answered yet, by name. */
  readonly #running = new Map<string, Running>();
  /** What each callback waits for. */
  readonly #waiting = new Map<DnsCallback, Set<Running>>();
  /** All lookups that are under way, those partly answered too. */
  readonly #shares = new FairShares<Running>();
  #lastWarning = -Infinity;
  #unwarned = 0;
  #closed = false;

  /**
   * Makes a core without lookups.
   *
   * @param loop Gives timers and time.
   * @param options How to ask, and what to prefer.
   */
  constructor(loop: EventLoop, options: ResolverCoreOptions) {
    this.#loop = loop;
    this.#ask = options.ask;
    this.#types = typesInOrder(options.preferIpv6 ?? false);
    this.#hosts = new HostsFile(
      options.hostsPath ?? defaultHostsPath(),
      fileSource(options.readFile),
    );
    this.#cache = new DnsCache(options.cacheSize ?? CACHE_SIZE);
  }

  /**
   * See `Resolver.resolve`.
   *
   * @param hostname An IP literal or a host name.
   * @param callback Takes the answer.
   * @param options Who asks, and what for.
   */
  resolve(
    hostname: string,
    callback: DnsCallback,
    { isWhole = false, asker }: ResolveOptions = {},
  ): void {
    const result = this.#known(hostname);
    if (result !== undefined && !(isWhole && result.isPartial)) {
      return tell(hostname, callback, result);
    }
    const name = normalizeHostname(hostname);
    const running = this.#running.get(name);
    const partial = running?.lookup.partial;
    if (partial !== undefined && !isWhole) {
      return tell(hostname, callback, partial);
    }
    const share = asker === undefined ? OWN_SHARE : shareKey(asker.client);
    const wait: Wait = { hostnames: [hostname], isWhole, share };
    if (running !== undefined) {
      this.#wait(running, callback, wait);
      running.lookup.insist();
      return;
    }
    while (this.#shares.size >= MAX_LOOKUPS) this.#makeRoom();
    const started = this.#prepare(name, share);
    this.#wait(started, callback, wait);
    started.lookup.start();
  }

  /**
   * See `Resolver.removeCallback`. A lookup that nobody waits for ends; one
   * that was partly answered may bring the rest into the cache.
   *
   * @param callback A function given to `resolve`.
   */
  removeCallback(callback: DnsCallback): void {
    const waitsFor = this.#waiting.get(callback);
    if (waitsFor === undefined) return;
    this.#waiting.delete(callback);
    for (const running of waitsFor) {
      running.waiters.delete(callback);
      const { name, waiters, lookup } = running;
      if (waiters.size > 0 || this.#running.get(name) !== running) continue;
      if (lookup.partial === undefined) lookup.cancel();
      else lookup.relax();
    }
  }

  /** Drops what has expired. */
  sweep(): void {
    this.#cache.sweep(this.#loop.time());
  }

  /** See `Resolver.close`. */
  close(): void {
    this.#closed = true;
    for (const waitsFor of this.#waiting.values()) {
      for (const running of waitsFor) running.waiters.clear();
    }
    this.#waiting.clear();
    for (const { lookup } of [...this.#running.values()]) lookup.cancel();
  }

  /** What can be said without asking. */
  #known(hostname: string): LookupResult | undefined {
    if (this.#closed) return failure("closed");
    const literal = parseIp(hostname);
    if (literal !== undefined) return success([unmapIp(literal)]);
    const name = normalizeHostname(hostname);
    const now = this.#loop.time();
    const hosts = this.#hosts.lookup(name, now);
    if (hosts !== undefined) return success(this.#inOrder(hosts));
    if (!isValidHostname(name)) return failure("invalid-name");
    const [preferred, other] = this.#cached(name);
    return combine(preferred, other);
  }

  #cached(name: string): [Outcome | undefined, Outcome | undefined] {
    const now = this.#loop.time();
    const [first, second] = this.#types.map((type): Outcome | undefined => {
      const entry = this.#cache.get(cacheKey(name, type), now);
      if (entry === undefined) return undefined;
      const { addresses, exists } = entry;
      return addresses.length > 0
        ? { kind: "found", addresses, ttl: 0 }
        : { kind: "none", exists, ttl: 0 };
    });
    return [first, second];
  }

  /** Takes the oldest lookup from the client that has most of them. */
  #makeRoom(): void {
    const largest = this.#shares.largest();
    if (largest === undefined) return;
    const { key, thing: running } = largest;
    const { name, lookup, waiters } = running;
    const left: Running = { ...running, waiters: new Map() };
    for (const [callback, wait] of waiters) {
      if (wait.share !== key) continue;
      waiters.delete(callback);
      left.waiters.set(callback, wait);
      const waitsFor = this.#waiting.get(callback);
      waitsFor?.delete(running);
      waitsFor?.add(left);
    }
    const [next] = waiters.values();
    if (next === undefined) lookup.cancel();
    else {
      // Others wait for the same name: it counts on their share now.
      this.#shares.remove(key, running);
      running.share = next.share;
      this.#shares.add(next.share, running);
    }
    if (left.waiters.size === 0) return;
    this.#warn(name, "busy");
    // Later, since what they do then may be to ask for something else.
    this.#loop.addTimer(0, () => this.#tellAll(left, failure("busy")));
  }

  #prepare(name: string, share: ShareKey): Running {
    const lookup: Lookup = new Lookup(this.#loop, {
      name,
      types: this.#types,
      known: this.#cached(name),
      ask: this.#ask,
      onLearn: (type, outcome) => this.#learn(name, type, outcome),
      onResult: (result) => this.#finish(running, result),
      onEnd: () => {
        this.#running.delete(name);
        this.#shares.remove(running.share, running);
      },
    });
    const running: Running = { name, lookup, waiters: new Map(), share };
    this.#shares.add(share, running);
    this.#running.set(name, running);
    return running;
  }

  #wait(running: Running, callback: DnsCallback, wait: Wait): void {
    const before = running.waiters.get(callback);
    if (before === undefined) running.waiters.set(callback, wait);
    else before.hostnames.push(...wait.hostnames);
    const waitsFor = this.#waiting.get(callback);
    if (waitsFor === undefined) this.#waiting.set(callback, new Set([running]));
    else waitsFor.add(running);
  }

  #learn(name: string, type: AddressType, outcome: Outcome): void {
    if (outcome.kind === "failed") return;
    const entry = outcome.kind === "found"
      ? { addresses: outcome.addresses.map(unmapIp), exists: true }
      : { addresses: [], exists: outcome.exists };
    const time = { ttl: outcome.ttl, now: this.#loop.time() };
    this.#cache.set(cacheKey(name, type), entry, time);
  }

  #finish(running: Running, result: LookupResult): void {
    const { name, lookup, waiters } = running;
    const { code, isPartial } = result;
    if (code === "timeout" || code === "failed") this.#warn(name, code);
    const addresses = result.addresses.map(unmapIp);
    this.#tellAll(running, { addresses, code, isPartial });
    if (isPartial && waiters.size === 0) lookup.relax();
  }

  /** Tells those who wait; if the result is partial, not who wants the whole. */
  #tellAll(running: Running, result: LookupResult): void {
    const { waiters } = running;
    // A callback may take others back: the rest is read anew each time.
    for (const [callback, { hostnames, isWhole }] of waiters) {
      if (isWhole && result.isPartial) continue;
      waiters.delete(callback);
      const waitsFor = this.#waiting.get(callback);
      waitsFor?.delete(running);
      if (waitsFor?.size === 0) this.#waiting.delete(callback);
      for (const hostname of hostnames) tell(hostname, callback, result);
    }
  }

  #inOrder(addresses: readonly Uint8Array[]): readonly Uint8Array[] {
    const [preferred] = this.#types;
    const length = preferred === TYPE_A ? 4 : 16;
    return [
      ...addresses.filter((address) => address.length === length),
      ...addresses.filter((address) => address.length !== length),
    ];
  }

  /** At most one line a second, however many lookups fail. */
  #warn(name: string, code: DnsErrorCode): void {
    const now = this.#loop.time();
    if (now - this.#lastWarning < WARNING_INTERVAL) {
      this.#unwarned++;
      return;
    }
    const more = this.#unwarned > 0 ? ` (${this.#unwarned} more failed)` : "";
    logger.warn("Cannot resolve {name}: {reason}{more}", {
      name: shown(name),
      reason: MESSAGES[code],
      more,
    });
    this.#lastWarning = now;
    this.#unwarned = 0;
  }
}

function tell(
  hostname: string,
  callback: DnsCallback,
  result: LookupResult,
): void {
  const { addresses, code, isPartial } = result;
  const error = code === undefined
    ? undefined
    : new DnsError(code, messageOf(hostname, code));
  try {
    callback({ hostname, addresses, error, isPartial });
  } catch (thrown) {
    logger.error("Unexpected error in a DNS callback: {thrown}", { thrown });
  }
}

function success(addresses: readonly Uint8Array[]): LookupResult {
  return { addresses, code: undefined, isPartial: false };
}

function failure(code: DnsErrorCode): LookupResult {
  return { addresses: [], code, isPartial: false };
}

/** One line; control characters of the name are escaped. */
function messageOf(hostname: string, code: DnsErrorCode): string {
  return `Cannot resolve ${shown(hostname)}: ${MESSAGES[code]}`;
}

function shown(hostname: string): string {
  return JSON.stringify(hostname.slice(0, 255));
}
