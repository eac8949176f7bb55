/**
 * The associations of a UDP listener: a limited number, each for a limited time
 * without use.
 *
 * What makes room is the one idle for longest of the user who has most, so that
 * nobody ends those of other users by beginning many. Where there are no users
 * it is the one idle for longest of all.
 *
 * @module
 */

import { LRUCache, type LRUCacheOptions } from "./lru_cache.ts";
import type { UDPAssociation } from "./udp_association.ts";

/** The associations, by what they are found by. */
export class UDPAssociations {
  readonly #maxSize: number;
  readonly #cache: LRUCache<string, UDPAssociation>;
  /** How many each user has who has any. */
  readonly #counts = new Map<string, number>();

  /**
   * Makes an empty table.
   *
   * @param options Its bounds, and what is called with what falls out.
   */
  constructor(options: LRUCacheOptions<UDPAssociation>) {
    this.#maxSize = options.maxSize;
    this.#cache = new LRUCache({
      ...options,
      closeCallback: (association) => {
        this.#count(association.session.user, -1);
        options.closeCallback(association);
      },
    });
  }

  /** How many there are. */
  get size(): number {
    return this.#cache.size;
  }

  /** Whether one more makes another one fall out. */
  get isFull(): boolean {
    return this.size >= this.#maxSize;
  }

  /**
   * Finds an association and marks it as used.
   *
   * @param key What it is found by.
   */
  get(key: string): UDPAssociation | undefined {
    return this.#cache.get(key);
  }

  /**
   * Adds an association, for which another one may fall out.
   *
   * @param association The association; its session has its user.
   */
  add(association: UDPAssociation): void {
    if (this.isFull) this.dropOne();
    this.#cache.set(association.key, association);
    this.#count(association.session.user, 1);
  }

  /**
   * Closes and forgets an association.
   *
   * @param key What it is found by.
   */
  delete(key: string): void {
    this.#cache.delete(key);
  }

  /**
   * Closes the association that is to make room.
   *
   * @param asking One that stays. Default: none.
   * @returns Whether there was one.
   */
  dropOne(asking?: unknown): boolean {
    const user = this.#greediest();
    let oldest: UDPAssociation | undefined;
    for (const association of this.#cache.values()) {
      if (association === asking) continue;
      oldest ??= association;
      if (association.session.user !== user) continue;
      oldest = association;
      break;
    }
    if (oldest !== undefined) this.delete(oldest.key);
    return oldest !== undefined;
  }

  /** Closes what was not used for too long. */
  sweep(): void {
    this.#cache.sweep();
  }

  /** Closes everything. */
  clear(): void {
    this.#cache.clear();
  }

  /** All, the one idle for longest first. */
  values(): Generator<UDPAssociation> {
    return this.#cache.values();
  }

  /** Who has most; undefined: nobody has any. */
  #greediest(): string | undefined {
    let most = 0;
    let user: string | undefined;
    for (const [name, count] of this.#counts) {
      if (count <= most) continue;
      most = count;
      user = name;
    }
    return user;
  }

  #count(user: string, change: number): void {
    const count = (this.#counts.get(user) ?? 0) + change;
    if (count > 0) this.#counts.set(user, count);
    else this.#counts.delete(user);
  }
}
