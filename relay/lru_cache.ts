/**
 * The original's LRU cache with time-outs: at most a number of entries, each for at
 * most a time without use; whatever falls out is closed.
 *
 * @module
 */

/** Options of {@linkcode LRUCache}. */
export interface LRUCacheOptions<V> {
  /** Most entries; the least recently used falls out for one more. */
  readonly maxSize: number;
  /** Time without use after which an entry falls out, in units of `now`. */
  readonly timeout: number;
  /** The present time, monotonic. */
  readonly now: () => number;
  /** Called with each entry that falls out. */
  readonly closeCallback: (value: V) => void;
}

interface Entry<V> {
  readonly value: V;
  lastUse: number;
}

/** A cache that closes what it forgets. */
export class LRUCache<K, V> {
  readonly #options: LRUCacheOptions<V>;
  /** The least recently used first. */
  readonly #entries = new Map<K, Entry<V>>();

  /**
   * Makes an empty cache.
   *
   * @param options Its bounds.
   */
  constructor(options: LRUCacheOptions<V>) {
    this.#options = options;
  }

  /** How many entries there are. */
  get size(): number {
    return this.#entries.size;
  }

  /**
   * Finds an entry and marks it as used.
   *
   * @param key Its key.
   */
  get(key: K): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    const now = this.#options.now();
    if (entry.lastUse !== now) {
      entry.lastUse = now;
      this.#entries.delete(key);
      this.#entries.set(key, entry);
    }
    return entry.value;
  }

  /**
   * Adds an entry; one with the same key falls out.
   *
   * @param key Its key.
   * @param value Closed when it falls out.
   */
  set(key: K, value: V): void {
    this.delete(key);
    if (this.#entries.size >= this.#options.maxSize) this.dropOldest();
    this.#entries.set(key, { value, lastUse: this.#options.now() });
  }

  /**
   * Closes and forgets an entry.
   *
   * @param key Its key.
   */
  delete(key: K): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#options.closeCallback(entry.value);
  }

  /**
   * Closes the least recently used entry.
   *
   * @returns Whether there was one.
   */
  dropOldest(): boolean {
    for (const key of this.#entries.keys()) {
      this.delete(key);
      return true;
    }
    return false;
  }

  /** Closes what was not used for the time-out. */
  sweep(): void {
    const limit = this.#options.now() - this.#options.timeout;
    for (const [key, entry] of this.#entries) {
      if (entry.lastUse > limit) break;
      this.delete(key);
    }
  }

  /** Closes everything. */
  clear(): void {
    for (const key of [...this.#entries.keys()]) this.delete(key);
  }

  /** The values, the least recently used first. */
  *values(): Generator<V> {
    for (const entry of this.#entries.values()) yield entry.value;
  }
}
