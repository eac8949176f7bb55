/**
 * What start-up has to say: lines for the person who runs the program, with
 * the form that each is printed in.
 *
 * @module
 */

/**
 * How a notice is printed: `plain` is the text alone, `early` is `LEVEL: text`
 * (before the log exists), `log` is a line of the log.
 */
export type NoticeStyle = "plain" | "early" | "log";

/** One line for the person who runs the program. */
export interface Notice {
  /** How grave it is. */
  readonly level: "info" | "warning" | "error";
  /** How it is printed. */
  readonly style: NoticeStyle;
  /** One line; holds no secret. */
  readonly text: string;
}

/** A notice that stops the start. */
export interface Issue extends Notice {
  /** Always an error. */
  readonly level: "error";
  /** What the process ends with: 2 for usage, 1 for content. */
  readonly exitCode: 1 | 2;
  /** Whether the usage text comes before it. */
  readonly usage: boolean;
  /** What to do about it, a line of its own: scripts know the words of many. */
  readonly advice?: string;
}

/** How an issue differs from a log line of exit code 1 without usage. */
export type IssueStyle = Partial<
  Pick<Issue, "style" | "exitCode" | "usage" | "advice">
>;

/**
 * The longest line that a message is: the longest sentence of our own with the
 * longest path (4,096 bytes on Linux). A file may hold a key of a megabyte.
 */
const MAX_LINE = 5000;

/** What would act on a terminal, or begin a line: C0, DEL, C1, separators. */
// deno-lint-ignore no-control-regex -- controls are what is looked for
const INVISIBLE_REGEXP = /[\0-\x1f\x7f-\x9f\u2028\u2029]/g;

/**
 * Makes a text one line that is safe to print, whatever was repeated in it.
 *
 * @param text The text.
 * @returns The text with escapes instead of controls, cut if it is too long.
 */
function oneLine(text: string): string {
  const line = text.replace(
    INVISIBLE_REGEXP,
    (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return line.length > MAX_LINE ? `${line.slice(0, MAX_LINE)} and more` : line;
}

/**
 * Makes a log line of level WARNING.
 *
 * @param text The line.
 * @returns The notice.
 */
export function warning(text: string): Notice {
  return { level: "warning", style: "log", text: oneLine(text) };
}

/**
 * Makes an issue.
 *
 * @param text The line.
 * @param options What differs from a log line of exit code 1 without usage.
 * @returns The issue.
 */
export function issue(
  text: string,
  options: IssueStyle = {},
): Issue {
  const { style = "log", exitCode = 1, usage = false, advice } = options;
  return {
    level: "error",
    style,
    text: oneLine(text),
    exitCode,
    usage,
    ...(advice !== undefined && { advice: oneLine(advice) }),
  };
}

/**
 * Puts the advice of an issue behind it.
 *
 * @param issue The issue.
 * @returns One line or two.
 */
export function withAdvice(issue: Issue): readonly Notice[] {
  const { advice: text } = issue;
  return text === undefined
    ? [issue]
    : [issue, { level: "info", style: "log", text }];
}
