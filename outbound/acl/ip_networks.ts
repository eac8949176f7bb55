/**
 * A set of IP networks, made for lists of forbidden addresses: one look-up for
 * each connection and each datagram, without allocation.
 *
 * An IPv6 address that carries an IPv4 address is looked up as both, or a
 * target such as `::ffff:127.0.0.1` would walk around the list:
 *
 * | form | prefix | where the IPv4 address lies |
 * | --- | --- | --- |
 * | mapped (RFC 4291, 2.5.5.2) | `::ffff:0:0/96` | bytes 12–15 |
 * | compatible (RFC 4291, 2.5.5.1) | `::/96` | bytes 12–15 |
 * | translated (RFC 2765, 2.1) | `::ffff:0:0:0/96` | bytes 12–15 |
 * | NAT64 (RFC 6052, 2.1) | `64:ff9b::/96` | bytes 12–15 |
 * | local NAT64 (RFC 8215) | `64:ff9b:1::/48` | as RFC 6052, 2.2 |
 * | 6to4 (RFC 3056, 2) | `2002::/16` | bytes 2–5 |
 *
 * @module
 */

import { type Cidr, parseCidrList } from "../../loop/mod.ts";
import { NetworkTable, wordAt } from "./_network_table.ts";

/** What {@linkcode IpNetworks.find} gives for bytes that are no address. */
const NO_ADDRESS = "no address";

/** A set of IPv4 and IPv6 networks. */
export class IpNetworks {
  readonly #table: NetworkTable;

  /**
   * Makes a set.
   *
   * @param networks The networks.
   */
  constructor(networks: readonly Cidr[]) {
    this.#table = new NetworkTable(networks);
  }

  /**
   * Makes a set of the networks of a configuration.
   *
   * @param entries A list of, or comma-separated, networks as
   * {@linkcode parseCidrList} takes them.
   * @throws {SyntaxError} If an entry is not a network.
   */
  static of(entries: string | readonly string[]): IpNetworks {
    return new IpNetworks(parseCidrList(entries));
  }

  /** How many networks it has; those held by others are not counted. */
  get size(): number {
    return this.#table.size;
  }

  /**
   * Finds the network in which an address, or an IPv4 address inside it, lies.
   *
   * @param address 4 or 16 bytes. Any other length counts as found, so that a
   * mistake forbids and never allows.
   * @returns The network as `address/prefix`; undefined: there is none.
   */
  find(address: Uint8Array): string | undefined {
    if (address.length !== 4 && address.length !== 16) return NO_ADDRESS;
    const found = this.#find(address);
    return found < 0 ? undefined : this.#table.textOf(found);
  }

  /**
   * Finds the network in which an address lies; of the IPv4 addresses inside
   * IPv6 ones only the mapped form counts, which is the same address.
   *
   * @param address 4 or 16 bytes.
   * @returns The network as `address/prefix`; undefined: there is none.
   */
  findExactly(address: Uint8Array): string | undefined {
    const found = this.#findItself(address);
    return found < 0 ? undefined : this.#table.textOf(found);
  }

  /**
   * Whether an address lies in a network, as {@linkcode IpNetworks.findExactly}
   * sees it.
   *
   * @param address 4 or 16 bytes.
   */
  containsExactly(address: Uint8Array): boolean {
    return this.#findItself(address) >= 0;
  }

  #findItself(address: Uint8Array): number {
    const table = this.#table;
    if (address.length === 4) return table.findV4(wordAt(address, 0));
    if (address.length !== 16) return -1;
    const a = wordAt(address, 0);
    const b = wordAt(address, 4);
    const c = wordAt(address, 8);
    const d = wordAt(address, 12);
    const found = table.findV6(a, b, c, d);
    const isMapped = a === 0 && b === 0 && c === 0xffff;
    return found < 0 && isMapped ? table.findV4(d) : found;
  }

  #find(address: Uint8Array): number {
    if (address.length === 4) return this.#table.findV4(wordAt(address, 0));
    const a = wordAt(address, 0);
    const b = wordAt(address, 4);
    const c = wordAt(address, 8);
    const d = wordAt(address, 12);
    const found = this.#table.findV6(a, b, c, d);
    return found >= 0 ? found : this.#findEmbedded(a, b, c, d);
  }

  #findEmbedded(a: number, b: number, c: number, d: number): number {
    const table = this.#table;
    if (a === 0 && b === 0) {
      const carries = c === 0 || c === 0xffff || c === 0xffff0000;
      return carries ? table.findV4(d) : -1;
    }
    if (a >>> 16 === 0x2002) return table.findV4((a << 16) | (b >>> 16));
    if (a !== 0x0064ff9b) return -1;
    if (b === 0 && c === 0) return table.findV4(d);
    return b >>> 16 === 1 ? this.#findLocalNat64(b, c, d) : -1;
  }

  /**
   * The prefix of a local NAT64 has 48, 56, 64 or 96 bits, and nothing in the
   * address tells which: every reading counts that a translator would take.
   */
  #findLocalNat64(b: number, c: number, d: number): number {
    let found = this.#findTranslated((b << 16) | ((c >>> 8) & 0xffff));
    if (found < 0) found = this.#findTranslated((b << 24) | (c & 0xffffff));
    if (found < 0) found = this.#findTranslated((c << 8) | (d >>> 24));
    return found < 0 ? this.#findTranslated(d) : found;
  }

  /** A translator forwards nothing to 0.0.0.0/8, so zeros are not a target. */
  #findTranslated(address: number): number {
    return address >>> 24 === 0 ? -1 : this.#table.findV4(address);
  }
}
