/**
 * Fresh salts and IVs, drawn from the system's generator many at a time: one
 * call for each connection and packet would cost more than the salt is worth.
 *
 * @module
 */

/** Bytes drawn at a time; getRandomValues gives at most 65,536. */
const POOL_BYTES = 4096;

/** What a stock is before its first salt: one for all, of which many have none. */
const EMPTY = new Uint8Array(0);

/** Who marks salts as our own; a `SaltFilter` does. */
export interface SaltMarker {
  /**
   * Changes some bytes of a salt that was drawn.
   *
   * @param salt The salt.
   */
  mark(salt: Uint8Array): void;
}

/** A stock of random bytes, each of which is handed out once. */
export class SaltPool {
  readonly #length: number;
  readonly #marker: SaltMarker | undefined;
  readonly #stock: SaltPool | undefined;
  #pool = EMPTY;
  #at = 0;

  /**
   * Makes an empty stock; it fills with the first salt.
   *
   * @param length Bytes of a salt; 0 for a cipher without.
   * @param marker Marks each salt. Default: none is marked.
   * @param stock Where the salts are drawn from, to be marked one by one: for
   * many keys, each of which has few connections. Default: bytes of its own.
   */
  constructor(length: number, marker?: SaltMarker, stock?: SaltPool) {
    this.#length = length;
    this.#marker = marker;
    this.#stock = stock;
  }

  /**
   * Draws a salt.
   *
   * @returns A part of the stock: cheaper than memory of its own, for a salt
   * that is soon forgotten.
   */
  draw(): Uint8Array {
    const stock = this.#stock;
    if (stock !== undefined) return this.#drawFrom(stock);
    const length = this.#length;
    if (this.#at + length > this.#pool.length) this.#fill();
    const start = this.#at;
    this.#at = start + length;
    return this.#pool.subarray(start, start + length);
  }

  /**
   * Copies a salt.
   *
   * @param out Where it goes.
   */
  take(out: Uint8Array): void {
    if (this.#length > 0) out.set(this.draw());
  }

  #drawFrom(stock: SaltPool): Uint8Array {
    const salt = stock.draw();
    this.#marker?.mark(salt);
    return salt;
  }

  /** Always new memory: what was drawn of the old lives on. */
  #fill(): void {
    const length = this.#length;
    const pool = new Uint8Array(POOL_BYTES - POOL_BYTES % length);
    crypto.getRandomValues(pool);
    if (this.#marker !== undefined) {
      for (let at = 0; at < pool.length; at += length) {
        this.#marker.mark(pool.subarray(at, at + length));
      }
    }
    this.#pool = pool;
    this.#at = 0;
  }
}
