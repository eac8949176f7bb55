/**
 * Networks as text: `address/prefix`, as configurations give them.
 *
 * @module
 */

import { formatIp, parseIp, unmapIp } from "./ip.ts";

/** A network. */
export interface Cidr {
  /** Its first address: 4 or 16 bytes, host bits cleared. */
  readonly address: Uint8Array;
  /** How many leading bits its addresses share, 0 to 32 or 128. */
  readonly prefix: number;
}

/** How many bits more an IPv4-mapped address has than the IPv4 address. */
const MAPPED_BITS = 128 - 32;

/**
 * Reads a network or an address. A network of IPv4-mapped addresses is given
 * as the IPv4 network.
 *
 * @param text `address/prefix`, or an address without brackets.
 * @param options What a missing prefix means: `whole` is the one address;
 * `guess` takes the trailing zero bits for the host bits.
 * @returns The network; undefined if `text` is none.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { formatCidr, parseCidr } from "./cidr.ts";
 * const network = parseCidr("10.1.2.3/8", { missing: "whole" });
 * assertEquals(network && formatCidr(network), "10.0.0.0/8");
 * ```
 */
export function parseCidr(
  text: string,
  options: { readonly missing: "whole" | "guess" },
): Cidr | undefined {
  const slash = text.indexOf("/");
  const given = parseIp(slash < 0 ? text : text.slice(0, slash));
  if (given === undefined) return undefined;
  let prefix = given.length * 8;
  if (slash >= 0) {
    const digits = text.slice(slash + 1);
    if (!/^\d{1,3}$/.test(digits) || Number(digits) > prefix) return undefined;
    prefix = Number(digits);
  } else if (options.missing === "guess") prefix = guessPrefix(given);
  const address = prefix >= MAPPED_BITS ? unmapIp(given) : given;
  if (address.length < given.length) prefix -= MAPPED_BITS;
  clearHostBits(address, prefix);
  return { address, prefix };
}

/**
 * Writes a network.
 *
 * @param network The network.
 * @returns `address/prefix`.
 */
export function formatCidr(network: Cidr): string {
  return `${formatIp(network.address)}/${network.prefix}`;
}

/**
 * Reads a list of networks, such as `forbidden_ip`.
 *
 * @param entries A list of, or comma-separated, addresses and
 * `address/prefix`; empty ones are skipped. A missing prefix length is
 * guessed from the trailing zero bits of the address.
 * @param options `onGuess` gets a line for every guess.
 * @returns The networks in the order given, each once.
 * @throws {SyntaxError} If an entry is none of these.
 */
export function parseCidrList(
  entries: string | readonly string[],
  options: { readonly onGuess?: (line: string) => void } = {},
): Cidr[] {
  const networks = new Map<string, Cidr>();
  const list = typeof entries === "string" ? entries.split(",") : entries;
  for (const each of list) {
    const entry = each.trim();
    if (entry === "") continue;
    const network = parseCidr(entry, { missing: "guess" });
    if (network === undefined) {
      throw new SyntaxError(`Not a valid CIDR notation: ${entry}`);
    }
    if (!entry.includes("/")) {
      // The words are the ones that scripts look for, spelling included; the
      // prefix is that of the address as it was written.
      const prefix = guessPrefix(parseIp(entry) ?? network.address);
      options.onGuess?.(
        "You did't specify CIDR routing prefix size for " +
          `${entry}, implicit treated as ${entry}/${prefix}`,
      );
    }
    const text = formatCidr(network);
    if (!networks.has(text)) networks.set(text, network);
  }
  return [...networks.values()];
}

function guessPrefix(address: Uint8Array): number {
  let last = address.length - 1;
  while (last > 0 && address[last] === 0) last--;
  const byte = address[last] ?? 0;
  // The unspecified address is that one address, not everything.
  if (byte === 0) return address.length * 8;
  return (last + 1) * 8 - (31 - Math.clz32(byte & -byte));
}

/** Clears the bits behind the prefix, in place: nobody else has the bytes. */
function clearHostBits(address: Uint8Array, prefix: number): void {
  for (let i = prefix >> 3; i < address.length; i++) {
    const bits = Math.max(0, prefix - i * 8);
    address[i]! &= 0xff << (8 - bits);
  }
}
