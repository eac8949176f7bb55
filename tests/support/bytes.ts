/**
 * Test data from a seed, and exact reads and writes of streams.
 *
 * @module
 */

/**
 * Makes bytes that look random and are the same for the same seed.
 *
 * @param length How many.
 * @param seed Any integer.
 * @returns The bytes.
 */
export function seededBytes(
  length: number,
  seed: number,
): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(length / 4));
  let state = seed | 0;
  for (let i = 0; i < words.length; i++) {
    state = (state + 0x9e3779b9) | 0;
    let word = state ^ (state >>> 16);
    word = Math.imul(word, 0x21f0aaad);
    word ^= word >>> 15;
    word = Math.imul(word, 0x735a2d97);
    words[i] = word ^ (word >>> 15);
  }
  return new Uint8Array(words.buffer).subarray(0, length);
}

/**
 * Computes a checksum for comparisons.
 *
 * @param bytes What to sum up.
 * @returns SHA-256 in hexadecimal.
 */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return Array.from(
    new Uint8Array(digest),
    (byte) => byte.toString(16).padStart(2, "0"),
  ).join("");
}

/**
 * Puts byte arrays one after the other.
 *
 * @param parts The arrays.
 * @returns A new array.
 */
export function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(
    parts.reduce((sum, part) => sum + part.length, 0),
  );
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/**
 * Writes all bytes.
 *
 * @param conn Where to.
 * @param bytes What.
 */
export async function writeAll(
  conn: Deno.Conn,
  bytes: Uint8Array,
): Promise<void> {
  let offset = 0;
  while (offset < bytes.length) {
    offset += await conn.write(bytes.subarray(offset));
  }
}

/**
 * Reads an exact number of bytes.
 *
 * @param conn Where from.
 * @param length How many.
 * @returns The bytes.
 * @throws {Error} If the stream ends before.
 */
export async function readExactly(
  conn: Deno.Conn,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  let offset = 0;
  while (offset < length) {
    const count = await conn.read(bytes.subarray(offset));
    if (count === null) {
      throw new Error(
        `Cannot read ${length} bytes: the stream ended after ${offset}`,
      );
    }
    offset += count;
  }
  return bytes;
}

/**
 * Reads to the end of a stream.
 *
 * @param conn Where from.
 * @returns All bytes until the peer's end.
 */
export async function readToEnd(
  conn: Deno.Conn,
): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  const buffer = new Uint8Array(64 * 1024);
  for (;;) {
    const count = await conn.read(buffer);
    if (count === null) return concat(parts);
    parts.push(buffer.slice(0, count));
  }
}

/**
 * Waits until a peer ends the stream in either way.
 *
 * @param conn The stream.
 * @returns The bytes that came, and whether it ended by a reset.
 */
export async function readUntilClosed(
  conn: Deno.Conn,
): Promise<{ readonly bytes: Uint8Array; readonly reset: boolean }> {
  const parts: Uint8Array[] = [];
  const buffer = new Uint8Array(64 * 1024);
  for (;;) {
    try {
      const count = await conn.read(buffer);
      if (count === null) return { bytes: concat(parts), reset: false };
      parts.push(buffer.slice(0, count));
    } catch (error) {
      if (error instanceof Deno.errors.ConnectionReset) {
        return { bytes: concat(parts), reset: true };
      }
      throw error;
    }
  }
}
