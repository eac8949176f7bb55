/**
 * For tests: the log lines of the product, kept instead of written.
 *
 * @module
 */

import { configureSync, type LogRecord, resetSync } from "@logtape/logtape";

/** One line as a sink gets it. */
export interface LogLine {
  /** `trace`, `debug`, `info`, `warning`, `error` or `fatal`. */
  readonly level: string;
  /** The text with its values put in. */
  readonly text: string;
}

/** Takes every log line until it is disposed of. */
export class LogCapture implements Disposable {
  /** What was logged so far. */
  readonly lines: LogLine[] = [];
  readonly #waiting = new Set<() => void>();

  /** Begins to take them. */
  constructor() {
    const keep = (record: LogRecord): void => {
      this.lines.push({ level: record.level, text: textOf(record) });
      for (const check of [...this.#waiting]) check();
    };
    configureSync({
      reset: true,
      sinks: { keep },
      loggers: [
        { category: "shadowsocks", sinks: ["keep"], lowestLevel: "trace" },
        { category: ["logtape", "meta"], sinks: [], lowestLevel: "fatal" },
      ],
    });
  }

  /** The texts of one level. */
  of(level: string): string[] {
    return this.lines.filter((line) => line.level === level)
      .map((line) => line.text);
  }

  /** The texts in which `part` stands. */
  with(part: string): string[] {
    return this.lines.filter((line) => line.text.includes(part))
      .map((line) => line.text);
  }

  /** Forgets what was logged so far. */
  clear(): void {
    this.lines.length = 0;
  }

  /** Settles when `count` lines hold `part`. */
  waitFor(part: string, count = 1): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const check = (): void => {
      if (this.with(part).length < count) return;
      this.#waiting.delete(check);
      resolve();
    };
    this.#waiting.add(check);
    check();
    return promise;
  }

  /** Runs a test; if it fails, its error says what was logged. */
  async during(body: () => Promise<void>): Promise<void> {
    try {
      await body();
    } catch (error) {
      const log = this.lines.map(({ level, text }) => `${level}: ${text}`);
      throw new Error(`The test failed. What was logged:\n${log.join("\n")}`, {
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
