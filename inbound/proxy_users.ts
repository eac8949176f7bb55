/**
 * Who may use a proxy of ours: names with passwords.
 *
 * @module
 */

/** One user of a proxy. */
export interface ProxyUser {
  /** The name; users may share one. */
  readonly name: string;
  /** The password. */
  readonly password: string;
}

/** A user as the bytes that clients send. */
interface KnownUser {
  readonly name: string;
  readonly nameBytes: Uint8Array;
  readonly password: Uint8Array;
}

/**
 * Most bytes of a name or a password (RFC 1929, section 2). HTTP would allow
 * 48 KiB, all of which would be compared with every user.
 */
const MAX_LENGTH = 255;

/** The users of a listener. */
export class ProxyUsers {
  readonly #users: readonly KnownUser[];

  /**
   * Makes the list; an empty one lets nobody in.
   *
   * @param users Their names and passwords, which are sent as UTF-8.
   */
  constructor(users: readonly ProxyUser[]) {
    const encoder = new TextEncoder();
    this.#users = users.map(({ name, password }) => ({
      name,
      nameBytes: encoder.encode(name),
      password: encoder.encode(password),
    }));
  }

  /**
   * Finds the user that a client says it is. Every user is compared, and every
   * byte, so that the time says nothing about how much was right.
   *
   * @param name The name that came.
   * @param password The password that came.
   * @returns The user's name; undefined: there is no such user.
   */
  find(name: Uint8Array, password: Uint8Array): string | undefined {
    if (name.length > MAX_LENGTH || password.length > MAX_LENGTH) {
      return undefined;
    }
    let found: string | undefined;
    for (const user of this.#users) {
      const difference = compare(name, user.nameBytes) |
        compare(password, user.password);
      if (difference === 0) found = user.name;
    }
    return found;
  }
}

/** 0 if the bytes are equal; takes as long as `given` is long. */
function compare(given: Uint8Array, known: Uint8Array): number {
  let difference = given.length ^ known.length;
  for (let i = 0; i < given.length; i++) {
    // Beyond its end `known` is read at 0: the lengths have decided already.
    difference |= given[i]! ^ (known[i < known.length ? i : 0] ?? 0);
  }
  return difference;
}
