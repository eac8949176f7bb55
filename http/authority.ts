/**
 * The host and the port of a request target (RFC 3986, section 3.2).
 *
 * @module
 */

/** A host and a port. */
export interface Authority {
  /** A name or an IP literal, in lower case, without brackets. */
  readonly host: string;
  /** Whether it stood in brackets: then it must be an IPv6 address. */
  readonly isBracketed: boolean;
  /** The port, 1 to 65,535; undefined if there is none. */
  readonly port: number | undefined;
}

/**
 * `host`, `host:`, `host:port` with a name, an IPv4 address or `[IPv6]`. A name
 * has the unreserved characters of RFC 3986: it goes to resolvers and into log
 * lines. A name has at most 255 characters (RFC 1035, 2.3.4).
 */
const AUTHORITY_REGEXP =
  /^(?:\[([0-9A-Fa-f:.]{2,45})\]|([0-9A-Za-z._~-]{1,255}))(?::(\d{0,5}))?$/;

/**
 * Reads a host and a port. User information (`user@`) is not taken: RFC 9110,
 * 4.2.4 wants it treated as an error.
 *
 * @param text The text of an authority.
 * @returns Undefined if it is none.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseAuthority } from "./authority.ts";
 * assertEquals(parseAuthority("[::1]:80"), {
 *   host: "::1",
 *   isBracketed: true,
 *   port: 80,
 * });
 * ```
 */
export function parseAuthority(text: string): Authority | undefined {
  const match = AUTHORITY_REGEXP.exec(text);
  if (match === null) return undefined;
  const [, literal, name, digits] = match;
  const port = digits === undefined || digits === ""
    ? undefined
    : Number(digits);
  if (port !== undefined && (port < 1 || port > 0xffff)) return undefined;
  const host = literal ?? name ?? "";
  return {
    host: ownCopy(host.toLowerCase()),
    isBracketed: literal !== undefined,
    port,
  };
}

/**
 * The same text in memory of its own: the engine keeps a part of a text as a
 * view, and a host that lives as long as its connection would hold the whole
 * head.
 */
function ownCopy(text: string): string {
  const codes: number[] = [];
  for (let i = 0; i < text.length; i++) codes.push(text.charCodeAt(i));
  return String.fromCharCode(...codes);
}
