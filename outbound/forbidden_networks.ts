/**
 * What nobody is connected to: the networks of `forbidden_ip`, and the
 * addresses of this machine if it says so.
 *
 * @module
 */

import { expandForbidden } from "../loop/mod.ts";
import { IpNetworks } from "./acl/ip_networks.ts";
import { OwnAddresses } from "./own_addresses.ts";

/** Where forbidden addresses are found. */
export type Forbidden = Pick<IpNetworks, "find" | "size">;

/** Networks, and the addresses of this machine. */
export class ForbiddenNetworks implements Forbidden {
  readonly #networks: IpNetworks;
  readonly #own: OwnAddresses | undefined;

  /**
   * Puts both together.
   *
   * @param networks The networks.
   * @param own The addresses of this machine; undefined: they are allowed.
   */
  constructor(networks: IpNetworks, own: OwnAddresses | undefined) {
    this.#networks = networks;
    this.#own = own;
  }

  /**
   * Makes what a configuration forbids.
   *
   * @param entries Networks and words, as {@linkcode expandForbidden} takes
   * them.
   * @param own The addresses of this machine, which are read if a word says so.
   * @returns What is forbidden.
   * @throws {SyntaxError} If an entry is neither a network nor a word.
   */
  static of(
    entries: string | readonly string[],
    own: OwnAddresses = new OwnAddresses(),
  ): ForbiddenNetworks {
    const expanded = expandForbidden(entries);
    return new ForbiddenNetworks(
      IpNetworks.of(expanded.networks),
      expanded.own ? own : undefined,
    );
  }

  /** 0: nothing is forbidden. */
  get size(): number {
    return this.#networks.size + (this.#own === undefined ? 0 : 1);
  }

  /**
   * Finds why an address, or an IPv4 address inside it, is forbidden.
   *
   * @param address 4 or 16 bytes; what has another length is forbidden.
   * @returns A network as `address/prefix`, or the word `own`; undefined: it is
   * allowed.
   */
  find(address: Uint8Array): string | undefined {
    return this.#networks.find(address) ?? this.#own?.find(address);
  }
}
