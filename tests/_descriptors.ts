/**
 * How many descriptors this process has open, for tests that must not leak.
 *
 * The count is of the whole process. Test files that run side by side in one
 * process disturb it, so it is compared only where the environment variable
 * {@linkcode COUNT_VARIABLE} says that the process runs nothing else.
 *
 * @module
 */

import { assertEquals } from "@std/assert";

/** Set to `1`: nothing else runs in this process, so compare. */
export const COUNT_VARIABLE = "SHADOWSOCKS_TEST_DESCRIPTORS";

/** Milliseconds until descriptors being closed must be closed. */
const DEADLINE = 5_000;

/**
 * Counts the open descriptors of this process.
 *
 * @returns The count, or undefined where the system does not tell.
 */
export function countDescriptors(): number | undefined {
  try {
    return [...Deno.readDirSync("/proc/self/fd")].length;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/**
 * Fails if `body` leaves descriptors open, where they can be counted.
 *
 * @param body What to run.
 */
export async function withoutLeaks(body: () => Promise<void>): Promise<void> {
  if (Deno.env.get(COUNT_VARIABLE) !== "1") return await body();
  const before = countDescriptors();
  await body();
  const end = performance.now() + DEADLINE;
  while (countDescriptors() !== before && performance.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assertEquals(countDescriptors(), before, "descriptors left open");
}
