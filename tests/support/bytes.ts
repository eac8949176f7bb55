/**
 * Bytes for all tests, those beside the code too: from texts, from digits, from
 * a seed. It imports nothing, so that every folder's tests may import it.
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
  seed = 1,
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
 * Makes a source of whole numbers, the same for the same seed (mulberry32).
 *
 * @param seed Any integer.
 * @returns Gives an integer in `[0, limit)` at each call; a limit is at most
 * 2³².
 */
export function randomOf(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % limit;
  };
}

/**
 * Computes a checksum for comparisons.
 *
 * @param bytes What to sum up.
 * @returns SHA-256 in hexadecimal.
 */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return toHex(new Uint8Array(digest));
}

/**
 * Puts byte arrays one after the other.
 *
 * @param parts The arrays.
 * @returns A new array.
 */
export function concat(
  ...parts: readonly Uint8Array[]
): Uint8Array<ArrayBuffer> {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/**
 * Reads hexadecimal digits.
 *
 * @param digits An even number of them; white space is skipped.
 * @returns The bytes.
 */
export function fromHex(digits: string): Uint8Array<ArrayBuffer> {
  const pairs = digits.replace(/\s+/g, "").match(/../g) ?? [];
  return Uint8Array.from(pairs, (pair) => Number.parseInt(pair, 16));
}

/**
 * Writes hexadecimal digits.
 *
 * @param bytes The bytes.
 * @returns Two lower-case digits for each.
 */
export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"))
    .join("");
}

/**
 * Writes text as UTF-8.
 *
 * @param text The text.
 * @returns Its bytes.
 */
export function utf8(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/**
 * Reads UTF-8.
 *
 * @param bytes The bytes.
 * @returns Their text.
 */
export function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/**
 * Joins numbers, texts (Latin-1: a byte a character) and bytes.
 *
 * @param parts What to join.
 * @returns The bytes.
 */
export function bytesOf(
  ...parts: readonly (number | string | Uint8Array)[]
): Uint8Array<ArrayBuffer> {
  return concat(
    ...parts.map((part) =>
      typeof part === "number"
        ? Uint8Array.of(part)
        : typeof part === "string"
        ? latin1(part)
        : part
    ),
  );
}

function latin1(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/**
 * Reads Latin-1.
 *
 * @param bytes The bytes.
 * @returns One character a byte.
 */
export function stringOf(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/**
 * Writes bytes in base64 (RFC 4648, section 4), as keys of the 2022 edition are
 * written; by the means that Deno 2.4 has too.
 *
 * @param bytes The bytes.
 * @returns Letters and padding.
 */
export function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}
