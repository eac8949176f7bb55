/**
 * What the tests of this folder share.
 *
 * @module
 */

import type { AeadKey } from "../crypto/mod.ts";
import type { Cryptor } from "./cryptor.ts";

/** Bytes from hexadecimal digits; white space is skipped. */
export function fromHex(text: string): Uint8Array<ArrayBuffer> {
  const digits = text.replace(/\s+/g, "");
  const bytes = new Uint8Array(digits.length / 2);
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16);
  }
  return bytes;
}

/** Bytes as hexadecimal digits. */
export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"))
    .join("");
}

/** Bytes that look random and are the same every time. */
export function noise(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let state = seed;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

/** Several pieces as one. */
export function concat(
  ...pieces: readonly Uint8Array[]
): Uint8Array<ArrayBuffer> {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** Text as bytes. */
export function utf8(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** Encrypts in one go. */
export function encrypt(
  cryptor: Cryptor,
  plaintext: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(cryptor.encryptedLength(plaintext.length));
  return out.slice(0, cryptor.encrypt(plaintext, out));
}

/** Receives pieces as a relay does: what is left over goes in front. */
export class Receiver {
  /** What has been delivered. */
  plaintext = new Uint8Array(0);
  /** What waits for the rest of its frame. */
  leftover = new Uint8Array(0);
  /** Whether the cryptor has refused. */
  failed = false;
  readonly #cryptor: Cryptor;

  constructor(cryptor: Cryptor) {
    this.#cryptor = cryptor;
  }

  /** Takes the next bytes. */
  feed(piece: Uint8Array): void {
    const data = concat(this.leftover, piece);
    const out = new Uint8Array(data.length);
    const length = this.#cryptor.decrypt(data, out);
    if (length < 0) {
      this.failed = true;
      return;
    }
    this.plaintext = concat(this.plaintext, out.subarray(0, length));
    this.leftover = data.slice(this.#cryptor.consumed);
  }
}

/** Seals a whole buffer into another, which takes 16 bytes more. */
export function seal(
  key: AeadKey,
  nonce: Uint8Array,
  plaintext: Uint8Array,
  sealed: Uint8Array,
): void {
  const { length } = plaintext;
  const part = { input: plaintext, start: 0, length, output: sealed, at: 0 };
  key.sealPart(nonce, part);
}

/** Opens a whole buffer into another; whether it is genuine. */
export function open(
  key: AeadKey,
  nonce: Uint8Array,
  sealed: Uint8Array,
  plaintext: Uint8Array,
): boolean {
  const length = sealed.length - 16;
  const part = { input: sealed, start: 0, length, output: plaintext, at: 0 };
  return key.openPart(nonce, part);
}
