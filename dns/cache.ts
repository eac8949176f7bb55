/**
 * The cache of answers: bounded, least recently used goes first, and each
 * entry is kept as long as its TTL says.
 *
 * @module
 */

/**
 * Shortest and longest time in seconds that addresses are kept. Below a second
 * every connection of a page would ask again; after an hour a server that has
 * moved must be found.
 */
const MIN_TTL = 1;
const MAX_TTL = 3600;
/**
 * Longest time in seconds that a "no" is kept, so that a name that was just
 * registered is found soon (RFC 2308, section 5, allows hours).
 */
const MAX_NEGATIVE_TTL = 60;

/** What is known of a name and a record type. */
export interface CacheEntry {
  /** 4 or 16 bytes each; empty: there are none. */
  readonly addresses: readonly Uint8Array[];
  /** Whether the name exists; true where it has addresses. */
  readonly exists: boolean;
}

interface StoredEntry extends CacheEntry {
  readonly expires: number;
}

/** Options of {@linkcode DnsCache.set}. */
export interface CacheTime {
  /** Seconds to keep the entry; bounded by the cache. */
  readonly ttl: number;
  /** Seconds of the monotonic clock. */
  readonly now: number;
}

/** A cache keyed by name and record type. Time is an argument. */
export class DnsCache {
  readonly #capacity: number;
  readonly #entries = new Map<string, StoredEntry>();

  /**
   * Makes an empty cache.
   *
   * @param capacity Most entries; 0 keeps nothing.
   */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** How many entries are held, expired ones included. */
  get size(): number {
    return this.#entries.size;
  }

  /**
   * Looks an entry up, which makes it the most recently used.
   *
   * @param key From {@linkcode cacheKey}.
   * @param now Seconds of the monotonic clock.
   * @returns The entry, unless there is none or it has expired.
   */
  get(key: string, now: number): CacheEntry | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    if (entry.expires <= now) return undefined;
    this.#entries.set(key, entry);
    return entry;
  }

  /**
   * Stores an entry.
   *
   * @param key From {@linkcode cacheKey}.
   * @param entry What to store.
   * @param time How long to keep it.
   */
  set(key: string, entry: CacheEntry, time: CacheTime): void {
    if (this.#capacity === 0) return;
    const longest = entry.addresses.length > 0 ? MAX_TTL : MAX_NEGATIVE_TTL;
    const ttl = Math.min(longest, Math.max(MIN_TTL, time.ttl));
    this.#entries.delete(key);
    if (this.#entries.size >= this.#capacity) {
      for (const oldest of this.#entries.keys()) {
        this.#entries.delete(oldest);
        break;
      }
    }
    const { addresses, exists } = entry;
    this.#entries.set(key, { addresses, exists, expires: time.now + ttl });
  }

  /**
   * Drops what has expired.
   *
   * @param now Seconds of the monotonic clock.
   */
  sweep(now: number): void {
    for (const [key, entry] of this.#entries) {
      if (entry.expires <= now) this.#entries.delete(key);
    }
  }
}

/**
 * The key of a name and a record type.
 *
 * @param name Lower case.
 * @param type The record type.
 * @returns The key.
 */
export function cacheKey(name: string, type: number): string {
  return `${type} ${name}`;
}
