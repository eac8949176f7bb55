/**
 * Guesses which name was meant.
 *
 * @module
 */

/** More differences than a slip of the finger makes. */
const MAX_DISTANCE = 2;

/**
 * Finds the name that is closest to what was written.
 *
 * @param written What was written.
 * @param names What could have been meant.
 * @returns The first of the closest names; undefined if none is close.
 */
export function nearest(
  written: string,
  names: Iterable<string>,
): string | undefined {
  let best: string | undefined;
  // Short names would all be close to each other.
  let limit = Math.min(MAX_DISTANCE + 1, Math.ceil(written.length / 2));
  for (const name of names) {
    if (Math.abs(name.length - written.length) >= limit) continue;
    const distance = editDistance(written, name);
    if (distance >= limit) continue;
    best = name;
    limit = distance;
  }
  return best;
}

/** Insertions, deletions, replacements and swaps of neighbours. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let least = Math.min(
        above[j]! + 1,
        row[j - 1]! + 1,
        above[j - 1]! + (same ? 0 : 1),
      );
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, before[j - 2]! + 1);
      }
      row.push(least);
    }
    before = above;
    above = row;
  }
  return above[b.length]!;
}
