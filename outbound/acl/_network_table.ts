/**
 * Many networks in sorted typed arrays: 5 bytes for each IPv4 network, 17 for
 * each IPv6 one, and a binary search to look one up.
 *
 * Two networks are either apart or one holds the other. The table drops those
 * that another one holds, so at most one network has an address, and it is the
 * last one that does not begin behind the address.
 *
 * @module
 */

import { type Cidr, formatCidr } from "../../loop/mod.ts";

/** Words of 32 bits in an IPv6 address. */
const V6_WORDS = 4;

/** The four words of an IPv6 address, the first one the highest. */
type Words = readonly [number, number, number, number];

/** An immutable table of networks. */
export class NetworkTable {
  /** How many networks it has; those held by others are not counted. */
  readonly size: number;
  readonly #v4: Uint32Array;
  readonly #v4Prefixes: Uint8Array;
  readonly #v6: Uint32Array;
  readonly #v6Prefixes: Uint8Array;

  /**
   * Makes a table.
   *
   * @param networks The networks, in any order, with host bits cleared.
   */
  constructor(networks: readonly Cidr[]) {
    const v4 = packV4(networks.filter(({ address }) => address.length === 4));
    const v6 = packV6(networks.filter(({ address }) => address.length === 16));
    this.#v4 = v4.starts;
    this.#v4Prefixes = v4.prefixes;
    this.#v6 = v6.starts;
    this.#v6Prefixes = v6.prefixes;
    this.size = v4.prefixes.length + v6.prefixes.length;
  }

  /**
   * Finds the network of an IPv4 address.
   *
   * @param address The address as a number; only its 32 low bits count.
   * @returns The number of the network for {@linkcode NetworkTable.textOf};
   * -1: there is none.
   */
  findV4(address: number): number {
    const starts = this.#v4;
    const wanted = address >>> 0;
    let low = 0;
    let high = starts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (starts[middle]! <= wanted) low = middle + 1;
      else high = middle;
    }
    const at = low - 1;
    if (at < 0) return -1;
    const differs = (wanted ^ starts[at]!) & maskOf(this.#v4Prefixes[at]!);
    return differs === 0 ? at : -1;
  }

  /**
   * Finds the network of an IPv6 address, given as its four words of 32 bits.
   *
   * @param a Bytes 0 to 3.
   * @param b Bytes 4 to 7.
   * @param c Bytes 8 to 11.
   * @param d Bytes 12 to 15.
   * @returns The number of the network for {@linkcode NetworkTable.textOf};
   * -1: there is none.
   */
  findV6(a: number, b: number, c: number, d: number): number {
    const starts = this.#v6;
    let low = 0;
    let high = this.#v6Prefixes.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const at = middle * V6_WORDS;
      const order = (starts[at]! - a) || (starts[at + 1]! - b) ||
        (starts[at + 2]! - c) || (starts[at + 3]! - d);
      if (order <= 0) low = middle + 1;
      else high = middle;
    }
    const found = low - 1;
    if (found < 0) return -1;
    const at = found * V6_WORDS;
    const prefix = this.#v6Prefixes[found]!;
    const differs = ((a ^ starts[at]!) & maskOf(prefix)) |
      ((b ^ starts[at + 1]!) & maskOf(prefix - 32)) |
      ((c ^ starts[at + 2]!) & maskOf(prefix - 64)) |
      ((d ^ starts[at + 3]!) & maskOf(prefix - 96));
    return differs === 0 ? this.#v4Prefixes.length + found : -1;
  }

  /**
   * Writes a network that was found.
   *
   * @param found What a look-up gave, not -1.
   * @returns `address/prefix`.
   */
  textOf(found: number): string {
    const count = this.#v4Prefixes.length;
    if (found < count) {
      const address = toBytes(this.#v4.subarray(found, found + 1));
      return formatCidr({ address, prefix: this.#v4Prefixes[found]! });
    }
    const at = (found - count) * V6_WORDS;
    const address = toBytes(this.#v6.subarray(at, at + V6_WORDS));
    return formatCidr({ address, prefix: this.#v6Prefixes[found - count]! });
  }
}

/**
 * Reads 32 bits of an address.
 *
 * @param bytes The address.
 * @param at Where the four bytes begin.
 * @returns A number from 0 to 2³² - 1.
 */
export function wordAt(bytes: Uint8Array, at: number): number {
  return (((bytes[at]! << 24) | (bytes[at + 1]! << 16) |
    (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0);
}

/** The mask of a prefix within one word; it may lie before or behind. */
function maskOf(prefix: number): number {
  if (prefix <= 0) return 0;
  return prefix >= 32 ? -1 : -1 << (32 - prefix);
}

interface Packed {
  readonly starts: Uint32Array;
  readonly prefixes: Uint8Array;
}

function packV4(networks: readonly Cidr[]): Packed {
  // The address and, in the six low bits, the prefix: a number below 2³⁸ that
  // sorts a network before those it holds.
  const keys = new Float64Array(networks.length);
  for (const [i, { address, prefix }] of networks.entries()) {
    keys[i] = wordAt(address, 0) * 64 + prefix;
  }
  keys.sort();
  const starts = new Uint32Array(keys.length);
  const prefixes = new Uint8Array(keys.length);
  let count = 0;
  for (const key of keys) {
    const start = Math.floor(key / 64);
    const last = count - 1;
    const isHeld = last >= 0 &&
      ((start ^ starts[last]!) & maskOf(prefixes[last]!)) === 0;
    if (isHeld) continue;
    starts[count] = start;
    prefixes[count++] = key % 64;
  }
  return {
    starts: starts.slice(0, count),
    prefixes: prefixes.slice(0, count),
  };
}

function packV6(networks: readonly Cidr[]): Packed {
  const rows = networks.map(({ address, prefix }) => ({
    words: wordsOf(address),
    prefix,
  }));
  rows.sort((x, y) => compare(x.words, y.words) || x.prefix - y.prefix);
  const kept: typeof rows = [];
  for (const row of rows) {
    const last = kept.at(-1);
    const isHeld = last !== undefined &&
      row.words.every((word, i) =>
        ((word ^ last.words[i]!) & maskOf(last.prefix - i * 32)) === 0
      );
    if (!isHeld) kept.push(row);
  }
  const starts = new Uint32Array(kept.length * V6_WORDS);
  for (const [i, { words }] of kept.entries()) starts.set(words, i * V6_WORDS);
  return { starts, prefixes: Uint8Array.from(kept, ({ prefix }) => prefix) };
}

function wordsOf(address: Uint8Array): Words {
  return [
    wordAt(address, 0),
    wordAt(address, 4),
    wordAt(address, 8),
    wordAt(address, 12),
  ];
}

function compare(x: Words, y: Words): number {
  return (x[0] - y[0]) || (x[1] - y[1]) || (x[2] - y[2]) || (x[3] - y[3]);
}

function toBytes(words: Uint32Array): Uint8Array {
  const bytes = new Uint8Array(words.length * 4);
  const view = new DataView(bytes.buffer);
  words.forEach((word, i) => view.setUint32(i * 4, word));
  return bytes;
}
