/**
 * Exact reads and writes of streams.
 *
 * @module
 */

import { concat } from "./bytes.ts";

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
    if (count === null) return concat(...parts);
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
      if (count === null) return { bytes: concat(...parts), reset: false };
      parts.push(buffer.slice(0, count));
    } catch (error) {
      if (error instanceof Deno.errors.ConnectionReset) {
        return { bytes: concat(...parts), reset: true };
      }
      throw error;
    }
  }
}
