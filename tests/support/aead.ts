/**
 * Whole messages through an AEAD key, which works on parts of buffers.
 *
 * @module
 */

import type { AeadKey } from "../../crypto/mod.ts";

/**
 * Seals a whole buffer into another.
 *
 * @param key The key.
 * @param nonce As long as the method's.
 * @param plaintext The message.
 * @param sealed Takes ciphertext ‖ tag.
 */
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

/**
 * Opens a whole buffer into another.
 *
 * @param key The key.
 * @param nonce As long as the method's.
 * @param sealed Ciphertext ‖ tag, which has 16 bytes.
 * @param plaintext Takes the message.
 * @returns Whether it is genuine.
 */
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
