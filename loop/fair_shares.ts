/**
 * Who holds how much of something that is limited, so that room is made by
 * whoever holds most: a flood of one takes nothing from the others.
 *
 * @module
 */

import { packIpv4, type SocketAddress } from "./address.ts";

/** What stands for a client; fit for a Map. */
export type ShareKey = number | string;

/** Bytes of an IPv6 address that a client has for itself: a /64 network. */
const IPV6_PREFIX = 8;

/**
 * The client that an address belongs to: an IPv4 address, or an IPv6 network
 * of 64 bits, which is the least that a customer gets.
 *
 * @param address The address; its port does not count.
 */
export function shareKey({ bytes }: SocketAddress): ShareKey {
  return bytes.length === 4
    ? packIpv4(bytes, 0, 0)
    : bytes.subarray(0, IPV6_PREFIX).join(".");
}

/** Things, and who holds them; every operation costs the same at any size. */
export class FairShares<T> {
  /** What each holds, the oldest first; no set is empty. */
  readonly #held = new Map<ShareKey, Set<T>>();
  /** Who holds as many things as the index says. */
  readonly #holders: Set<ShareKey>[] = [];
  /** The most things that one holds. */
  #most = 0;
  #size = 0;

  /** How many things are held. */
  get size(): number {
    return this.#size;
  }

  /**
   * Notes that somebody holds a thing.
   *
   * @param key Who.
   * @param thing Not held by anybody.
   */
  add(key: ShareKey, thing: T): void {
    let things = this.#held.get(key);
    if (things === undefined) this.#held.set(key, things = new Set());
    things.add(thing);
    this.#size++;
    this.#move(key, things.size - 1, things.size);
    this.#most = Math.max(this.#most, things.size);
  }

  /**
   * Forgets a thing.
   *
   * @param key Who held it.
   * @param thing Left alone if it is not held.
   */
  remove(key: ShareKey, thing: T): void {
    const things = this.#held.get(key);
    if (things?.delete(thing) !== true) return;
    this.#size--;
    this.#move(key, things.size + 1, things.size);
    if (things.size === 0) this.#held.delete(key);
    // Whoever held most holds one thing less now.
    if (this.#holders[this.#most]?.size === 0) this.#most--;
  }

  /**
   * What is to make room: the oldest thing of who holds most.
   *
   * @returns undefined: nothing is held.
   */
  largest(): { readonly key: ShareKey; readonly thing: T } | undefined {
    for (const key of this.#holders[this.#most] ?? []) {
      for (const thing of this.#held.get(key) ?? []) return { key, thing };
    }
    return undefined;
  }

  #move(key: ShareKey, from: number, to: number): void {
    if (from > 0) this.#holders[from]?.delete(key);
    if (to > 0) (this.#holders[to] ??= new Set()).add(key);
  }
}
