/**
 * The AEAD ciphers of Mbed TLS: AES-GCM and ChaCha20-Poly1305.
 *
 * @module
 */

import {
  type AeadBackend,
  type AeadMemory,
  TAG_LENGTH,
} from "../_aead_context.ts";
import type { AeadPart } from "../provider.ts";
import type { MbedtlsContext } from "./context.ts";
import { checkMbedtls } from "./library.ts";

/** mbedtls/cipher.h: MBEDTLS_ERR_CIPHER_AUTH_FAILED. */
const AUTH_FAILED = -0x6300;

const TAG_SIZE = BigInt(TAG_LENGTH);

/** One context, for sealing or for opening. */
export class MbedtlsAead implements AeadBackend {
  readonly #context: MbedtlsContext;
  readonly #memory: AeadMemory;
  readonly #nonceSize: bigint;

  /**
   * Joins a context and its memory.
   *
   * @param context Becomes the backend's own.
   * @param memory Where key and nonce are.
   */
  constructor(context: MbedtlsContext, memory: AeadMemory) {
    this.#context = context;
    this.#memory = memory;
    this.#nonceSize = BigInt(memory.nonce.bytes.length);
  }

  /**
   * Seals a message.
   *
   * @param part The range was checked.
   * @throws {CipherError} If the library refuses.
   */
  seal({ input, start, length, output, at }: AeadPart): void {
    const context = this.#context;
    const { nonce, input: inputs, output: outputs, key } = this.#memory;
    if (!context.started) context.start(key.bytes);
    const encrypt = context.symbols.mbedtls_cipher_auth_encrypt_ext;
    const code = encrypt !== null
      ? encrypt(
        context.pointer,
        nonce.pointer,
        this.#nonceSize,
        null,
        0n,
        inputs.at(input, start),
        BigInt(length),
        outputs.at(output, at),
        BigInt(length + TAG_LENGTH),
        context.written.pointer,
        TAG_SIZE,
      )
      : context.symbols.mbedtls_cipher_auth_encrypt!(
        context.pointer,
        nonce.pointer,
        this.#nonceSize,
        null,
        0n,
        inputs.at(input, start),
        BigInt(length),
        outputs.at(output, at),
        context.written.pointer,
        outputs.at(output, at + length),
        TAG_SIZE,
      );
    checkMbedtls("seal", code);
  }

  /**
   * Opens a message.
   *
   * @param part The range was checked.
   * @returns Whether the message is genuine.
   * @throws {CipherError} If the library refuses.
   */
  open({ input, start, length, output, at }: AeadPart): boolean {
    const context = this.#context;
    const { nonce, input: inputs, output: outputs, key } = this.#memory;
    if (!context.started) context.start(key.bytes);
    const decrypt = context.symbols.mbedtls_cipher_auth_decrypt_ext;
    const code = decrypt !== null
      ? decrypt(
        context.pointer,
        nonce.pointer,
        this.#nonceSize,
        null,
        0n,
        inputs.at(input, start),
        BigInt(length + TAG_LENGTH),
        outputs.at(output, at),
        BigInt(length),
        context.written.pointer,
        TAG_SIZE,
      )
      : context.symbols.mbedtls_cipher_auth_decrypt!(
        context.pointer,
        nonce.pointer,
        this.#nonceSize,
        null,
        0n,
        inputs.at(input, start),
        BigInt(length),
        outputs.at(output, at),
        context.written.pointer,
        inputs.at(input, start + length),
        TAG_SIZE,
      );
    if (code === AUTH_FAILED) return false;
    checkMbedtls("open", code);
    return true;
  }

  /** Wipes the key. */
  forget(): void {
    this.#context[Symbol.dispose]();
  }

  /** Wipes the key and frees the context. */
  [Symbol.dispose](): void {
    this.#context[Symbol.dispose]();
  }
}
