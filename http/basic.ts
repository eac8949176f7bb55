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

/** A name and a password as they came: bytes, most often UTF-8. */
export interface BasicCredentials {
  /** The bytes before the first colon. */
  readonly name: Uint8Array;
  /** The bytes behind it. */
  readonly password: Uint8Array;
}

/**
 * Reads the value of `Proxy-Authorization`.
 *
 * @param authorization The value.
 * @returns The credentials; undefined: it holds none of this scheme.
 */
export function parseBasic(
  authorization: string,
): BasicCredentials | undefined {
  const text = decode(BASIC_REGEXP.exec(authorization)?.[1] ?? "");
  const colon = text.indexOf(":");
  if (colon < 0) return undefined;
  const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
  return {
    name: bytes.subarray(0, colon),
    password: bytes.subarray(colon + 1),
  };
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

/** @returns One character a byte; `""` if it is no Base64. */
function decode(base64: string): string {
  try {
    return atob(base64);
  } catch {
    return "";
  }
}
