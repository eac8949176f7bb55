/**
 * Bytes for the tests of this folder: a seeded generator and helpers.
 *
 * @module
 */

/**
 * A small seeded generator (xorshift32), so that a failure can be repeated.
 *
 * @param seed Any number but 0.
 * @returns Gives whole numbers from 0 to `limit` - 1.
 */
export function seeded(seed: number): (limit: number) => number {
  let state = seed | 0;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
}

/**
 * Joins numbers, texts (Latin-1) and bytes.
 *
 * @param parts What to join.
 * @returns The bytes.
 */
export function bytesOf(
  ...parts: readonly (number | string | Uint8Array)[]
): Uint8Array {
  return Uint8Array.from(
    parts.flatMap((part) =>
      typeof part === "number"
        ? [part]
        : typeof part === "string"
        ? Array.from(part, (character) => character.charCodeAt(0))
        : [...part]
    ),
  );
}
