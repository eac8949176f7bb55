/**
 * Memory for reads and writes under way, cut from larger blocks: a small
 * buffer then costs no bookkeeping of its own, and a large one only the pages
 * that were written to, for the system backs a block page by page.
 *
 * @module
 */

/** Most bytes of a read from a connection. */
export const READ_SIZE = 262_144;
/**
 * Bytes in the buffer of a read or a write of a connection. What is made of a
 * whole read, with the lengths and tags of its chunks, is sent by one write: a
 * second one for the rest would cost as much as the first.
 */
export const STREAM_BUFFER: number = READ_SIZE + 16_384;
/** Bytes in a buffer that holds the largest datagram. */
export const DATAGRAM_BUFFER = 65_536;

/** Lends buffers of one size. */
export class BufferPool {
  readonly #size: number;
  readonly #blockBuffers: number;
  readonly #free: Uint8Array[] = [];

  /**
   * Makes an empty pool.
   *
   * @param size Bytes of a buffer.
   * @param blockBuffers How many are cut from one block.
   */
  constructor(size: number, blockBuffers: number) {
    this.#size = size;
    this.#blockBuffers = blockBuffers;
  }

  /** Takes a buffer; what it holds is undefined. */
  take(): Uint8Array {
    if (this.#free.length === 0) this.#cut();
    return this.#free.pop()!;
  }

  /**
   * Gives a buffer back. The one given back last is lent first: its pages are
   * there already.
   *
   * @param buffer Taken from this pool, and no longer used by anyone.
   */
  give(buffer: Uint8Array): void {
    this.#free.push(buffer);
  }

  /** Last first, so that buffers are lent in the order of their addresses. */
  #cut(): void {
    const size = this.#size;
    const block = new Uint8Array(size * this.#blockBuffers);
    for (let at = block.length - size; at >= 0; at -= size) {
      this.#free.push(block.subarray(at, at + size));
    }
  }
}
