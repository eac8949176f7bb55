/**
 * Where a buffer lies, for system calls that read or write a part of it.
 *
 * @module
 */

/**
 * From this length on the memory of a typed array never moves. V8 keeps arrays
 * of up to 64 bytes inside the heap, where the garbage collector moves them; a
 * page leaves room for versions that keep longer ones there.
 */
const FIXED_LENGTH = 4096;

/**
 * Remembers the address of one buffer, the last one asked for. To pass an
 * address to a system call takes 3 ns; to make a view takes 35 ns, and the
 * view has to be collected.
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
