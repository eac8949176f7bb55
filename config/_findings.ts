/**
 * What is found in a configuration, with the places that are looked up only
 * when there is something to print.
 *
 * @module
 */

import type { Spot } from "./formats/_place.ts";
import {
  type Issue,
  issue,
  type IssueStyle,
  type Notice,
  warning,
} from "./notice.ts";

/** A notice and the place that it begins with. */
export interface Finding<T extends Notice> {
  /** The notice, without its place. */
  readonly notice: T;
  /** The place in the file; undefined: none. */
  readonly at: Spot | undefined;
}

/** Collects issues and warnings. */
export class Findings {
  /** What is wrong, in the order found. */
  readonly issues: Finding<Issue>[] = [];
  /** What is to be said in the log. */
  readonly warnings: Finding<Notice>[] = [];
  readonly #said = new Set<string>();

  /**
   * Adds an issue.
   *
   * @param text The line, without its place.
   * @param at The place in the file.
   * @param style What differs from the usual.
   */
  refuse(text: string, at?: Spot, style: IssueStyle = {}): void {
    this.issues.push({ notice: issue(text, style), at });
  }

  /**
   * Adds a warning, once.
   *
   * @param text The line, without its place.
   * @param at The place in the file.
   */
  warn(text: string, at?: Spot): void {
    this.note(warning(text), at);
  }

  /**
   * Adds a notice for the log, once.
   *
   * @param notice The notice.
   * @param at The place in the file.
   */
  note(notice: Notice, at?: Spot): void {
    if (this.#said.has(notice.text)) return;
    this.#said.add(notice.text);
    this.warnings.push({ notice, at });
  }

  /** Whether any of it has a place. */
  get needPlaces(): boolean {
    return [...this.issues, ...this.warnings].some(({ at }) =>
      at !== undefined
    );
  }
}

/**
 * Puts the places in front of notices.
 *
 * @param findings The notices.
 * @param place What a notice about a spot begins with.
 * @returns The notices, whole.
 */
export function placed<T extends Notice>(
  findings: readonly Finding<T>[],
  place: (spot: Spot) => string,
): T[] {
  return findings.map(({ notice, at }) =>
    at === undefined ? notice : { ...notice, text: place(at) + notice.text }
  );
}
