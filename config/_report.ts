/**
 * What the readers of values report to.
 *
 * @module
 */

import type { Path } from "./_place.ts";
import type { Issue } from "./notice.ts";

/** Takes what is wrong with a value. */
export interface Report {
  /**
   * The value has not the form that it needs.
   *
   * @param expected The form, as in "expected a port".
   * @param part The part of the value that is wrong; default the whole.
   * @returns Undefined, for the reader to return.
   */
  expected(
    expected: string,
    part?: { readonly path: Path; readonly value: unknown },
  ): undefined;
  /**
   * The value is refused, in these words.
   *
   * @returns Undefined, for the reader to return.
   */
  refused(
    text: string,
    options?: Partial<Pick<Issue, "style" | "exitCode">>,
  ): undefined;
  /** The value is taken, but there is something to say. */
  warn(text: string): void;
}

/** Reads a value as given; undefined after a report. */
export type Reader<T> = (value: unknown, report: Report) => T | undefined;
