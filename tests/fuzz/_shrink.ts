/**
 * Makes a failing input smaller.
 *
 * @module
 */

/** Tells whether an input still fails in the same way. */
export type StillFails = (choices: readonly number[]) => Promise<boolean>;

/**
 * Looks for a shorter list of smaller choices that still fails: spans are left
 * out, then numbers are made 0, halved, or one less.
 *
 * @param choices A list that fails.
 * @param stillFails Tries a list.
 * @param most How many lists are tried.
 * @returns The smallest that was found.
 */
export async function shrink(
  choices: readonly number[],
  stillFails: StillFails,
  most = 3000,
): Promise<readonly number[]> {
  let best = choices;
  let left = most;
  const attempt = async (candidate: readonly number[]): Promise<boolean> => {
    if (left-- <= 0 || !await stillFails(candidate)) return false;
    best = candidate;
    return true;
  };
  for (let before = -1; before !== left && left > 0;) {
    const { length } = best;
    const sum = total(best);
    before = left;
    for (let span = best.length; span > 0; span >>= 1) {
      for (let at = best.length - span; at >= 0; at -= span) {
        const end = Math.max(0, at);
        await attempt(best.toSpliced(end, span));
      }
    }
    for (let at = 0; at < best.length; at++) {
      const value = best[at]!;
      if (value === 0 || await attempt(best.with(at, 0))) continue;
      let low = 0;
      // The smallest that fails, as if all above it failed too.
      while (low + 1 < best[at]!) {
        const middle = (low + best[at]!) >> 1;
        if (!await attempt(best.with(at, middle))) low = middle;
        if (left <= 0) break;
      }
    }
    if (best.length === length && total(best) === sum) break;
  }
  return best;
}

function total(choices: readonly number[]): number {
  return choices.reduce((sum, choice) => sum + choice, 0);
}
