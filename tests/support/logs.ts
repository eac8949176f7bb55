/**
 * For tests: the log lines of the product, kept instead of written.
 *
 * @module
 */

import {
  configureSync,
  type LogLevel,
  type LogRecord,
  resetSync,
} from "@logtape/logtape";
import { withTimeout } from "./timeout.ts";

/** One line as a sink gets it. */
export interface LogLine {
  /** How grave it is. */
  readonly level: LogLevel;
  /** The text with its values put in. */
  readonly text: string;
}

/** Takes the log lines until it is disposed of. */
export class LogCapture implements Disposable {
  /** What was logged so far. */
  readonly records: LogLine[] = [];
  readonly #waiting = new Set<() => void>();

  /**
   * Begins to take them.
   *
   * @param lowestLevel Lines below it are not logged.
   */
  constructor(lowestLevel: LogLevel = "trace") {
    const keep = (record: LogRecord): void => {
      this.records.push({ level: record.level, text: textOf(record) });
      for (const check of [...this.#waiting]) check();
    };
    configureSync({
      reset: true,
      sinks: { keep },
      loggers: [
        { category: "shadowsocks", sinks: ["keep"], lowestLevel },
        { category: ["logtape", "meta"], sinks: [], lowestLevel: "fatal" },
      ],
    });
  }

  /** Level and text of each line: `info: starting …`. */
  get lines(): string[] {
    return this.records.map(({ level, text }) => `${level}: ${text}`);
  }

  /** The texts of all lines. */
  get texts(): string[] {
    return this.records.map(({ text }) => text);
  }

  /** The texts of one level. */
  of(level: LogLevel): string[] {
    return this.records.filter((line) => line.level === level)
      .map((line) => line.text);
  }

  /** The texts in which `part` stands. */
  with(part: string): string[] {
    return this.texts.filter((text) => text.includes(part));
  }

  /** Forgets what was logged so far. */
  clear(): void {
    this.records.length = 0;
  }

  /** Settles when `count` lines hold `part`; waits as long as others do. */
  async waitFor(part: string, count = 1): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const check = (): void => {
      if (this.with(part).length < count) return;
      this.#waiting.delete(check);
      resolve();
    };
    this.#waiting.add(check);
    check();
    await withTimeout(promise, `${count} lines with ${part}`);
  }

  /** Runs a test; if it fails, its error says what was logged. */
  async during(body: () => Promise<void>): Promise<void> {
    try {
      await body();
    } catch (error) {
      const log = this.lines.join("\n");
      throw new Error(`The test failed. What was logged:\n${log}`, {
        cause: error,
      });
    }
  }

  /** Takes no more. */
  [Symbol.dispose](): void {
    resetSync();
  }
}

function textOf(record: LogRecord): string {
  return record.message.map((part) =>
    part instanceof Error ? part.message : String(part)
  ).join("");
}
