/**
 * Memory for reads and writes under way, cut from larger blocks: a small
 * buffer then costs no bookkeeping of its own, and a large one only the pages
 * that were written to, for the system backs a block page by page.
 *
 * @module
 */

/**
 * Bytes of a small buffer: a message of an interactive session, or the
 * beginning of something larger. With 256 bytes an idle connection took 8.1 KiB
 * instead of 7.5 (docs/performance.md).
 */
export const SMALL = 128;
/** Bytes of a medium buffer: room for the largest datagram, of 65,535. */
export const MEDIUM = 65_536;
/**
 * Bytes of a large buffer, for bulk transfers: {@linkcode LARGE_READ} and what
 * encrypting them adds, 34 bytes for each chunk of at most 16,383.
 */
export const LARGE: number = 262_144 + 16_384;
/**
 * Most bytes read into a large buffer: 256 KiB instead of 64 lowered the CPU of
 * bulk transfers from 1.9–2.4 to 1.4–1.7 s/GB (docs/performance.md). The
 * encrypted bytes are longer and must still fit into one buffer: a second write
 * for the rest costs as much as the first.
 */
const LARGE_READ = 262_144;
/**
 * Bytes of a read after which the next read waits with a medium buffer: so much
 * at once is a transfer, of which more will come.
 */
const MUCH = 16_384;
/**
 * Writes of at most this many bytes get memory of their own, if they do not fit
 * into a small buffer: a medium one would touch pages for few bytes.
 */
const OWN = 4096;
/**
 * Most large buffers lent at a time, 4.5 MiB in all. A read holds its buffer
 * while it waits, so without a bound every connection that pauses in the middle
 * of a transfer would hold one.
 */
const MOST_LARGE = 16;

/** Lends buffers of one size. */
export class BufferPool {
  readonly #size: number;
  readonly #blockBuffers: number;
  readonly #free: Uint8Array[] = [];
  #lent = 0;

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

  /** How many buffers are lent now. */
  get lent(): number {
    return this.#lent;
  }

  /** Takes a buffer; what it holds is undefined. */
  take(): Uint8Array {
    if (this.#free.length === 0) this.#cut();
    this.#lent++;
    return this.#free.pop()!;
  }

  /**
   * Gives a buffer back. The one given back last is lent first: its pages are
   * there already.
   *
   * @param buffer Taken from this pool, and no longer used by anyone.
   */
  give(buffer: Uint8Array): void {
    this.#lent--;
    this.#free.push(buffer);
  }

  /** Forgets the buffers that are not lent. */
  trim(): void {
    this.#free.length = 0;
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

/** The memory of a poller's sockets. */
export class Buffers {
  readonly #small = new BufferPool(SMALL, 128);
  readonly #medium = new BufferPool(MEDIUM, 32);
  readonly #large = new BufferPool(LARGE, 8);

  /**
   * Takes a buffer for a read, which may have to wait: a large one only when
   * more is sure to come soon.
   *
   * @param last Bytes of the read before, 0 if there was none.
   */
  forRead(last: number): Uint8Array {
    if (last >= MEDIUM) return this.#most();
    // What filled a small buffer was longer.
    if (last >= MUCH || last === SMALL) return this.#medium.take();
    return this.#small.take();
  }

  /**
   * Takes a buffer for a write.
   *
   * @param length Bytes to be sent; the buffer may hold fewer.
   */
  forWrite(length: number): Uint8Array {
    if (length > MEDIUM) return this.#most();
    if (length > OWN) return this.#medium.take();
    return length <= SMALL ? this.#small.take() : new Uint8Array(length);
  }

  /** Takes a buffer that holds any datagram. */
  forDatagram(): Uint8Array {
    return this.#medium.take();
  }

  /**
   * Gives a buffer back.
   *
   * @param buffer Taken here, and no longer used by anyone.
   */
  give(buffer: Uint8Array): void {
    const { length } = buffer;
    if (length === SMALL) this.#small.give(buffer);
    else if (length === MEDIUM) this.#medium.give(buffer);
    else if (length === LARGE) this.#large.give(buffer);
  }

  /** Lets go of what is not lent. */
  trim(): void {
    this.#small.trim();
    this.#medium.trim();
    this.#large.trim();
  }

  #most(): Uint8Array {
    const isLeft = this.#large.lent < MOST_LARGE;
    return (isLeft ? this.#large : this.#medium).take();
  }
}

/** The part of a buffer for a read that is to be filled. */
export function fillable(buffer: Uint8Array): Uint8Array {
  return buffer.length === LARGE ? buffer.subarray(0, LARGE_READ) : buffer;
}
