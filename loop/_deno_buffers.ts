/**
 * Buffers of 64 KiB for reads and writes under way. They are cut from larger
 * blocks, which the system backs with memory only page by page as they are
 * written to: a buffer that waits for small datagrams costs one page, not 16.
 *
 * @module
 */

/** Bytes in each buffer; also holds the largest datagram. */
export const BUFFER_SIZE = 65_536;

/** How many buffers are cut from one block. */
const BLOCK_BUFFERS = 32;

/** Lends buffers of {@linkcode BUFFER_SIZE} bytes. */
export class BufferPool {
  readonly #free: Uint8Array[] = [];

  /** Takes a buffer; what it holds is undefined. */
  take(): Uint8Array {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    const block = new Uint8Array(BUFFER_SIZE * BLOCK_BUFFERS);
    // Last first, so that buffers are lent in the order of their addresses.
    for (let i = BLOCK_BUFFERS - 1; i > 0; i--) {
      this.#free.push(block.subarray(i * BUFFER_SIZE, (i + 1) * BUFFER_SIZE));
    }
    return block.subarray(0, BUFFER_SIZE);
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
}
