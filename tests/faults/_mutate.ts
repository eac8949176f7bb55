/**
 * Bytes gone wrong, the same for the same seed.
 *
 * @module
 */

import { concat } from "../support/bytes.ts";

/**
 * Changes bytes in one of several ways.
 *
 * @param bytes What an honest peer would send; left as it is.
 * @param random Decides how.
 * @returns The changed copy.
 */
export function mutate(
  bytes: Uint8Array,
  random: (below: number) => number,
): Uint8Array {
  const at = random(bytes.length);
  const end = Math.min(bytes.length, at + 1 + random(40));
  const head = bytes.subarray(0, at);
  const piece = bytes.subarray(at, end);
  switch (random(6)) {
    case 0:
      return concat(
        head,
        piece.map((byte) => byte ^ 1 << random(8)),
        bytes.subarray(end),
      );
    case 1:
      return concat(head, bytes.subarray(end));
    case 2:
      return concat(head, piece, bytes.subarray(at));
    case 3:
      return concat(head, piece.map(() => random(256)), bytes.subarray(at));
    case 4:
      return head.slice();
    default:
      return concat(head, piece.toReversed(), bytes.subarray(end));
  }
}
