/**
 * The AEAD ciphers of libsodium: three of the ChaCha20-Poly1305 family, which
 * take the key as it is, and AES-256-GCM on processors that have instructions
 * for it, which takes a key that was expanded before.
 *
 * The two classes are alike, and not one, because V8 calls a native function
 * at full speed only from a place that never called another; the provider of
 * OpenSSL uses GCM beside whatever libsodium's own provider does.
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
import {
  checkSodium,
  type SodiumGcmSymbols,
  type SodiumSymbols,
} from "./library.ts";

/** sodium/crypto_aead_aes256gcm.h: CRYPTO_ALIGN of the state. */
const STATE_ALIGNMENT = 16;

type Encrypt = SodiumSymbols["crypto_aead_aes256gcm_encrypt_afternm"];
type Decrypt = SodiumSymbols["crypto_aead_aes256gcm_decrypt_afternm"];
type Expand = SodiumSymbols["crypto_aead_aes256gcm_beforenm"];

/** The functions of ChaCha20-Poly1305. */
interface ChaChaFunctions {
  readonly encrypt: NonNullable<Encrypt>;
  readonly decrypt: NonNullable<Decrypt>;
}

/** The functions of AES-256-GCM. */
interface GcmFunctions extends ChaChaFunctions {
  readonly expand: NonNullable<Expand>;
  /** Bytes of crypto_aead_aes256gcm_state, an expanded key. */
  readonly size: number;
}

/** Another library's part in a cipher. */
export interface LongMessages {
  /** Most bytes of plaintext that libsodium is asked for. */
  readonly above: number;
  /** Makes the backends of longer messages. */
  readonly make: MakeBackend;
}

/**
 * Finds an AEAD cipher.
 *
 * @param symbols The library's functions.
 * @param cipher The canonical name of the cipher.
 * @returns What makes its backends; undefined if this library or processor
 * lacks it.
 */
export function findSodiumAead(
  symbols: SodiumSymbols,
  cipher: string,
): MakeBackend | undefined {
  switch (cipher) {
    case "chacha20-poly1305":
      return chacha(
        symbols.crypto_aead_chacha20poly1305_encrypt,
        symbols.crypto_aead_chacha20poly1305_decrypt,
      );
    case "chacha20-ietf-poly1305":
      return chacha(
        symbols.crypto_aead_chacha20poly1305_ietf_encrypt,
        symbols.crypto_aead_chacha20poly1305_ietf_decrypt,
      );
    case "xchacha20-ietf-poly1305":
      return chacha(
        symbols.crypto_aead_xchacha20poly1305_ietf_encrypt,
        symbols.crypto_aead_xchacha20poly1305_ietf_decrypt,
      );
    case "aes-256-gcm":
      return findSodiumGcm(symbols);
    default:
      return undefined;
  }
}

/**
 * Finds AES-256-GCM.
 *
 * @param symbols The library's functions.
 * @param long Who does the long messages; undefined: libsodium too.
 * @returns What makes its backends; undefined if this library or processor
 * lacks it.
 */
export function findSodiumGcm(
  symbols: SodiumGcmSymbols,
  long?: LongMessages,
): MakeBackend | undefined {
  const encrypt = symbols.crypto_aead_aes256gcm_encrypt_afternm;
  const decrypt = symbols.crypto_aead_aes256gcm_decrypt_afternm;
  const expand = symbols.crypto_aead_aes256gcm_beforenm;
  const size = symbols.crypto_aead_aes256gcm_statebytes?.();
  if (symbols.crypto_aead_aes256gcm_is_available?.() !== 1) return undefined;
  if (!encrypt || !decrypt || !expand || !size) return undefined;
  const functions = { encrypt, decrypt, expand, size };
  const most = long?.above ?? Infinity;
  return (memory, encrypt) =>
    new GcmBackend(functions, memory, most, long?.make(memory, encrypt));
}

