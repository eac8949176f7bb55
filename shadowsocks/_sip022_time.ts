/**
 * The time in the headers of the 2022 edition (SIP022, section 3.1.3):
 * seconds since 1970.
 *
 * @module
 */

import { NUMBER_LENGTH, readNumber, writeNumber } from "./_sip022_number.ts";
import type { EditionClock } from "./clock.ts";

/** Bytes of a time. */
export const TIME_LENGTH: number = NUMBER_LENGTH;
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
  writeNumber(bytes, at, Math.floor(clock.time() / 1000));
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
  return readNumber(bytes, at) - Math.floor(clock.time() / 1000);
}
