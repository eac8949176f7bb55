/**
 * A buffer for what is made of bytes on their way, shared by all connections
 * of an edition.
 *
 * @module
 */

/**
 * The least length: buffers of 4 KiB and more are those of which libraries
 * remember the places, and a first payload seldom has more than 16.
 */
const MIN_LENGTH = 16 * 1024;

/** Room for one call at a time. */
export class WorkBuffer {
  #bytes: Uint8Array = new Uint8Array(0);

  /**
   * Gives the buffer; what was in it before has no meaning.
   *
   * @param length How many bytes are needed.
   * @returns At least as many, the same buffer as before if it is long enough.
   */
  room(length: number): Uint8Array {
    if (this.#bytes.length < length || this.#bytes.length === 0) {
      const doubled = Math.max(2 * this.#bytes.length, MIN_LENGTH);
      this.#bytes = new Uint8Array(Math.max(length, doubled));
    }
    return this.#bytes;
  }

  /** Wipes it. */
  [Symbol.dispose](): void {
    this.#bytes.fill(0);
  }
}
