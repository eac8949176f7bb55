/**
 * How messages repeat a text that was given.
 *
 * @module
 */

/** The longest text that a message repeats. */
const MAX_SHOWN = 40;

/** What links, users before a host, and files pasted whole have in them. */
const MAY_HOLD_SECRET = /:\/\/|[@{]/;

/**
 * Quotes a text for a message.
 *
 * @param text The text.
 * @returns The text in quotes, cut if it is long; its length alone if it may
 * hold a password, as a link or a pasted file may.
 */
export function shown(text: string): string {
  return MAY_HOLD_SECRET.test(text) ? describeLength(text) : quoted(text);
}

/**
 * Quotes a text that is known to hold no secret.
 *
 * @param text The text.
 * @returns The text in quotes, cut if it is long.
 */
export function quoted(text: string): string {
  const whole = JSON.stringify(text.slice(0, MAX_SHOWN));
  return text.length > MAX_SHOWN ? `${whole} and more` : whole;
}

/**
 * Repeats a path or a word for a message, without quotes.
 *
 * @param text The text.
 * @returns The text; its length alone if it may hold a password.
 */
export function shownBare(text: string): string {
  return MAY_HOLD_SECRET.test(text) ? describeLength(text) : text;
}

/**
 * Says of a secret text no more than its length.
 *
 * @param text The text.
 * @returns `a text of 8 characters`.
 */
export function describeLength(text: string): string {
  return `a text of ${text.length} characters`;
}
