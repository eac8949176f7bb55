/**
 * A socket address: an IP address and a port, never a name.
 *
 * @module
 */

import { formatIp, isMappedIp, parseIp } from "./ip.ts";

/**
 * How many addresses {@linkcode SocketAddress.fromIpv4} remembers: the peers of
 * a busy process, in some 2 MB, since each typed array takes 400 bytes.
 */
const CACHE_SIZE = 4096;

const cache = new Map<number, SocketAddress>();

/**
 * An immutable IP address and port.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { SocketAddress } from "./address.ts";
 * assertEquals(SocketAddress.parse("::1", 80).toString(), "[::1]:80");
 * ```
 */
export class SocketAddress {
  /** The IP address: 4 or 16 bytes. Do not write to it. */
  readonly bytes: Uint8Array;
  /** The port, 0 to 65,535. */
  readonly port: number;
  /** The interface of a link-local address (RFC 4007); 0: none is named. */
  readonly scope: number;
  /** Room for a poller to keep the form that its system calls take. */
  native: Uint8Array | undefined = undefined;
  #host: string | undefined;
  #key: string | undefined;

  /**
   * Makes an address.
   *
   * @param bytes 4 or 16 bytes; kept, not copied.
   * @param port The port.
   * @param scope The interface of a link-local address.
   */
  constructor(bytes: Uint8Array, port: number, scope = 0) {
    this.bytes = bytes;
    this.port = port;
    this.scope = scope;
  }

  /** 4 or 6. */
  get family(): 4 | 6 {
    return this.bytes.length === 4 ? 4 : 6;
  }

  /** The IP address as text, IPv6 without brackets, its scope behind a `%`. */
  get host(): string {
    return this.#host ??= this.scope === 0
      ? formatIp(this.bytes)
      : `${formatIp(this.bytes)}%${this.scope}`;
  }

  /** The key that two equal addresses share; fit for a Map. */
  get key(): string {
    return this.#key ??= `${this.host}/${this.port}`;
  }

  /** `1.2.3.4:80` or `[::1]:80`. */
  toString(): string {
    return formatHostPort(this);
  }

  /**
   * Reads an IP literal.
   *
   * @param host The literal, without brackets.
   * @param port The port.
   * @throws {SyntaxError} If `host` is not an IP literal.
   */
  static parse(host: string, port: number): SocketAddress {
    const bytes = parseIp(host);
    if (bytes === undefined) {
      throw new SyntaxError(`Cannot parse IP address: "${host}"`);
    }
    return new SocketAddress(bytes, port);
  }

  /**
   * The address that has these bytes; an IPv4-mapped one is given as IPv4.
   *
   * @param bytes 4 or 16; copied.
   * @param port The port.
   */
  static fromBytes(bytes: Uint8Array, port: number): SocketAddress {
    return bytes.length === 4
      ? SocketAddress.fromIpv4(bytes, 0, port)
      : SocketAddress.fromIpv6(bytes, 0, port);
  }

  /**
   * The address whose bytes stand at `offset`; equal calls give the same
   * object while it is remembered, so that the hot path makes no text.
   *
   * @param source Holds 4 bytes of IPv4 address at `offset`.
   * @param offset Where they begin.
   * @param port The port.
   */
  static fromIpv4(
    source: Uint8Array,
    offset: number,
    port: number,
  ): SocketAddress {
    const key = packIpv4(source, offset, port);
    const known = cache.get(key);
    if (known !== undefined) return known;
    if (cache.size >= CACHE_SIZE) cache.clear();
    const made = new SocketAddress(source.slice(offset, offset + 4), port);
    cache.set(key, made);
    return made;
  }

  /**
   * The address whose 16 bytes stand at `offset`; an IPv4-mapped one is
   * given as IPv4.
   *
   * @param source Holds 16 bytes of IPv6 address at `offset`.
   * @param offset Where they begin.
   * @param port The port.
   * @param scope The interface of a link-local address.
   */
  static fromIpv6(
    source: Uint8Array,
    offset: number,
    port: number,
    scope = 0,
  ): SocketAddress {
    return isMappedIp(source, offset)
      ? SocketAddress.fromIpv4(source, offset + 12, port)
      : new SocketAddress(source.slice(offset, offset + 16), port, scope);
  }
}

/** 0.0.0.0:0: every address and any port, or an end that is not known (yet). */
export const UNSPECIFIED: SocketAddress = new SocketAddress(
  new Uint8Array(4),
  0,
);

/**
 * An IPv4 address and a port as one number of 48 bits.
 *
 * @param source Holds 4 bytes of address at `offset`.
 * @param offset Where they begin.
 * @param port The port.
 */
export function packIpv4(
  source: Uint8Array,
  offset: number,
  port: number,
): number {
  return ((source[offset]! << 8 | source[offset + 1]!) * 0x10000 +
        (source[offset + 2]! << 8 | source[offset + 3]!)) * 0x10000 + port;
}

/**
 * Writes a host and a port as one text, IPv6 in brackets.
 *
 * @param endpoint An IP literal without brackets or a name, and a port.
 * @returns `host:port` or `[host]:port`.
 */
export function formatHostPort(
  endpoint: { readonly host: string; readonly port: number },
): string {
  const { host, port } = endpoint;
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
