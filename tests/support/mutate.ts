/**
 * Bytes gone wrong, the same for the same seed.
 *
 * @module
 */

import { concat } from "./bytes.ts";

/** Bytes at which limits lie. */
const EDGES = [0, 1, 3, 4, 5, 0x0a, 0x0d, 0x20, 0x3f, 0x40, 0x7f, 0x80, 0xff];

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
  if (bytes.length === 0) return Uint8Array.of(random(256));
  const at = random(bytes.length);
  const end = Math.min(bytes.length, at + 1 + random(40));
  const head = bytes.subarray(0, at);
  const piece = bytes.subarray(at, end);
  switch (random(8)) {
    case 0: {
      const bit = 1 << random(8);
      const flipped = bytes.slice();
      flipped[at]! ^= bit;
      return flipped;
    }
    case 1:
      return concat(head, bytes.subarray(end));
    case 2:
      return concat(head, piece, bytes.subarray(at));
    case 3:
      return concat(head, piece.map(() => random(256)), bytes.subarray(at));
    case 4:
      return head.slice();
    case 5: {
      const changed = bytes.slice();
      changed[at] = EDGES[random(EDGES.length)]!;
      return changed;
    }
    case 6:
      return concat(
        head,
        piece.map((byte) => byte ^ 1 << random(8)),
        bytes.subarray(end),
      );
    default:
      return concat(head, piece.toReversed(), bytes.subarray(end));
  }
}
