/**
 * Where a buffer lies, for system calls that read or write a part of it.
 *
 * @module
 */

/**
 * From this length on the memory of a typed array is its own and never moves;
 * that of a short one may lie where the garbage collector tidies up.
 */
const FIXED_LENGTH = 4096;

/**
 * Remembers the place of one buffer, the last one asked for. Its address goes
 * to a system call in 3 ns; a view into it takes 35, and its collection.
 */
export class BufferPlace {
  #bytes: Uint8Array | undefined;
  #address = 0n;

  /**
   * Whether the address of the part may be used.
   *
   * @param bytes The buffer.
   * @param start Where the part begins.
   * @param end Where it ends.
   * @returns False if the buffer may move: use a view.
   * @throws {RangeError} If the part is not inside the buffer.
   */
  fixes(bytes: Uint8Array, start: number, end: number): boolean {
    const { length } = bytes;
    if (!(start >= 0 && start <= end && end <= length)) {
      throw new RangeError(
        `Cannot use bytes ${start} to ${end} of a buffer of ${length}`,
      );
    }
    return length >= FIXED_LENGTH;
  }

  /**
   * The address of a byte.
   *
   * @param bytes A buffer that {@linkcode fixes} has accepted.
   * @param offset The byte.
   */
  at(bytes: Uint8Array, offset: number): bigint {
    if (bytes !== this.#bytes) {
      const pointer = Deno.UnsafePointer.of(bytes as Uint8Array<ArrayBuffer>);
      this.#address = BigInt(Deno.UnsafePointer.value(pointer));
      this.#bytes = bytes;
    }
    return BigInt.asUintN(64, this.#address + BigInt(offset));
  }
}
