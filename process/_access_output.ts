/**
 * Where the lines of the access log go.
 *
 * @module
 */

import { LogFile, type ProcessOutput } from "./output.ts";

/** A file of its own, or the output of the log. */
export class AccessOutput implements Disposable {
  readonly #file: LogFile | undefined;
  readonly #output: ProcessOutput;

  /**
   * Opens the file.
   *
   * @param path The file; `-` means the output of the log, undefined that
   * there is no access log.
   * @param output The output of the log.
   * @throws {ProcessError} If the file cannot be opened.
   */
  constructor(path: string | undefined, output: ProcessOutput) {
    this.#output = output;
    if (path === undefined || path === "-") return;
    this.#file = new LogFile({ hasTerminal: false });
    this.#file.open(path);
  }

  /**
   * Writes a line.
   *
   * @param line With its line end.
   */
  write(line: string): void {
    (this.#file ?? this.#output).write(line);
  }

  /**
   * Opens the file again by its name, after a rotation.
   *
   * @returns False if it cannot be: the old one still takes the lines.
   */
  reopen(): boolean {
    return this.#file?.reopen() ?? true;
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#file?.[Symbol.dispose]();
  }
}
