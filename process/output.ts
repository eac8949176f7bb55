/**
 * Where log lines go: standard output, or a file that can be opened again
 * after a rotation.
 *
 * @module
 */

const encoder = new TextEncoder();

/** Writes text to standard output or to a file; never throws. */
export class LogFile implements Disposable {
  readonly #path: string | undefined;
  #file: Deno.FsFile | undefined;

  /**
   * @param path The file to append to; undefined: standard output.
   * @throws {Error} If the file cannot be opened.
   */
  constructor(path?: string) {
    this.#path = path;
    this.#file = open(path);
  }

  /**
   * Writes text. A full disk or a reader that has gone is no reason to stop
   * relaying: what cannot be written is lost.
   *
   * @param text Whole lines.
   */
  write(text: string): void {
    const target = this.#file ?? Deno.stdout;
    let bytes = encoder.encode(text);
    try {
      while (bytes.length > 0) bytes = bytes.subarray(target.writeSync(bytes));
    } catch {
      // Lost.
    }
  }

  /** Opens the file again by its name; keeps the old one if that fails. */
  reopen(): void {
    try {
      const opened = open(this.#path);
      this.#file?.close();
      this.#file = opened;
    } catch {
      // The old file still takes the lines.
    }
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#file?.close();
    this.#file = undefined;
  }
}

function open(path: string | undefined): Deno.FsFile | undefined {
  if (path === undefined) return undefined;
  return Deno.openSync(path, { append: true, create: true, mode: 0o640 });
}
