/**
 * Where the lines of the access log go.
 *
 * @module
 */

import { LogFile, type ProcessOutput, warningLine } from "./output.ts";

/** A file of its own, or the output of the log. */
export class AccessOutput implements AsyncDisposable {
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
    this.#file = new LogFile({
      hasTerminal: false,
      // Whoever reads the file expects sessions in it, nothing else.
      onLost: (count) => {
        output.write(
          warningLine(
            `lines of the access log ${path} were lost, since it could not be written: ${count}`,
          ),
        );
        return "";
      },
    });
    this.#file.open(path);
  }

  /** The name of the file; undefined: it has none of its own. */
  get path(): string | undefined {
    return this.#file?.path;
  }

  /**
   * Has a line written.
   *
   * @param line With its line end.
   */
  write(line: string): void {
    (this.#file ?? this.#output).write(line);
  }

  /**
   * Opens the file again by its name, after a rotation.
   *
   * @returns Why it cannot be: the old one still takes the lines.
   */
  async reopen(): Promise<string | undefined> {
    return await this.#file?.reopen();
  }

  /** Waits until everything is written to the file. */
  async flush(): Promise<void> {
    await this.#file?.flush();
  }

  /** Closes the file, after a moment for what is not written yet. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file?.[Symbol.asyncDispose]();
  }
}
