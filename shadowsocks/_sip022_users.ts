/**
 * The users of a server of the 2022 edition (SIP023), found by the hash of
 * their key in an identity header: in the same time whatever their number.
 *
 * @module
 */

import {
  addressLength,
  type DomainEndpoint,
  writeAddress,
} from "../socks5/mod.ts";
import { pskHash, pskHashText } from "./_sip022_keys.ts";

/** A user. */
export interface Sip022User {
  /** The name; `""` where there are no users. */
  readonly name: string;
  /** The user's key. */
  readonly key: Uint8Array;
  /** {@linkcode pskHash} of it. */
  readonly hash: Uint8Array;
  /**
   * The address header of the server that has the key, which gets the requests
   * that name it; undefined: this one has.
   */
  readonly next: Uint8Array | undefined;
}

/**
 * Makes a user.
 *
 * @param name The name; `""` where there are no users.
 * @param key The key; kept, not copied.
 * @param next The server that has it. Default: this one.
 * @returns The user.
 * @throws {RangeError} If that server's name cannot be written as an address
 * header.
 */
export function newUser(
  name: string,
  key: Uint8Array,
  next?: DomainEndpoint,
): Sip022User {
  return { name, key, hash: pskHash(key), next: next && headerOf(next) };
}

/** The users of a listener. */
export class Sip022Users {
  #byHash: ReadonlyMap<string, Sip022User>;

  /**
   * Makes the table.
   *
   * @param users All of them.
   */
  constructor(users: Iterable<Sip022User>) {
    this.#byHash = tableOf(users);
  }

  /** How many there are. */
  get size(): number {
    return this.#byHash.size;
  }

  /**
   * Finds a user.
   *
   * @param bytes Hold the hash, as it stood in an identity header.
   * @param at Where in them.
   * @returns The user; undefined: nobody has a key of that hash.
   */
  find(bytes: Uint8Array, at = 0): Sip022User | undefined {
    return this.#byHash.get(pskHashText(bytes, at));
  }

  /**
   * Takes other users in their place. Connections and sessions that live go on
   * under the key that they began with.
   *
   * @param users All of them.
   */
  replace(users: Iterable<Sip022User>): void {
    this.#byHash = tableOf(users);
  }

  /** Wipes the keys. */
  wipe(): void {
    for (const { key } of this.#byHash.values()) key.fill(0);
  }
}

function headerOf(next: DomainEndpoint): Uint8Array {
  const header = new Uint8Array(addressLength(next));
  writeAddress(header, 0, next);
  return header;
}

function tableOf(users: Iterable<Sip022User>): Map<string, Sip022User> {
  const table = new Map<string, Sip022User>();
  for (const user of users) table.set(pskHashText(user.hash), user);
  return table;
}
