/**
 * A set of IP networks, made for the list of forbidden targets: one look-up
 * per connection and per datagram, without allocation.
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

import { formatIp, parseIp, unmapIp } from "../loop/mod.ts";

/** What a server forbids when nothing is configured. */
export const DEFAULT_FORBIDDEN: readonly string[] = [
  "127.0.0.0/8", // loopback
  "::1/128",
  "0.0.0.0/8", // "this host": connects to loopback on most systems
  "::/128",
  "169.254.0.0/16", // link-local, and the metadata service of clouds
  "fe80::/10",
];

/** What the word `private` stands for. */
const PRIVATE: readonly string[] = [
  ...DEFAULT_FORBIDDEN,
  "10.0.0.0/8", // RFC 1918
  "172.16.0.0/12",
  "192.168.0.0/16",
  "100.64.0.0/10", // carrier-grade NAT, RFC 6598
  "fc00::/7", // unique local, RFC 4193
  "fec0::/10", // site-local, RFC 3879
];

/** Words per network: the network, then its mask. */
const V4_WORDS = 2;
const V6_WORDS = 8;

/** A set of IPv4 and IPv6 networks. */
export class IpNetworks {
  /** The networks in CIDR form, host bits cleared. */
  readonly cidrs: readonly string[];
  readonly #v4: Uint32Array;
  readonly #v6: Uint32Array;

  /**
   * Makes a set.
   *
   * @param entries A list of, or comma-separated, addresses, `address/prefix`
   * and the word `private`; empty ones are skipped. A missing prefix length is
   * guessed from the trailing zero bits of the address.
   * @param options `onGuess` gets a line for every guess.
   * @throws {SyntaxError} If an entry is none of these.
   */
  constructor(
    entries: string | readonly string[],
    options: { readonly onGuess?: (line: string) => void } = {},
  ) {
    const cidrs = new Set<string>();
    const v4: number[] = [];
    const v6: number[] = [];
    const list = typeof entries === "string" ? entries.split(",") : entries;
    for (const entry of list.flatMap(expandWord)) {
      const network = parseNetwork(entry, options.onGuess);
      const cidr = `${formatIp(network.address)}/${network.prefix}`;
      if (cidrs.has(cidr)) continue;
      cidrs.add(cidr);
      const words = network.address.length === 4 ? v4 : v6;
      words.push(...toWords(network.address), ...toWords(network.mask));
    }
    this.cidrs = [...cidrs];
    this.#v4 = Uint32Array.from(v4);
    this.#v6 = Uint32Array.from(v6);
  }

  /**
   * Whether an address, or an IPv4 address inside it, lies in a network.
   *
   * @param address 4 or 16 bytes. Any other length counts as contained, so
   * that a mistake forbids and never allows.
   */
  contains(address: Uint8Array): boolean {
    if (address.length === 4) return this.#hasV4(word(address, 0));
    if (address.length !== 16) return true;
    const a = word(address, 0);
    const b = word(address, 4);
    const c = word(address, 8);
    const d = word(address, 12);
    return this.#hasV6(a, b, c, d) || this.#hasEmbedded(a, b, c, d);
  }

  #hasV4(address: number): boolean {
    const nets = this.#v4;
    for (let i = 0; i < nets.length; i += V4_WORDS) {
      if (((address ^ nets[i]!) & nets[i + 1]!) === 0) return true;
    }
    return false;
  }

  #hasV6(a: number, b: number, c: number, d: number): boolean {
    const nets = this.#v6;
    for (let i = 0; i < nets.length; i += V6_WORDS) {
      const differs = ((a ^ nets[i]!) & nets[i + 4]!) |
        ((b ^ nets[i + 1]!) & nets[i + 5]!) |
        ((c ^ nets[i + 2]!) & nets[i + 6]!) |
        ((d ^ nets[i + 3]!) & nets[i + 7]!);
      if (differs === 0) return true;
    }
    return false;
  }

  #hasEmbedded(a: number, b: number, c: number, d: number): boolean {
    if (a === 0 && b === 0) {
      const carries = c === 0 || c === 0xffff || c === 0xffff0000;
      return carries && this.#hasV4(d);
    }
    if (a >>> 16 === 0x2002) return this.#hasV4((a << 16) | (b >>> 16));
    if (a !== 0x0064ff9b) return false;
    if (b === 0 && c === 0) return this.#hasV4(d);
    return b >>> 16 === 1 && this.#hasLocalNat64(b, c, d);
  }

  /**
   * The prefix of a local NAT64 has 48, 56, 64 or 96 bits, and nothing in the
   * address tells which: every reading counts that a translator would take.
   */
  #hasLocalNat64(b: number, c: number, d: number): boolean {
    return this.#hasTranslated((b << 16) | ((c >>> 8) & 0xffff)) ||
      this.#hasTranslated((b << 24) | (c & 0xffffff)) ||
      this.#hasTranslated((c << 8) | (d >>> 24)) ||
      this.#hasTranslated(d);
  }

  /** A translator forwards nothing to 0.0.0.0/8, so zeros are not a target. */
  #hasTranslated(address: number): boolean {
    return address >>> 24 !== 0 && this.#hasV4(address);
  }
}

interface Network {
  readonly address: Uint8Array;
  readonly mask: Uint8Array;
  readonly prefix: number;
}

function expandWord(entry: string): readonly string[] {
  const trimmed = entry.trim();
  if (trimmed === "") return [];
  return trimmed.toLowerCase() === "private" ? PRIVATE : [trimmed];
}

function parseNetwork(
  entry: string,
  onGuess: ((line: string) => void) | undefined,
): Network {
  const slash = entry.indexOf("/");
  const host = slash < 0 ? entry : entry.slice(0, slash);
  const given = parseIp(host);
  if (given === undefined) throw notCidr(entry);
  let prefix: number;
  if (slash < 0) {
    prefix = guessPrefix(given);
    // The words are the ones that scripts look for, spelling included.
    onGuess?.(
      "You did't specify CIDR routing prefix size for " +
        `${entry}, implicit treated as ${entry}/${prefix}`,
    );
  } else {
    const digits = entry.slice(slash + 1);
    prefix = /^\d{1,3}$/.test(digits) ? Number(digits) : NaN;
    if (!(prefix <= given.length * 8)) throw notCidr(entry);
  }
  const address = prefix >= 128 - 32 ? unmapIp(given) : given;
  if (address.length < given.length) prefix -= 128 - 32;
  const mask = maskOf(address.length, prefix);
  return { address: address.map((byte, i) => byte & mask[i]!), mask, prefix };
}

function notCidr(entry: string): SyntaxError {
  return new SyntaxError(`Not a valid CIDR notation: ${entry}`);
}

function guessPrefix(address: Uint8Array): number {
  let last = address.length - 1;
  while (last > 0 && address[last] === 0) last--;
  const byte = address[last]!;
  // The unspecified address is that one address, not everything.
  if (byte === 0) return address.length * 8;
  return (last + 1) * 8 - (31 - Math.clz32(byte & -byte));
}

function maskOf(length: number, prefix: number): Uint8Array {
  const mask = new Uint8Array(length);
  for (let i = 0; i < length; i++) {
    const bits = Math.min(8, Math.max(0, prefix - i * 8));
    mask[i] = 0xff << (8 - bits);
  }
  return mask;
}

function word(bytes: Uint8Array, at: number): number {
  return (((bytes[at]! << 24) | (bytes[at + 1]! << 16) |
    (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0);
}

function toWords(bytes: Uint8Array): number[] {
  const words: number[] = [];
  for (let i = 0; i < bytes.length; i += 4) words.push(word(bytes, i));
  return words;
}
