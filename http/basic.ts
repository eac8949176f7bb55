/**
 * The Basic authentication scheme (RFC 7617) towards a proxy, in both roles.
 *
 * @module
 */

/** A name and a password. */
export interface BasicUser {
  /** The name; without a colon, which ends it (RFC 7617, section 2). */
  readonly name: string;
  /** The password. */
  readonly password: string;
}

const BASIC_REGEXP = /^basic +([0-9A-Za-z+/]+={0,2})$/i;

/** Knows users by their credentials. */
export class BasicUsers {
  readonly #names: readonly string[];
  /** `name:password` of each, one character a byte of UTF-8. */
  readonly #secrets: readonly string[];

  /**
   * Keeps users.
   *
   * @param users The users; of two with the same credentials the last counts.
   */
  constructor(users: readonly BasicUser[]) {
    this.#names = users.map((user) => user.name);
    this.#secrets = users.map(secretOf);
  }

  /**
   * Finds the user who has the credentials. The time that it takes tells
   * nothing but their length and the number of users.
   *
   * @param authorization The value of `Proxy-Authorization`.
   * @returns The name; undefined if nobody has them.
   */
  find(authorization: string): string | undefined {
    const given = decode(authorization);
    let found: string | undefined;
    for (let i = 0; i < this.#secrets.length; i++) {
      if (areEqual(given, this.#secrets[i]!)) found = this.#names[i];
    }
    return found;
  }
}

/**
 * The value of `Proxy-Authorization` for a user.
 *
 * @param user The user.
 */
export function basicAuthorization(user: BasicUser): string {
  return `Basic ${btoa(secretOf(user))}`;
}

function secretOf(user: BasicUser): string {
  const bytes = new TextEncoder().encode(`${user.name}:${user.password}`);
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** @returns `name:password`, one character a byte; `""` if it is no Basic. */
function decode(authorization: string): string {
  const text = BASIC_REGEXP.exec(authorization)?.[1];
  if (text === undefined) return "";
  try {
    return atob(text);
  } catch {
    return "";
  }
}

/** Compares in a time that depends on the length of `given` alone. */
function areEqual(given: string, secret: string): boolean {
  let difference = given.length ^ secret.length;
  for (let i = 0; i < given.length; i++) {
    difference |= given.charCodeAt(i) ^ secret.charCodeAt(i % secret.length);
  }
  return difference === 0;
}
