/**
 * Memory for reads and writes under way, cut from larger blocks: a small
 * buffer then costs no bookkeeping of its own, and a large one only the pages
 * that were written to, for the system backs a block page by page.
 *
 * @module
 */

/** A message of an interactive session, or the beginning of something larger. */
export const SMALL = 128;
/** The largest datagram has room in it. */
export const MEDIUM = 65_536;
/** What bulk transfers are read into, and sent from. */
export const LARGE: number = 262_144 + 16_384;
/**
 * Most bytes read into a large buffer. What is made of them, with the lengths
 * and tags of its chunks, is sent from one buffer: a second write for the rest
 * would cost as much as the first.
 */
const LARGE_READ = 262_144;
/** Bytes of a read after which more than a small buffer is worth waiting with. */
const MUCH = 16_384;
/** Writes of at most this many bytes get memory of their own. */
const OWN = 4096;
/**
 * Most large buffers lent at a time. A read holds its buffer while it waits,
 * so without a bound connections that pause would hold as many as they are.
 */
const MOST_LARGE = 64;

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

  #most(): Uint8Array {
    const isLeft = this.#large.lent < MOST_LARGE;
    return (isLeft ? this.#large : this.#medium).take();
  }
}

/** The part of a buffer for a read that is to be filled. */
export function fillable(buffer: Uint8Array): Uint8Array {
  return buffer.length === LARGE ? buffer.subarray(0, LARGE_READ) : buffer;
}
