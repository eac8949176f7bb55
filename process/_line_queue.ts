/**
 * Lines on their way to a file or a stream that may stand still: a pipe that
 * nobody reads, a full or stalled disk, a stopped terminal.
 *
 * @module
 */

/**
 * Most characters that wait. A pipe of Linux holds 64 KiB more; the whole is
 * seconds of a busy log, and little beside what the process has anyway.
 */
const MAX_WAITING = 256 * 1024;

/** Where the bytes of lines go. */
export interface LineTarget {
  /**
   * Writes bytes without blocking this thread.
   *
   * @param bytes The bytes.
   * @returns How many of them were written.
   */
  write(bytes: Uint8Array): Promise<number>;
  /** Gives it back; called once nothing is being written. */
  close(): void;
}

const encoder = new TextEncoder();

/**
 * Writes lines one behind the other without ever waiting for them. Those that
 * find the queue full, and those that cannot be written, are counted.
 */
export class LineQueue {
  readonly #onLost: (count: number) => string;
  #target: LineTarget;
  /** Former targets that may still be written to. */
  #retired: LineTarget[] = [];
  #waiting = "";
  /** Lines lost since the last word about them. */
  #lost = 0;
  /** Settles when nothing waits any more; undefined: nothing does. */
  #writing: Promise<void> | undefined;

  /**
   * Makes an empty queue.
   *
   * @param target Takes the bytes.
   * @param onLost Called once lines are written again after some were lost;
   * returns what is to stand at their place.
   */
  constructor(target: LineTarget, onLost: (count: number) => string) {
    this.#target = target;
    this.#onLost = onLost;
  }

  /**
   * Takes lines.
   *
   * @param text Whole lines.
   */
  write(text: string): void {
    // Nothing would have ended before the queue knows that it is writing.
    if (text === "") return;
    if (this.#waiting.length + text.length > MAX_WAITING) {
      this.#lost += countLines(text);
      return;
    }
    this.#waiting += text;
    this.#writing ??= this.#writeAll();
  }

  /**
   * Waits until everything is written, or for some time.
   *
   * @param milliseconds The time; absent: as long as it takes.
   */
  async flush(milliseconds?: number): Promise<void> {
    if (this.#writing === undefined) return;
    if (milliseconds === undefined) return await this.#writing;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, milliseconds);
    await Promise.race([this.#writing, promise]);
    clearTimeout(timer);
  }

  /**
   * Has the lines that are not on their way yet go to another target.
   *
   * @param target Takes the bytes from now on; the former one is closed.
   */
  moveTo(target: LineTarget): void {
    this.#retired.push(this.#target);
    this.#target = target;
    if (this.#writing === undefined) this.#closeRetired();
  }

  /** Gives the target back; what is not on its way yet is dropped. */
  close(): void {
    this.#waiting = "";
    this.#retired.push(this.#target);
    if (this.#writing === undefined) this.#closeRetired();
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting !== "") {
      const text = this.#waiting;
      this.#waiting = "";
      const isWritten = await writeBytes(this.#target, encoder.encode(text));
      this.#closeRetired();
      if (!isWritten) this.#lost += countLines(text);
      else if (this.#lost > 0) {
        // The lost ones came after all that wait.
        const count = this.#lost;
        this.#lost = 0;
        this.#waiting += this.#onLost(count);
      }
    }
    this.#writing = undefined;
  }

  #closeRetired(): void {
    for (const target of this.#retired.splice(0)) target.close();
  }
}

/** False if the reader has gone, or the disk is full. */
async function writeBytes(
  target: LineTarget,
  bytes: Uint8Array,
): Promise<boolean> {
  let rest = bytes;
  try {
    while (rest.length > 0) {
      const written = await target.write(rest);
      // It would take nothing for ever.
      if (written === 0) return false;
      rest = rest.subarray(written);
    }
    return true;
  } catch {
    return false;
  }
}

function countLines(text: string): number {
  return text.split("\n").length - 1;
}
