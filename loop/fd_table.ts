/**
 * Values by descriptor.
 *
 * The system gives the lowest free descriptor, so beside many connections that
 * stay the same few numbers come and go. A `Map` keeps deleted keys in its
 * chains until it is rehashed, and the more keys it holds, the later that is:
 * with 9,000 other connections open a new one cost 345–410 µs by a map and
 * 240–255 µs by an array (docs/performance.md).
 *
 * @module
 */

/**
 * Descriptors from here on lie in a map: few systems allow a process so many,
 * and one such number must not make an array of that length.
 */
const DENSE = 65_536;

/** A map whose keys are descriptors. */
export class FdTable<T> {
  readonly #dense: (T | undefined)[] = [];
  readonly #sparse = new Map<number, T>();
  #size = 0;

  /** How many descriptors have a value. */
  get size(): number {
    return this.#size;
  }

  /**
   * Finds a value.
   *
   * @param fd Its descriptor.
   * @returns The value; undefined if there is none.
   */
  get(fd: number): T | undefined {
    if (fd < this.#dense.length) return this.#dense[fd];
    return fd < DENSE ? undefined : this.#sparse.get(fd);
  }

  /**
   * Sets a value, in the place of the one before.
   *
   * @param fd Its descriptor.
   * @param value Anything but undefined.
   */
  set(fd: number, value: T): void {
    if (this.get(fd) === undefined) this.#size++;
    if (fd >= DENSE) {
      this.#sparse.set(fd, value);
      return;
    }
    // An array without holes stays a fast one.
    while (this.#dense.length <= fd) this.#dense.push(undefined);
    this.#dense[fd] = value;
  }

  /**
   * Takes a value out.
   *
   * @param fd Its descriptor.
   * @returns Whether there was one.
   */
  delete(fd: number): boolean {
    if (this.get(fd) === undefined) return false;
    this.#size--;
    if (fd < DENSE) this.#dense[fd] = undefined;
    else this.#sparse.delete(fd);
    return true;
  }

  /** The descriptors that have a value; the low ones in their order. */
  *keys(): Generator<number> {
    for (const [fd, value] of this.#dense.entries()) {
      if (value !== undefined) yield fd;
    }
    yield* this.#sparse.keys();
  }

  /** The values, in the order of {@linkcode FdTable.keys}. */
  *values(): Generator<T> {
    for (const fd of this.keys()) yield this.get(fd)!;
  }
}
