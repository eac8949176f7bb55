/**
 * What a client asks for: a host and a port.
 *
 * @module
 */

import {
  formatHostPort,
  parseIp,
  readAddress,
  SocketAddress,
} from "../loop/mod.ts";

/** An IP address or a name, and a port; made by its two static methods. */
export class Target {
  /** The address; undefined if the host is a name. */
  readonly address: SocketAddress | undefined;
  /** The name as asked for; `""` if the host is an IP address. */
  readonly domain: string;
  /** The port, 0 to 65,535. */
  readonly port: number;

  /**
   * Makes a target.
   *
   * @param address The address; undefined if the host is a name.
   * @param domain The name; `""` if the host is an address.
   * @param port The port.
   */
  constructor(
    address: SocketAddress | undefined,
    domain: string,
    port: number,
  ) {
    this.address = address;
    this.domain = domain;
    this.port = port;
  }

  /**
   * Gives the addresses of its name its port.
   *
   * @param addresses 4 or 16 bytes each.
   * @returns Where the target is, in the same order.
   */
  placesAt(addresses: readonly Uint8Array[]): SocketAddress[] {
    return addresses.map((bytes) => SocketAddress.fromBytes(bytes, this.port));
  }

  /**
   * A target whose address is known.
   *
   * @param address The address, with the port.
   */
  static ofAddress(address: SocketAddress): Target {
    return new Target(address, "", address.port);
  }

  /**
   * A target given as text. The text of an IP address is that address, so that
   * rules for addresses hold however the address was spelled; some programs ask
   * for an IPv6 address in brackets.
   *
   * @param host A name or an IP literal.
   * @param port The port.
   */
  static of(host: string, port: number): Target {
    const bytes = parseIp(withoutBrackets(host));
    if (bytes === undefined) return new Target(undefined, host, port);
    return new Target(SocketAddress.fromBytes(bytes, port), "", port);
  }

  /**
   * A target as it stands in settings, where an IPv6 address may have a zone.
   *
   * @param host A name, or an IP literal without brackets.
   * @param port The port.
   */
  static ofPlace(host: string, port: number): Target {
    const address = readAddress(host, port);
    return address === undefined
      ? new Target(undefined, host, port)
      : Target.ofAddress(address);
  }

  /** The name, or the IP address as text without brackets. */
  get host(): string {
    return this.address?.host ?? this.domain;
  }

  /** `host:port`, IPv6 in brackets. */
  toString(): string {
    return formatHostPort(this);
  }
}

/**
 * Shows a name, and where it is unless the name says so.
 *
 * @param name The name, of an outbound.
 * @param place Where it is; undefined: not known.
 * @returns Such as `paris (192.0.2.1:8388)`.
 */
export function namedPlace(name: string, place: Target | undefined): string {
  const text = `${place ?? name}`;
  return text === name ? name : `${name} (${text})`;
}

function withoutBrackets(host: string): string {
  return host.startsWith("[") && host.endsWith("]") && host.includes(":")
    ? host.slice(1, -1)
    : host;
}
