/**
 * Many short keys in few buffers. A buffer of its own would cost each key some
 * 400 bytes of bookkeeping (measured with Deno 2.9), which is the most that an
 * idle connection holds; here a key is a number, and 32 bytes.
 *
 * @module
 */

/** Keys of a buffer: two kilobytes of the longest keys. */
const SLOTS = 64;

/** The keys of one length. */
export class KeyStore implements Disposable {
  readonly #length: number;
  readonly #buffers: Uint8Array<ArrayBuffer>[] = [];
  readonly #free: number[] = [];

  /**
   * Makes an empty store.
   *
   * @param length Bytes of a key.
   */
  constructor(length: number) {
    this.#length = length;
  }

  /**
   * Reserves room for a key.
   *
   * @returns The slot; its bytes are zero.
   */
  reserve(): number {
    if (this.#free.length === 0) this.#grow();
    return this.#free.pop()!;
  }

  /**
   * The bytes of a slot.
   *
   * @param slot A reserved one.
   * @returns A view, for reading and writing until the slot is released.
   */
  bytes(slot: number): Uint8Array<ArrayBuffer> {
    const start = slot % SLOTS * this.#length;
    return this.#buffers[slot / SLOTS | 0]!
      .subarray(start, start + this.#length);
  }

  /**
   * Wipes a slot and gives it back.
   *
   * @param slot A reserved one, which nobody uses any more.
   */
  release(slot: number): void {
    this.bytes(slot).fill(0);
    this.#free.push(slot);
  }

  /** Wipes everything. */
  [Symbol.dispose](): void {
    for (const buffer of this.#buffers) buffer.fill(0);
  }

  #grow(): void {
    const first = this.#buffers.length * SLOTS;
    this.#buffers.push(new Uint8Array(SLOTS * this.#length));
    for (let slot = first + SLOTS - 1; slot >= first; slot--) {
      this.#free.push(slot);
    }
  }
}
