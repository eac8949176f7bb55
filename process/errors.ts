/**
 * What keeps a process from living as it was told to.
 *
 * @module
 */

/** Thrown when the system refuses; the message is for the user. */
export class ProcessError extends Error {
  /** The name of the class. */
  override readonly name = "ProcessError";
}

/**
 * Says why a system call failed, without what only programmers read.
 *
 * @param error What was thrown.
 * @returns Such as `Permission denied`.
 */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/ \(os error \d+\).*$/s, "");
}
