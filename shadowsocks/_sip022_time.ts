/**
 * The time in the headers of the 2022 edition (SIP022, section 3.1.3): eight
 * bytes, big endian, seconds since 1970.
 *
 * @module
 */

import type { EditionClock } from "./clock.ts";

/** Bytes of a time. */
export const TIME_LENGTH = 8;
/** SIP022: seconds by which two clocks may differ. */
export const MAX_SKEW = 30;

/**
 * Writes what time it is.
 *
 * @param bytes Takes it.
 * @param at Where in them.
 * @param clock Says it.
 */
export function writeTime(
  bytes: Uint8Array,
  at: number,
  clock: EditionClock,
): void {
  const seconds = Math.floor(clock.time() / 1000);
  writeWord(bytes, at, Math.floor(seconds / 0x1_0000_0000));
  writeWord(bytes, at + 4, seconds);
}

/**
 * Tells how far the clock of a peer is ahead of ours.
 *
 * @param bytes Hold the time that it has sent.
 * @param at Where in them.
 * @param clock Ours.
 * @returns Seconds; up to 2⁶⁴, since anything may have been sent.
 */
export function skewOf(
  bytes: Uint8Array,
  at: number,
  clock: EditionClock,
): number {
  const theirs = readWord(bytes, at) * 0x1_0000_0000 + readWord(bytes, at + 4);
  return theirs - Math.floor(clock.time() / 1000);
}

function writeWord(bytes: Uint8Array, at: number, word: number): void {
  bytes[at] = word >>> 24;
  bytes[at + 1] = word >>> 16;
  bytes[at + 2] = word >>> 8;
  bytes[at + 3] = word;
}

function readWord(bytes: Uint8Array, at: number): number {
  return bytes[at]! * 0x100_0000 + (bytes[at + 1]! << 16) +
    (bytes[at + 2]! << 8) + bytes[at + 3]!;
}
