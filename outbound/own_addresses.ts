/**
 * The addresses of this machine. Who connects to one of them from here reaches
 * services as if it was loopback, whatever guards them from outside.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import { type Cidr, OWN, parseCidr, parseIp } from "../loop/mod.ts";
import { readLocalRoutes } from "./_local_routes.ts";
import { IpNetworks } from "./acl/ip_networks.ts";

/**
 * Milliseconds for which the addresses count as known: a new one is forbidden
 * a second after it came. To read them takes less than 1 ms.
 */
const INTERVAL = 1000;
/**
 * The addresses of a machine with thousands are read less often, so that it
 * takes half a percent of the time at most.
 */
const INTERVAL_PER_READING = 200;

const logger = getLogger(["shadowsocks", "outbound"]);

/** What tells one address: a part of `Deno.NetworkInterfaceInfo`. */
export type OwnAddress = Pick<
  Deno.NetworkInterfaceInfo,
  "address" | "netmask"
>;

/** What {@linkcode OwnAddresses} works with. */
export interface OwnAddressesOptions {
  /** Asks the system. */
  readonly read: () => readonly OwnAddress[];
  /** Asks it which networks it delivers to itself beside them. Default: none. */
  readonly routes?: (() => readonly Cidr[]) | undefined;
  /** Milliseconds, however they are counted. */
  readonly now: () => number;
}

/** Knows the addresses of this machine, and reads them again when asked. */
export class OwnAddresses {
  readonly #options: OwnAddressesOptions;
  #networks = new IpNetworks([]);
  #readAt = -Infinity;
  #interval = INTERVAL;
  #hasWarned = false;

  /**
   * Reads nothing before it is asked.
   *
   * @param options Default: those of the system.
   */
  constructor(
    options: OwnAddressesOptions = {
      read: () => Deno.networkInterfaces(),
      routes: () => readLocalRoutes(),
      now: () => Date.now(),
    },
  ) {
    this.#options = options;
  }

  /**
   * Tells whether an address, or an IPv4 address inside it, is one of this
   * machine, or one that it listens to with its neighbours (broadcast).
   *
   * @param address 4 or 16 bytes.
   * @returns The word for it; undefined: it is not.
   */
  find(address: Uint8Array): string | undefined {
    const now = this.#options.now();
    // The clock of the system may be set back.
    if (Math.abs(now - this.#readAt) >= this.#interval) this.#read(now);
    return this.#networks.find(address) === undefined ? undefined : OWN;
  }

  #read(now: number): void {
    this.#readAt = now;
    try {
      const { read, routes } = this.#options;
      const addresses = read().flatMap(networksOf);
      this.#networks = new IpNetworks([...addresses, ...routes?.() ?? []]);
    } catch (error) {
      if (this.#hasWarned) return;
      this.#hasWarned = true;
      logger.warn(
        "cannot read the addresses of this machine, so clients may reach " +
          "them; list them in forbidden_ip: {reason}",
        { reason: String(error) },
      );
    }
    const took = Math.abs(this.#options.now() - now);
    this.#interval = Math.max(INTERVAL, took * INTERVAL_PER_READING);
  }
}

/** An address, and that by which its neighbours are reached all at once. */
function networksOf({ address, netmask }: OwnAddress): Cidr[] {
  const bytes = parseIp(address.split("%", 1)[0]!);
  if (bytes === undefined) return [];
  const own: Cidr = { address: bytes, prefix: bytes.length * 8 };
  if (bytes.length !== 4) return [own];
  // All of 127.0.0.0/8 is this machine.
  if (bytes[0] === 127) {
    return [parseCidr("127.0.0.0/8", { missing: "whole" })!];
  }
  const mask = parseIp(netmask);
  if (mask?.length !== 4) return [own];
  const all = bytes.map((byte, i) => byte | (~mask[i]! & 0xff));
  return [own, { address: all, prefix: 32 }];
}
