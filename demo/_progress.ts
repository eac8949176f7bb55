/**
 * A progress bar on a terminal; one line at the end elsewhere.
 *
 * @module
 */

const WIDTH = 32;
/** Milliseconds between two drawings. */
const REDRAW_EVERY = 50;
const MEGABYTE = 1e6;

/** Shows how far something has come. */
export class ProgressBar {
  readonly #label: string;
  readonly #total: number;
  readonly #write: (text: string) => void;
  readonly #live: boolean;
  readonly #started = performance.now();
  #drawn = 0;

  /**
   * Starts the clock; draws nothing yet.
   *
   * @param label What is going on.
   * @param options Bytes in all, where to write, and whether a line can be
   * drawn over.
   */
  constructor(label: string, options: {
    readonly total: number;
    readonly write: (text: string) => void;
    readonly live: boolean;
  }) {
    this.#label = label;
    this.#total = options.total;
    this.#write = options.write;
    this.#live = options.live;
  }

  /**
   * Draws, if it is time to.
   *
   * @param bytes How far it has come.
   */
  update(bytes: number): void {
    const now = performance.now();
    if (!this.#live || now - this.#drawn < REDRAW_EVERY) return;
    this.#drawn = now;
    this.#write(`\r${this.#line(bytes)}`);
  }

  /** Draws the last time, and ends the line. */
  finish(): void {
    this.#write(`${this.#live ? "\r" : ""}${this.#line(this.#total)}\n`);
  }

  #line(bytes: number): string {
    const filled = Math.round(WIDTH * bytes / this.#total);
    const bar = "#".repeat(filled).padEnd(WIDTH, "-");
    const seconds = (performance.now() - this.#started) / 1000;
    const rate = bytes / MEGABYTE / Math.max(seconds, 1e-6);
    const amount = `${(bytes / MEGABYTE).toFixed(1)} MB`;
    return `${this.#label} [${bar}] ${amount}, ${rate.toFixed(0)} MB/s`;
  }
}
