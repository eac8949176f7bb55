/**
 * A guard against waiting for ever.
 *
 * @module
 */

/**
 * Waits for a promise, but not longer than allowed.
 *
 * @param work What is waited for.
 * @param what Names it in the error.
 * @param milliseconds The most to wait.
 * @returns The value of `work`.
 * @throws {Error} If it takes too long.
 */
export async function withTimeout<T>(
  work: Promise<T>,
  what: string,
  milliseconds = 20_000,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () =>
        reject(new Error(`Cannot wait for ${what}: ${milliseconds} ms passed`)),
      milliseconds,
    );
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Tells whether a promise stays unsettled for a while: the only way to see
 * that a peer remains silent.
 *
 * @param work What should not settle; it is left as it is.
 * @param milliseconds How long to look.
 * @returns False if it settled.
 */
export async function staysPending(
  work: Promise<unknown>,
  milliseconds: number,
): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const quiet = new Promise<true>((resolve) => {
    timer = setTimeout(() => resolve(true), milliseconds);
  });
  const settled = work.then(() => false, () => false);
  const result = await Promise.race([settled, quiet]);
  clearTimeout(timer);
  return result;
}
