/**
 * The AEAD ciphers of Mbed TLS: AES-GCM and ChaCha20-Poly1305.
 *
 * @module
 */

import {
  type AeadBackend,
  type AeadMemory,
  type MakeBackend,
  TAG_LENGTH,
} from "../_aead_context.ts";
import { NativeBuffer } from "../_ffi.ts";
import type { AeadPart } from "../provider.ts";
import { checkMbedtls, type MbedtlsSymbols } from "./library.ts";

/** mbedtls/cipher.h: MBEDTLS_CIPHER_ID_AES. */
const ID_AES = 2;
/** mbedtls/gcm.h: MBEDTLS_GCM_ENCRYPT and MBEDTLS_ERR_GCM_AUTH_FAILED. */
const GCM_ENCRYPT = 1;
const GCM_AUTH_FAILED = -0x12;
/** mbedtls/chachapoly.h: MBEDTLS_ERR_CHACHAPOLY_AUTH_FAILED. */
const CHACHAPOLY_AUTH_FAILED = -0x56;

/**
 * Room for a context. The largest that a build can ask for, of GCM with a
 * table of 256 entries and the AES schedule inside, has less than 5 KiB.
 */
const CONTEXT_SIZE = 8192;

const TAG_SIZE = BigInt(TAG_LENGTH);

type Pointer = Deno.PointerObject;

/** Encrypts or decrypts `length` bytes; the last three are addresses. */
type Call = (
  context: Pointer,
  length: bigint,
  nonce: Pointer,
  input: bigint,
  output: bigint,
  tag: bigint,
) => number;

/** What sets one cipher apart from another. */
interface Functions {
  readonly init: (context: Pointer) => void;
  readonly free: (context: Pointer) => void;
  readonly setKey: (context: Pointer, key: Pointer) => number;
  readonly encrypt: Call;
  readonly decrypt: Call;
  /** What `decrypt` answers if the tag is wrong. */
  readonly authFailed: number;
}

/**
 * Finds an AEAD cipher.
 *
 * @param symbols The library's functions.
 * @param cipher The canonical name of the cipher.
 * @returns What makes its backends; undefined if this library lacks it.
 */
export function findMbedtlsAead(
  symbols: MbedtlsSymbols,
  cipher: string,
): MakeBackend | undefined {
  const gcmBits = /^aes-(128|192|256)-gcm$/.exec(cipher)?.[1];
  let functions: Functions | undefined;
  if (gcmBits !== undefined) functions = gcm(symbols, Number(gcmBits));
  if (cipher === "chacha20-ietf-poly1305") functions = chachaPoly(symbols);
  if (functions === undefined) return undefined;
  const found = functions;
  return (memory) => new MbedtlsAead(found, memory);
}

function gcm(symbols: MbedtlsSymbols, bits: number): Functions | undefined {
  const init = symbols.mbedtls_gcm_init;
  const free = symbols.mbedtls_gcm_free;
  const setKey = symbols.mbedtls_gcm_setkey;
  const encrypt = symbols.mbedtls_gcm_crypt_and_tag;
  const decrypt = symbols.mbedtls_gcm_auth_decrypt;
  if (!init || !free || !setKey || !encrypt || !decrypt) return undefined;
  const nonceSize = 12n;
  return {
    init,
    free,
    setKey: (context, key) => setKey(context, ID_AES, key, bits),
    encrypt: (context, length, nonce, input, output, tag) =>
      encrypt(
        context,
        GCM_ENCRYPT,
        length,
        nonce,
        nonceSize,
        null,
        0n,
        input,
        output,
        TAG_SIZE,
        tag,
      ),
    decrypt: (context, length, nonce, input, output, tag) =>
      decrypt(
        context,
        length,
        nonce,
        nonceSize,
        null,
        0n,
        tag,
        TAG_SIZE,
        input,
        output,
      ),
    authFailed: GCM_AUTH_FAILED,
  };
}

function chachaPoly(symbols: MbedtlsSymbols): Functions | undefined {
  const init = symbols.mbedtls_chachapoly_init;
  const free = symbols.mbedtls_chachapoly_free;
  const setKey = symbols.mbedtls_chachapoly_setkey;
  const encrypt = symbols.mbedtls_chachapoly_encrypt_and_tag;
  const decrypt = symbols.mbedtls_chachapoly_auth_decrypt;
  if (!init || !free || !setKey || !encrypt || !decrypt) return undefined;
  return {
    init,
    free,
    setKey,
    encrypt: (context, length, nonce, input, output, tag) =>
      encrypt(context, length, nonce, null, 0n, input, output, tag),
    decrypt: (context, length, nonce, input, output, tag) =>
      decrypt(context, length, nonce, null, 0n, tag, input, output),
    authFailed: CHACHAPOLY_AUTH_FAILED,
  };
}

class MbedtlsAead implements AeadBackend {
  readonly #functions: Functions;
  readonly #memory: AeadMemory;
  readonly #context = new NativeBuffer(CONTEXT_SIZE);
  #keyed = false;

  constructor(functions: Functions, memory: AeadMemory) {
    this.#functions = functions;
    this.#memory = memory;
  }

  seal({ input, start, length, output, at }: AeadPart): void {
    const { nonce, input: inputs, output: outputs } = this.#memory;
    const code = this.#functions.encrypt(
      this.#keyedContext(),
      BigInt(length),
      nonce.pointer,
      inputs.at(input, start),
      outputs.at(output, at),
      outputs.at(output, at + length),
    );
    checkMbedtls("seal", code);
  }

  open({ input, start, length, output, at }: AeadPart): boolean {
    const { nonce, input: inputs, output: outputs } = this.#memory;
    const code = this.#functions.decrypt(
      this.#keyedContext(),
      BigInt(length),
      nonce.pointer,
      inputs.at(input, start),
      outputs.at(output, at),
      inputs.at(input, start + length),
    );
    if (code === this.#functions.authFailed) return false;
    checkMbedtls("open", code);
    return true;
  }

  rekey(): void {
    this.forget();
  }

  forget(): void {
    if (!this.#keyed) return;
    this.#keyed = false;
    this.#functions.free(this.#context.pointer);
    this.#context.bytes.fill(0);
  }

  [Symbol.dispose](): void {
    this.forget();
  }

  #keyedContext(): Pointer {
    const { pointer } = this.#context;
    if (this.#keyed) return pointer;
    this.#functions.init(pointer);
    this.#keyed = true;
    const code = this.#functions.setKey(pointer, this.#memory.key.pointer);
    if (code !== 0) this.forget();
    checkMbedtls("set a key", code);
    return pointer;
  }
}
