/**
 * Where log lines go: standard output, or the file of a daemon, which can be
 * opened again after a rotation.
 *
 * @module
 */

import type { LogOutput } from "../config/mod.ts";
import { ProcessError, reasonOf } from "./errors.ts";

const encoder = new TextEncoder();

/** A log that can say whether it was opened again. */
export interface ProcessOutput extends LogOutput {
  /**
   * Opens the file again by its name.
   *
   * @returns False if it cannot be: the old one still takes the lines.
   */
  reopen(): boolean;
}

/** Writes text to standard output, to a file, or to both; never fails. */
export class LogFile implements ProcessOutput, Disposable {
  #path: string | undefined;
  #file: Deno.FsFile | undefined;
  #hasTerminal: boolean;
  #redirect: ((path: string) => void) | undefined;

  /**
   * Makes an output without a file.
   *
   * @param options `hasTerminal`: whether it writes to standard output;
   * default true.
   */
  constructor(options: { readonly hasTerminal?: boolean } = {}) {
    this.#hasTerminal = options.hasTerminal ?? true;
  }

  /**
   * Writes text. A full disk or a reader that has gone is no reason to stop
   * relaying: what cannot be written is lost.
   *
   * @param text Whole lines.
   */
  write(text: string): void {
    const bytes = encoder.encode(text);
    if (this.#file !== undefined) writeAll(this.#file, bytes);
    if (this.#hasTerminal) writeAll(Deno.stdout, bytes);
  }

  /**
   * Writes text to standard output alone.
   *
   * @param text Whole lines.
   */
  print(text: string): void {
    writeAll(Deno.stdout, encoder.encode(text));
  }

  /**
   * Appends to a file too from now on.
   *
   * @param path The file; made if there is none.
   * @throws {ProcessError} If it cannot be opened.
   */
  open(path: string): void {
    try {
      this.#file = openLog(path);
      this.#path = path;
    } catch (error) {
      throw new ProcessError(
        `Cannot open log file ${path}: ${reasonOf(error)}`,
      );
    }
  }

  /**
   * Leaves standard output: from now on the file is all.
   *
   * @param redirect Makes the standard streams lead to the file, for what
   * the runtime itself has to say; called again after each rotation.
   */
  detach(redirect: (path: string) => void): void {
    if (this.#path === undefined) return;
    this.#hasTerminal = false;
    this.#redirect = redirect;
    redirect(this.#path);
  }

  /**
   * Opens the file again by its name; without a file nothing is to do.
   *
   * @returns False if it cannot be opened: the old one still takes the lines.
   */
  reopen(): boolean {
    if (this.#path === undefined) return true;
    try {
      const opened = openLog(this.#path);
      this.#file?.close();
      this.#file = opened;
    } catch {
      return false;
    }
    this.#redirect?.(this.#path);
    return true;
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#file?.close();
    this.#file = undefined;
    this.#path = undefined;
  }
}

function openLog(path: string): Deno.FsFile {
  return Deno.openSync(path, { append: true, create: true, mode: 0o640 });
}

function writeAll(
  target: { writeSync(bytes: Uint8Array): number },
  bytes: Uint8Array,
): void {
  let rest = bytes;
  try {
    while (rest.length > 0) rest = rest.subarray(target.writeSync(rest));
  } catch {
    // Lost.
  }
}