function chacha(encrypt: Encrypt, decrypt: Decrypt): MakeBackend | undefined {
  if (encrypt === null || decrypt === null) return undefined;
  return (memory) => new ChaChaBackend({ encrypt, decrypt }, memory);
}

class ChaChaBackend implements AeadBackend {
  readonly #functions: ChaChaFunctions;
  readonly #memory: AeadMemory;

  constructor(functions: ChaChaFunctions, memory: AeadMemory) {
    this.#functions = functions;
    this.#memory = memory;
  }

  seal({ input, start, length, output, at }: AeadPart): void {
    const { key, nonce, input: inputs, output: outputs } = this.#memory;
    const code = this.#functions.encrypt(
      outputs.at(output, at),
      null,
      inputs.at(input, start),
      BigInt.asUintN(64, BigInt(length)),
      null,
      0n,
      null,
      nonce.pointer,
      key.pointer,
    );
    checkSodium("seal", code);
  }

  open({ input, start, length, output, at }: AeadPart): boolean {
    const { key, nonce, input: inputs, output: outputs } = this.#memory;
    return this.#functions.decrypt(
      outputs.at(output, at),
      null,
      null,
      inputs.at(input, start),
      BigInt.asUintN(64, BigInt(length + TAG_LENGTH)),
      null,
      0n,
      nonce.pointer,
      key.pointer,
    ) === 0;
  }

  /** Nothing to do: the key is used as it is. */
  rekey(): void {}

  forget(): void {}

  [Symbol.dispose](): void {}
}

class GcmBackend implements AeadBackend {
  readonly #functions: GcmFunctions;
  readonly #memory: AeadMemory;
  readonly #state: NativeBuffer;
  readonly #most: number;
  readonly #long: AeadBackend | undefined;
  /** Whether the state is of the key in the memory. */
  #expanded = false;
  /** Whether the state is of any key. */
  #used = false;

  constructor(
    functions: GcmFunctions,
    memory: AeadMemory,
    most: number,
    long: AeadBackend | undefined,
  ) {
    this.#functions = functions;
    this.#memory = memory;
    this.#most = most;
    this.#long = long;
    this.#state = new NativeBuffer(functions.size, STATE_ALIGNMENT);
  }

  seal(part: AeadPart): void {
    const { input, start, length, output, at } = part;
    if (length > this.#most) return this.#long!.seal(part);
    if (!this.#expanded) this.#expand();
    const { nonce, input: inputs, output: outputs } = this.#memory;
    const code = this.#functions.encrypt(
      outputs.at(output, at),
      null,
      inputs.at(input, start),
      BigInt.asUintN(64, BigInt(length)),
      null,
      0n,
      null,
      nonce.pointer,
      this.#state.pointer,
    );
    checkSodium("seal", code);
  }

  open(part: AeadPart): boolean {
    const { input, start, length, output, at } = part;
    if (length > this.#most) return this.#long!.open(part);
    if (!this.#expanded) this.#expand();
    const { nonce, input: inputs, output: outputs } = this.#memory;
    return this.#functions.decrypt(
      outputs.at(output, at),
      null,
      null,
      inputs.at(input, start),
      BigInt.asUintN(64, BigInt(length + TAG_LENGTH)),
      null,
      0n,
      nonce.pointer,
      this.#state.pointer,
    ) === 0;
  }

  rekey(): void {
    this.#long?.rekey();
    this.#expanded = false;
  }

  forget(): void {
    this.#long?.forget();
    if (this.#used) this.#state.bytes.fill(0);
    this.#expanded = this.#used = false;
  }

  [Symbol.dispose](): void {
    this.#long?.[Symbol.dispose]();
  }

  #expand(): void {
    this.#used = true;
    const key = this.#memory.key.pointer;
    const code = this.#functions.expand(this.#state.pointer, key);
    checkSodium("set a key", code);
    this.#expanded = true;
  }
}
