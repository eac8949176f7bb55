/**
 * The AEAD ciphers of libsodium: three of the ChaCha20-Poly1305 family, which
 * keep no state, and AES-256-GCM on processors that have instructions for it,
 * whose expanded key is kept until another key is used.
 *
 * @module
 */

import type { AeadBackend, SecretKey } from "./_aead_cipher.ts";
import { alignedBytes, checkSodium } from "./_sodium_common.ts";
import type { SodiumSymbols } from "./_sodium_library.ts";

/** crypto_aead_*_encrypt or _encrypt_afternm. */
type Encrypt = (
  sealed: Uint8Array,
  sealedLength: null,
  plaintext: Uint8Array,
  plaintextLength: bigint,
  data: null,
  dataLength: bigint,
  secretNonce: null,
  nonce: Uint8Array,
  key: Uint8Array,
) => number;

/** crypto_aead_*_decrypt or _decrypt_afternm. */
type Decrypt = (
  plaintext: Uint8Array,
  plaintextLength: null,
  secretNonce: null,
  sealed: Uint8Array,
  sealedLength: bigint,
  data: null,
  dataLength: bigint,
  nonce: Uint8Array,
  key: Uint8Array,
) => number;

/**
 * Makes the backend of a cipher.
 *
 * @param symbols The library's functions.
 * @param cipher The canonical name of the cipher.
 * @returns The backend; undefined if this library or processor lacks it.
 */
export function makeSodiumAead(
  symbols: SodiumSymbols,
  cipher: string,
): AeadBackend | undefined {
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
      return aesGcm(symbols);
    default:
      return undefined;
  }
}

function chacha(
  encrypt: Encrypt | null,
  decrypt: Decrypt | null,
): AeadBackend | undefined {
  if (encrypt === null || decrypt === null) return undefined;
  return new ChaChaBackend(encrypt, decrypt);
}

function aesGcm(symbols: SodiumSymbols): AeadBackend | undefined {
  const encrypt = symbols.crypto_aead_aes256gcm_encrypt_afternm;
  const decrypt = symbols.crypto_aead_aes256gcm_decrypt_afternm;
  const expand = symbols.crypto_aead_aes256gcm_beforenm;
  const size = symbols.crypto_aead_aes256gcm_statebytes?.();
  if (symbols.crypto_aead_aes256gcm_is_available?.() !== 1) return undefined;
  if (encrypt === null || decrypt === null || expand === null) return undefined;
  if (size === undefined) return undefined;
  return new GcmBackend({ encrypt, decrypt, expand, size: Number(size) });
}

class ChaChaBackend implements AeadBackend {
  readonly #encrypt: Encrypt;
  readonly #decrypt: Decrypt;

  constructor(encrypt: Encrypt, decrypt: Decrypt) {
    this.#encrypt = encrypt;
    this.#decrypt = decrypt;
  }

  seal(
    key: SecretKey,
    nonce: Uint8Array,
    plaintext: Uint8Array,
    sealed: Uint8Array,
  ): void {
    encryptWith(this.#encrypt, key.bytes, nonce, plaintext, sealed);
  }

  open(
    key: SecretKey,
    nonce: Uint8Array,
    sealed: Uint8Array,
    plaintext: Uint8Array,
  ): boolean {
    return decryptWith(this.#decrypt, key.bytes, nonce, sealed, plaintext);
  }

  forget(): void {}

  [Symbol.dispose](): void {}
}

/** crypto_aead_aes256gcm_beforenm. */
type Expand = (state: Uint8Array, key: Uint8Array) => number;

/** The functions behind {@linkcode GcmBackend}. */
interface GcmFunctions {
  readonly encrypt: Encrypt;
  readonly decrypt: Decrypt;
  readonly expand: Expand;
  /** Bytes of crypto_aead_aes256gcm_state. */
  readonly size: number;
}

class GcmBackend implements AeadBackend {
  readonly #functions: GcmFunctions;
  /** crypto_aead_aes256gcm_state, expanded from {@linkcode #current}. */
  readonly #state: Uint8Array;
  #current: SecretKey | undefined;

  constructor(functions: GcmFunctions) {
    this.#functions = functions;
    this.#state = alignedBytes(functions.size, 16);
  }

  seal(
    key: SecretKey,
    nonce: Uint8Array,
    plaintext: Uint8Array,
    sealed: Uint8Array,
  ): void {
    this.#use(key);
    encryptWith(
      this.#functions.encrypt,
      this.#state,
      nonce,
      plaintext,
      sealed,
    );
  }

  open(
    key: SecretKey,
    nonce: Uint8Array,
    sealed: Uint8Array,
    plaintext: Uint8Array,
  ): boolean {
    this.#use(key);
    return decryptWith(
      this.#functions.decrypt,
      this.#state,
      nonce,
      sealed,
      plaintext,
    );
  }

  forget(key: SecretKey): void {
    if (key === this.#current) this[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.#current = undefined;
    this.#state.fill(0);
  }

  #use(key: SecretKey): void {
    if (key === this.#current) return;
    this.#current = undefined;
    checkSodium("set a key", this.#functions.expand(this.#state, key.bytes));
    this.#current = key;
  }
}

function encryptWith(
  encrypt: Encrypt,
  key: Uint8Array,
  nonce: Uint8Array,
  plaintext: Uint8Array,
  sealed: Uint8Array,
): void {
  const length = BigInt(plaintext.length);
  checkSodium(
    "seal",
    encrypt(sealed, null, plaintext, length, null, 0n, null, nonce, key),
  );
}

function decryptWith(
  decrypt: Decrypt,
  key: Uint8Array,
  nonce: Uint8Array,
  sealed: Uint8Array,
  plaintext: Uint8Array,
): boolean {
  const length = BigInt(sealed.length);
  // A null plaintext would ask for verification only; for an empty message
  // that is the same.
  return decrypt(
    plaintext,
    null,
    null,
    sealed,
    length,
    null,
    0n,
    nonce,
    key,
  ) === 0;
}
