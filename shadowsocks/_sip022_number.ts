/**
 * Numbers of eight bytes, big endian, as the 2022 edition writes times and
 * counts packets (SIP022, sections 3.1.3 and 3.2).
 *
 * @module
 */

/** Bytes of a number. */
export const NUMBER_LENGTH = 8;

/**
 * Writes a number.
 *
 * @param bytes Takes it.
 * @param at Where in them.
 * @param number A whole number, at most 2⁵³ - 1.
 */
export function writeNumber(
  bytes: Uint8Array,
  at: number,
  number: number,
): void {
  writeWord(bytes, at, Math.floor(number / 0x1_0000_0000));
  writeWord(bytes, at + 4, number);
}

/**
 * Reads a number.
 *
 * @param bytes Hold it.
 * @param at Where in them.
 * @returns The number, up to 2⁶⁴; it is not exact beyond 2⁵³.
 */
export function readNumber(bytes: Uint8Array, at: number): number {
  return readWord(bytes, at) * 0x1_0000_0000 + readWord(bytes, at + 4);
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
