/**
 * The users of one port in the order in which their keys are tried.
 *
 * Nothing in the bytes of 2017 says whose they are: the key that opens them
 * does. A client nearly always comes again from the address where it was last,
 * so the keys last used from there come first, then all others by how lately
 * they were used; those that never were keep the order of the configuration.
 *
 * ```text
 * addresses   203.0.113.7 → [carol, alice]     the last 2,048 to 4,096
 * recency     carol → bob → alice → dave → …   every user, newest first
 * ```
 *
 * Only fresh bytes of who has a key change any of this: strangers, and who sends
 * again what a user has sent, take up no memory and cannot push others out.
 *
 * @module
 */

import type { ClassicPort } from "./_classic_port.ts";

/** Addresses of a generation; the older one is forgotten when it is full. */
const ADDRESSES = 2048;
/**
 * Keys remembered for an address: a household's devices. Behind an address that
 * hides more people, recency finds the others.
 */
const KEYS_PER_ADDRESS = 8;

/** A user, and the place in the order. */
export class PortUser {
  /** Key, name and memory of salts. */
  readonly port: ClassicPort;
  /** Counts from 0 in the order of the configuration. */
  readonly index: number;
  /** Who was used next after this one; undefined: this is the newest. */
  newer: PortUser | undefined = undefined;
  /** Who was used before. */
  older: PortUser | undefined = undefined;
  /** The search in which this key was last tried. */
  search = 0;

  /**
   * Makes a user that nobody has used yet.
   *
   * @param port Key, name and memory of salts.
   * @param index The place in the configuration.
   */
  constructor(port: ClassicPort, index: number) {
    this.port = port;
    this.index = index;
  }
}

/** What a key is tried with. */
export interface KeyTrial {
  /**
   * Tries a key.
   *
   * @param user Whose key.
   * @returns Whether it is the one.
   */
  opens(user: PortUser): boolean;
  /**
   * Asked once the keys of the address have failed.
   *
   * @returns How many others may be tried.
   */
  limit(): number;
}

/** All users of a port; there is at least one. */
export class UserTable {
  /** In the order of the configuration. */
  readonly users: readonly PortUser[];
  #newest: PortUser;
  #search = 0;
  #young = new Map<string, PortUser[]>();
  #old = new Map<string, PortUser[]>();

  /**
   * Makes a table.
   *
   * @param ports The users' own, one at least.
   */
  constructor(ports: readonly ClassicPort[]) {
    this.users = ports.map((port, index) => new PortUser(port, index));
    for (const [index, user] of this.users.entries()) {
      user.newer = this.users[index - 1];
      user.older = this.users[index + 1];
    }
    this.#newest = this.users[0]!;
  }

  /**
   * Finds whose key it is.
   *
   * @param trial Tries a key.
   * @param from The client's IP address; undefined: it is not known.
   * @returns The user; undefined if no key that may be tried is the one.
   */
  find(trial: KeyTrial, from: string | undefined): PortUser | undefined {
    const search = ++this.#search;
    const own = from === undefined ? undefined : this.#ownOf(from);
    if (own !== undefined) {
      for (const user of own) {
        user.search = search;
        if (trial.opens(user)) return user;
      }
    }
    let left = trial.limit();
    for (
      let user: PortUser | undefined = this.#newest;
      user !== undefined && left > 0;
      user = user.older
    ) {
      if (user.search === search) continue;
      left--;
      if (trial.opens(user)) return user;
    }
    return undefined;
  }

  /**
   * Remembers where a user was, for the next time.
   *
   * @param user Whose bytes were authentic, and are no replay.
   * @param from The client's IP address; undefined: it is not known.
   */
  learn(user: PortUser, from: string | undefined): void {
    this.#setNewest(user);
    if (from === undefined) return;
    const young = this.#young.get(from);
    const own = young ?? this.#old.get(from);
    if (own === undefined) {
      this.#setAddress(from, [user]);
      return;
    }
    if (young === undefined) this.#setAddress(from, own);
    const place = own.indexOf(user);
    if (place === 0) return;
    if (place > 0) own.splice(place, 1);
    else if (own.length === KEYS_PER_ADDRESS) own.pop();
    own.unshift(user);
  }

  /** The keys of an address, those last used first. */
  #ownOf(from: string): PortUser[] | undefined {
    return this.#young.get(from) ?? this.#old.get(from);
  }

  #setAddress(from: string, own: PortUser[]): void {
    // Whole generations: a Map of which single entries are deleted all the
    // time has the collector keep the dead.
    if (this.#young.size >= ADDRESSES) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(from, own);
  }

  #setNewest(user: PortUser): void {
    const { newer, older } = user;
    if (newer === undefined) return;
    newer.older = older;
    if (older !== undefined) older.newer = newer;
    user.newer = undefined;
    user.older = this.#newest;
    this.#newest.newer = user;
    this.#newest = user;
  }
}
