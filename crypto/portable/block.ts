/**
 * Single blocks of AES without a native library, by noble's block function:
 * node:crypto takes ten times as long to make a cipher as noble to use one.
 * Loaded only where the 2022 edition is used and OpenSSL is not there.
 *
 * @module
 */

import { unsafe as aesBlock } from "@noble/ciphers/aes.js";
import {
  BLOCK_LENGTH,
  BlockCiphers,
  type BlockEngine,
} from "../_block_cipher.ts";
import type { BlockCipher } from "../provider.ts";

/**
 * Makes AES of single blocks.
 *
 * @param keyLength Bytes of a key: 16, 24 or 32.
 * @returns The cipher.
 */
export function portableBlocks(keyLength: number): BlockCipher {
  return new BlockCiphers(keyLength, (encrypt) => new NobleBlocks(encrypt));
}

class NobleBlocks implements BlockEngine {
  readonly #encrypt: boolean;
  readonly #block = new Uint8Array(new ArrayBuffer(BLOCK_LENGTH));
  #schedule = new Uint32Array(0);

  constructor(encrypt: boolean) {
    this.#encrypt = encrypt;
  }

  rekey(key: Uint8Array): void {
    this.#schedule.fill(0);
    const own = key.slice();
    this.#schedule = this.#encrypt
      ? aesBlock.expandKeyLE(own)
      : aesBlock.expandKeyDecLE(own);
    own.fill(0);
  }

  run(
    input: Uint8Array,
    start: number,
    output: Uint8Array,
    at: number,
  ): void {
    const block = this.#block;
    for (let i = 0; i < BLOCK_LENGTH; i++) block[i] = input[start + i]!;
    if (this.#encrypt) aesBlock.encryptBlock(this.#schedule, block);
    else aesBlock.decryptBlock(this.#schedule, block);
    for (let i = 0; i < BLOCK_LENGTH; i++) output[at + i] = block[i]!;
  }

  [Symbol.dispose](): void {
    this.#schedule.fill(0);
    this.#block.fill(0);
  }
}
