/**
 * The AEAD ciphers of libsodium: three of the ChaCha20-Poly1305 family, which
 * take the key as it is, and AES-256-GCM on processors that have instructions
 * for it, which takes a key that was expanded before.
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
import { checkSodium, type SodiumSymbols } from "./library.ts";

/** sodium/crypto_aead_aes256gcm.h: CRYPTO_ALIGN of the state. */
const STATE_ALIGNMENT = 16;

type Pointer = Deno.PointerObject;

/** Seals or opens `length` bytes between two addresses; 0 is success. */
type Call = (
  output: bigint,
  input: bigint,
  length: bigint,
  nonce: Pointer,
  key: Pointer,
) => number;

/** The functions of a cipher. */
interface Functions {
  readonly encrypt: Call;
  readonly decrypt: Call;
  /** Expands a key; undefined if the cipher takes it as it is. */
  readonly expand?: (state: Pointer, key: Pointer) => number;
  /** Bytes of an expanded key. */
  readonly size?: number;
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
  const functions = functionsOf(symbols, cipher);
  if (functions === undefined) return undefined;
  return (memory) => new SodiumAead(functions, memory);
}

function functionsOf(
  symbols: SodiumSymbols,
  cipher: string,
): Functions | undefined {
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
      return gcm(symbols);
    default:
      return undefined;
  }
}

// The functions are called from two places, and not from one, because V8 calls
// a native function at full speed only from where it has seen no other one;
// OpenSSL's provider uses GCM beside whatever this one does.

function chacha(
  encrypt: SodiumSymbols["crypto_aead_chacha20poly1305_encrypt"],
  decrypt: SodiumSymbols["crypto_aead_chacha20poly1305_decrypt"],
): Functions | undefined {
  if (encrypt === null || decrypt === null) return undefined;
  return {
    encrypt: (output, input, length, nonce, key) =>
      encrypt(output, null, input, length, null, 0n, null, nonce, key),
    decrypt: (output, input, length, nonce, key) =>
      decrypt(output, null, null, input, length, null, 0n, nonce, key),
  };
}

function gcm(symbols: SodiumSymbols): Functions | undefined {
  const encrypt = symbols.crypto_aead_aes256gcm_encrypt_afternm;
  const decrypt = symbols.crypto_aead_aes256gcm_decrypt_afternm;
  const expand = symbols.crypto_aead_aes256gcm_beforenm;
  const size = symbols.crypto_aead_aes256gcm_statebytes?.();
  if (symbols.crypto_aead_aes256gcm_is_available?.() !== 1) return undefined;
  if (!encrypt || !decrypt || !expand || !size) return undefined;
  return {
    encrypt: (output, input, length, nonce, key) =>
      encrypt(output, null, input, length, null, 0n, null, nonce, key),
    decrypt: (output, input, length, nonce, key) =>
      decrypt(output, null, null, input, length, null, 0n, nonce, key),
    expand,
    size,
  };
}

class SodiumAead implements AeadBackend {
  readonly #functions: Functions;
  readonly #memory: AeadMemory;
  readonly #nonce: Pointer;
  /** The expanded key, where the cipher has one. */
  readonly #state: NativeBuffer | undefined;
  readonly #key: Pointer;
  #expanded = false;

  constructor(functions: Functions, memory: AeadMemory) {
    const { size } = functions;
    this.#functions = functions;
    this.#memory = memory;
    this.#nonce = memory.nonce.pointer;
    if (size !== undefined) {
      this.#state = new NativeBuffer(size, STATE_ALIGNMENT);
    }
    this.#key = (this.#state ?? memory.key).pointer;
  }

  seal({ input, start, length, output, at }: AeadPart): void {
    if (!this.#expanded) this.#expand();
    const code = this.#functions.encrypt(
      this.#memory.output.at(output, at),
      this.#memory.input.at(input, start),
      BigInt.asUintN(64, BigInt(length)),
      this.#nonce,
      this.#key,
    );
    checkSodium("seal", code);
  }

  open({ input, start, length, output, at }: AeadPart): boolean {
    if (!this.#expanded) this.#expand();
    const code = this.#functions.decrypt(
      this.#memory.output.at(output, at),
      this.#memory.input.at(input, start),
      BigInt.asUintN(64, BigInt(length + TAG_LENGTH)),
      this.#nonce,
      this.#key,
    );
    return code === 0;
  }

  forget(): void {
    if (!this.#expanded) return;
    this.#expanded = false;
    this.#state?.bytes.fill(0);
  }

  [Symbol.dispose](): void {}

  #expand(): void {
    const { expand } = this.#functions;
    if (expand !== undefined) {
      const code = expand(this.#key, this.#memory.key.pointer);
      checkSodium("set a key", code);
    }
    this.#expanded = true;
  }
}
