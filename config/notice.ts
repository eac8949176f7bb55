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
 * Makes a log line of level WARNING.
 *
 * @param text The line.
 * @returns The notice.
 */
export function warning(text: string): Notice {
  return { level: "warning", style: "log", text };
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
    text,
    exitCode,
    usage,
    ...(advice !== undefined && { advice }),
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
