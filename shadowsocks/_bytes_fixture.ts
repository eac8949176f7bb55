/**
 * What the tests of this folder share.
 *
 * @module
 */

import type { Cryptor } from "./cryptor.ts";
import { concat } from "../tests/support/bytes.ts";

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
