/**
 * A text file that is read again when it has changed.
 *
 * @module
 */

/** Reads files; tests give texts of their own. */
export interface FileSource {
  /** The text of a file; undefined if it cannot be read. */
  readonly read: (path: string) => string | undefined;
  /**
   * A value that changes with the file, such as its time and size; absent:
   * the text itself is compared.
   */
  readonly stamp?: ((path: string) => string | undefined) | undefined;
}

/** The files of the system. */
export const SYSTEM_FILES: FileSource = {
  read(path: string): string | undefined {
    try {
      return Deno.readTextFileSync(path);
    } catch {
      return undefined;
    }
  },
  stamp(path: string): string | undefined {
    try {
      const { mtime, size, ino } = Deno.statSync(path);
      return `${mtime?.getTime()} ${size} ${ino}`;
    } catch {
      return undefined;
    }
  },
};

/** Options of {@linkcode WatchedFile}. */
export interface WatchedFileOptions<T> {
  /** The file. */
  readonly path: string;
  /** How it is read. */
  readonly source: FileSource;
  /** Seconds between two looks at it, at the least. */
  readonly interval: number;
  /**
   * Makes the value of the text (undefined: unreadable) and the value before.
   */
  readonly parse: (text: string | undefined, previous: T | undefined) => T;
}

/** A value made of a file. */
export class WatchedFile<T> {
  readonly #options: WatchedFileOptions<T>;
  #checked = -Infinity;
  #stamp: string | undefined;
  #value: T | undefined;
  #loaded = false;

  /**
   * Makes the value; the file is not read yet.
   *
   * @param options The file and what to make of it.
   */
  constructor(options: WatchedFileOptions<T>) {
    this.#options = options;
  }

  /**
   * The value; looks at the file first if the last look is long ago.
   *
   * @param now Seconds of a monotonic clock.
   * @returns The value of the newest text.
   */
  get(now: number): T {
    const { path, source, interval, parse } = this.#options;
    if (!this.#loaded || now - this.#checked >= interval) {
      this.#checked = now;
      let text: string | undefined;
      let stamp: string | undefined;
      if (source.stamp === undefined) {
        stamp = text = source.read(path);
      } else {
        stamp = source.stamp(path);
      }
      if (!this.#loaded || stamp !== this.#stamp) {
        if (source.stamp !== undefined) text = source.read(path);
        this.#stamp = stamp;
        this.#value = parse(text, this.#value);
        this.#loaded = true;
      }
    }
    return this.#value as T;
  }
}
