/**
 * Where log lines go: standard output, or the file of a daemon, which can be
 * opened again after a rotation.
 *
 * Nobody waits for a line: a reader that has stopped, or a disk, would stop
 * every connection. What cannot be written in time is lost, and counted.
 *
 * @module
 */

import { formatNotice, type LogOutput } from "../config/mod.ts";
import { LineQueue, type LineTarget } from "./_line_queue.ts";
import { openLog, openLogLater } from "./_log_open.ts";
import { ProcessError, reasonOf } from "./errors.ts";

/** A log that can be opened again. */
export interface ProcessOutput extends LogOutput {
  /** The name of the file; undefined: there is none. */
  readonly path: string | undefined;
  /**
   * Opens the file again by its name.
   *
   * @returns Why it cannot be: the old one still takes the lines; undefined:
   * it is open, or there is none.
   */
  reopen(): Promise<string | undefined>;
}

/** What a {@linkcode LogFile} is made with. */
export interface LogFileOptions {
  /** Whether it writes to standard output; default true. */
  readonly hasTerminal?: boolean | undefined;
  /**
   * Called once lines are written again after some were lost; returns what is
   * to stand at their place. Default: a line of the log with their number.
   */
  readonly onLost?: ((count: number) => string) | undefined;
}

/** Milliseconds that whoever lets an output go waits for its last lines. */
const END_TIMEOUT = 1000;

/** Writes text to standard output, to a file, or to both; never fails. */
export class LogFile implements ProcessOutput, AsyncDisposable {
  readonly #onLost: (count: number) => string;
  #terminal: LineQueue | undefined;
  #file: LineQueue | undefined;
  #path: string | undefined;
  #redirect: ((path: string) => void) | undefined;

  /**
   * Makes an output without a file.
   *
   * @param options How.
   */
  constructor(options: LogFileOptions = {}) {
    this.#onLost = options.onLost ?? lostLines;
    if (options.hasTerminal !== false) {
      this.#terminal = new LineQueue(TERMINAL, this.#onLost);
    }
  }

  /** The name of the file; undefined: there is none. */
  get path(): string | undefined {
    return this.#path;
  }

  /**
   * Has text written. A full disk or a reader that has gone is no reason to
   * stop relaying: what cannot be written is lost.
   *
   * @param text Whole lines.
   */
  write(text: string): void {
    this.#file?.write(text);
    this.#terminal?.write(text);
  }

  /**
   * Has text written to standard output alone.
   *
   * @param text Whole lines.
   */
  print(text: string): void {
    this.#terminal?.write(text);
  }

  /**
   * Waits until everything is written.
   *
   * @param milliseconds The most it waits; absent: as long as it takes.
   */
  async flush(milliseconds?: number): Promise<void> {
    await Promise.all([
      this.#file?.flush(milliseconds),
      this.#terminal?.flush(milliseconds),
    ]);
  }

  /**
   * Appends to a file too from now on.
   *
   * @param path The file; made if there is none.
   * @throws {ProcessError} If it cannot be opened.
   */
  open(path: string): void {
    try {
      const file = openLog(path);
      this.#file = new LineQueue(file, this.#onLost);
      this.#path = path;
    } catch (error) {
      throw new ProcessError(cannotOpen(path, error));
    }
  }

  /**
   * Leaves standard output: from now on the file is all.
   *
   * @param redirect Makes the standard streams lead to the file, for what
   * the runtime itself has to say; called again after each rotation.
   */
  async detach(redirect: (path: string) => void): Promise<void> {
    if (this.#path === undefined) return;
    const terminal = this.#terminal;
    this.#terminal = undefined;
    await terminal?.flush(END_TIMEOUT);
    this.#redirect = redirect;
    redirect(this.#path);
  }

  /**
   * Opens the file again by its name; without a file nothing is to do.
   *
   * @returns Why it cannot be opened: the old one still takes the lines.
   */
  async reopen(): Promise<string | undefined> {
    const path = this.#path;
    if (path === undefined) return undefined;
    try {
      const opened = await openLogLater(path);
      if (this.#file === undefined) opened.close();
      this.#file?.moveTo(opened);
    } catch (error) {
      return cannotOpen(path, error);
    }
    this.#redirect?.(path);
    return undefined;
  }

  /** Closes the file, after a moment for what is not written yet. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.flush(END_TIMEOUT);
    this.#file?.close();
    this.#file = this.#path = undefined;
  }
}

/** Standard output, which stays open. */
const TERMINAL: LineTarget = {
  write: (bytes) => Deno.stdout.write(bytes),
  close: () => {},
};

/**
 * Makes a warning a line of the log, past what holds back floods.
 *
 * @param text The warning.
 * @returns The line, ended.
 */
export function warningLine(text: string): string {
  return formatNotice({ level: "warning", style: "log", text }, Date.now());
}

function lostLines(count: number): string {
  return warningLine(
    `lines of the log were lost, since it could not be written: ${count}`,
  );
}

function cannotOpen(path: string, error: unknown): string {
  return `Cannot open log file ${path}: ${reasonOf(error)}`;
}
