/**
 * The probes that censors are known to send: random bytes by length, changed
 * copies of genuine flights, flights with a flipped bit or cut short.
 *
 * R1 to R5, NR1 and NR2 are named as in "How China Detects and Blocks
 * Shadowsocks" (Alice and others, IMC 2020, section 4).
 *
 * @module
 */

import { randomOf, seededBytes } from "../support/mod.ts";

/** One probe. */
export interface Probe {
  /** What it belongs to. */
  readonly family: string;
  /** What is sent, one write each. */
  readonly pieces: readonly Uint8Array[];
}

/** Makes genuine flights, each of which may be sent once. */
export type NewFlight = () => Uint8Array;

/** What probes are made of. */
export interface ProbeOptions {
  /** Decides all bytes. */
  readonly seed: number;
  /** How many there are of each small family. */
  readonly repeats: number;
  /** Makes genuine flights; undefined: the password is not known. */
  readonly newFlight: NewFlight | undefined;
}

/** The longest random probe that is tried at every length. */
const MOST_LENGTH = 221;
/** Lengths of the probes NR1. */
const NR1 = [7, 8, 9, 11, 12, 13, 15, 16, 17, 21, 22, 23, 32, 33, 34, 40, 41]
  .concat([42, 48, 49, 50]);
const NR2 = 221;
/** Lengths around what implementations wait for. */
const EDGES = [1, 49, 50, 51, 59, 60, 1000, 100_000];
/** Which bytes of a genuine flight each family changes. */
const CHANGES: readonly (readonly [string, readonly number[]])[] = [
  ["R1 a replay", []],
  ["R2 a replay, byte 0 changed", [0]],
  ["R3 a replay, bytes 0-7, 62-63 changed", [
    ...[0, 1, 2, 3, 4, 5, 6, 7],
    ...[62, 63],
  ]],
  ["R4 a replay, byte 16 changed", [16]],
  ["R5 a replay, bytes 6, 16 changed", [6, 16]],
];

/**
 * Makes all probes.
 *
 * @param options What they are made of.
 * @returns The probes; those that replay a flight come with it in
 * {@linkcode Plan.served}.
 */
export function planOf(options: ProbeOptions): Plan {
  const { seed, repeats, newFlight } = options;
  const random = randomOf(seed);
  const bytes = (length: number): Uint8Array =>
    seededBytes(length, random(2 ** 30));
  const probes: Probe[] = [];
  const served: Uint8Array[] = [];
  const add = (family: string, ...pieces: Uint8Array[]): void => {
    probes.push({ family, pieces });
  };
  for (let n = 0; n < repeats; n++) {
    for (let length = 1; length <= MOST_LENGTH; length++) {
      add("A1 random, whole", bytes(length));
    }
    for (const length of NR1) add("NR1 random, near edges", bytes(length));
    add("NR2 random, 221 bytes", bytes(NR2));
    for (const length of EDGES) add("A4 random, by length", bytes(length));
    const split = bytes(60);
    add(
      "A1 random, byte by byte",
      ...Array.from(split, (byte) => Uint8Array.of(byte)),
    );
  }
  if (newFlight === undefined) return { probes, served };
  for (let n = 0; n < repeats; n++) {
    for (const [family, places] of CHANGES) {
      const flight = newFlight();
      served.push(flight);
      const copy = flight.slice();
      for (const at of places) copy[at]! ^= 1 + random(255);
      add(family, copy);
    }
    // A flight that nobody has sent before.
    const flight = newFlight();
    for (let k = 0; k < 64; k++) {
      const bit = random(8 * flight.length);
      const forged = flight.slice();
      forged[bit >> 3]! ^= 1 << (bit & 7);
      add("A3 a flipped bit", forged);
    }
    // Of one that was served: the server waits for the rest of another.
    const old = newFlight();
    served.push(old);
    for (let k = 0; k < 16; k++) {
      add("A3 a replay, cut short", old.slice(0, 1 + random(old.length - 1)));
    }
  }
  return { probes, served };
}

/** What is to be sent. */
export interface Plan {
  /** The probes. */
  readonly probes: readonly Probe[];
  /** Genuine flights, to be sent first: some probes are replays of them. */
  readonly served: readonly Uint8Array[];
}
