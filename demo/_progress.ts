/**
 * A progress bar on a terminal; one line at the end elsewhere.
 *
 * @module
 */

/** Characters of the bar where there is room, and too few to draw one. */
const WIDTH = 32;
const MIN_WIDTH = 4;
/** Milliseconds between two drawings. */
const REDRAW_EVERY = 50;
const MEGABYTE = 1e6;
/** ECMA-48, EL: the line before may have been longer. */
const ERASE_REST = "\x1b[K";

/** Shows how far something has come. */
export class ProgressBar {
  readonly #label: string;
  readonly #total: number;
  readonly #write: (text: string) => void;
  readonly #live: boolean;
  readonly #columns: number;
  readonly #started = performance.now();
  #drawn = 0;

  /**
   * Starts the clock; draws nothing yet.
   *
   * @param label What is going on.
   * @param options Bytes in all, where to write, whether a line can be drawn
   * over, and how many columns the terminal has, if there is one.
   */
  constructor(label: string, options: {
    readonly total: number;
    readonly write: (text: string) => void;
    readonly live: boolean;
    readonly columns?: number | undefined;
  }) {
    this.#label = label;
    this.#total = options.total;
    this.#write = options.write;
    this.#live = options.live;
    this.#columns = options.columns ?? Infinity;
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
    this.#write(`\r${this.#line(bytes)}${ERASE_REST}`);
  }

  /** Draws the last time, and ends the line. */
  finish(): void {
    const line = this.#line(this.#total);
    this.#write(this.#live ? `\r${line}${ERASE_REST}\n` : `${line}\n`);
  }

  #line(bytes: number): string {
    const seconds = (performance.now() - this.#started) / 1000;
    const rate = bytes / MEGABYTE / Math.max(seconds, 1e-6);
    const amount = `${(bytes / MEGABYTE).toFixed(1)} MB, ` +
      `${rate.toFixed(0)} MB/s`;
    // What fills the last column may wrap, and then a line cannot be drawn
    // over: one column stays free, and one for each bracket and space.
    const room = this.#columns - this.#label.length - amount.length - 5;
    const width = Math.min(WIDTH, room);
    if (width < MIN_WIDTH) return `${this.#label} ${amount}`;
    const filled = Math.round(width * bytes / this.#total);
    const bar = "#".repeat(filled).padEnd(width, "-");

    return `${this.#label} [${bar}] ${amount}`;
  }
}
