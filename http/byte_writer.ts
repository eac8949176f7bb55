/**
 * Writes heads and bodies into a buffer of the caller, and keeps what that
 * buffer has no room for.
 *
 * @module
 */

/** Up to this length a loop is cheaper than a view and a call. */
const SHORT_COPY = 64;

const EMPTY = new Uint8Array(0);

/**
 * Writes to one buffer after another. What did not fit into one comes first in
 * the next.
 */
export class ByteWriter {
  #output: Uint8Array = EMPTY;
  #length = 0;
  #rest: Uint8Array = EMPTY;
  #restLength = 0;

  /** How many bytes have been written into the buffer. */
  get length(): number {
    return this.#length;
  }

  /** How many bytes did not fit, and wait for the next buffer. */
  get pending(): number {
    return this.#restLength;
  }

  /** How many bytes still fit into the buffer. */
  get room(): number {
    return this.#output.length - this.#length;
  }

  /**
   * Begins with a buffer, with what did not fit into the last one.
   *
   * @param output The buffer; written to until {@linkcode ByteWriter.end}.
   */
  begin(output: Uint8Array): void {
    this.#output = output;
    this.#length = 0;
    if (this.#restLength === 0) return;
    const rest = this.#rest.subarray(0, this.#restLength);
    this.#rest = EMPTY;
    this.#restLength = 0;
    this.copy(rest, 0, rest.length);
  }

  /**
   * Writes text.
   *
   * @param text ASCII.
   */
  text(text: string): void {
    const length = text.length;
    if (this.#restLength > 0 || length > this.room) {
      this.copy(new TextEncoder().encode(text), 0, length);
      return;
    }
    for (let i = 0; i < length; i++) {
      this.#output[this.#length++] = text.charCodeAt(i);
    }
  }

  /**
   * Writes bytes.
   *
   * @param source Where they stand; not the buffer that is written to.
   * @param start The first.
   * @param end Behind the last.
   */
  copy(source: Uint8Array, start: number, end: number): void {
    const count = end - start;
    if (count <= 0) return;
    if (this.#restLength > 0) return this.#keep(source, start, end);
    const fitting = Math.min(count, this.room);
    if (fitting <= SHORT_COPY) {
      for (let i = 0; i < fitting; i++) {
        this.#output[this.#length + i] = source[start + i]!;
      }
    } else {
      this.#output.set(source.subarray(start, start + fitting), this.#length);
    }
    this.#length += fitting;
    if (fitting < count) this.#keep(source, start + fitting, end);
  }

  /**
   * Lets the buffer go.
   *
   * @returns How many bytes were written into it.
   */
  end(): number {
    this.#output = EMPTY;
    return this.#length;
  }

  #keep(source: Uint8Array, start: number, end: number): void {
    const length = this.#restLength + end - start;
    if (length > this.#rest.length) {
      const grown = new Uint8Array(2 * length);
      grown.set(this.#rest.subarray(0, this.#restLength));
      this.#rest = grown;
    }
    this.#rest.set(source.subarray(start, end), this.#restLength);
    this.#restLength = length;
  }
}
