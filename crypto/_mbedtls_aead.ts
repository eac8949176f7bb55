/**
 * The AEAD ciphers of Mbed TLS: AES-GCM and ChaCha20-Poly1305. One native
 * context serves all connections of a cipher and is keyed again when another
 * key is used.
 *
 * @module
 */

import {
  type AeadBackend,
  type SecretKey,
  TAG_LENGTH,
} from "./_aead_cipher.ts";
import { checkMbedtls, type MbedtlsSymbols } from "./_mbedtls_library.ts";

/** MBEDTLS_CIPHER_ID_AES. */
const ID_AES = 2;
/** MBEDTLS_GCM_ENCRYPT. */
const GCM_ENCRYPT = 1;
/** MBEDTLS_ERR_GCM_AUTH_FAILED. */
const GCM_AUTH_FAILED = -0x12;
/** MBEDTLS_ERR_CHACHAPOLY_AUTH_FAILED. */
const CHACHAPOLY_AUTH_FAILED = -0x56;

/**
 * Room for a context. The largest that a build can ask for, of GCM with a
 * table of 256 entries and the AES schedule inside, has less than 5 KiB.
 */
const CONTEXT_SIZE = 8192;

const TAG_SIZE = BigInt(TAG_LENGTH);

/**
 * Makes the backend of a cipher.
 *
 * @param symbols The library's functions.
 * @param cipher The canonical name of the cipher.
 * @returns The backend; undefined if this library lacks it.
 */
export function makeMbedtlsAead(
  symbols: MbedtlsSymbols,
  cipher: string,
): AeadBackend | undefined {
  switch (cipher) {
    case "aes-128-gcm":
    case "aes-192-gcm":
    case "aes-256-gcm":
      return gcm(symbols);
    case "chacha20-ietf-poly1305":
      return chachaPoly(symbols);
    default:
      return undefined;
  }
}

function gcm(symbols: MbedtlsSymbols): AeadBackend | undefined {
  const init = symbols.mbedtls_gcm_init;
  const free = symbols.mbedtls_gcm_free;
  const setKey = symbols.mbedtls_gcm_setkey;
  const encrypt = symbols.mbedtls_gcm_crypt_and_tag;
  const decrypt = symbols.mbedtls_gcm_auth_decrypt;
  if (init === null || free === null || setKey === null) return undefined;
  if (encrypt === null || decrypt === null) return undefined;
  const context = new KeyedContext({
    init,
    free,
    setKey: (bytes, key) => setKey(bytes, ID_AES, key, key.length * 8),
  });
  return new MbedtlsBackend(context, {
    encrypt: (bytes, length, nonce, input, output, tag) =>
      encrypt(
        bytes,
        GCM_ENCRYPT,
        length,
        nonce,
        BigInt(nonce.length),
        null,
        0n,
        input,
        output,
        TAG_SIZE,
        tag,
      ),
    decrypt: (bytes, length, nonce, input, output, tag) =>
      decrypt(
        bytes,
        length,
        nonce,
        BigInt(nonce.length),
        null,
        0n,
        tag,
        TAG_SIZE,
        input,
        output,
      ),
    authFailed: GCM_AUTH_FAILED,
  });
}

function chachaPoly(symbols: MbedtlsSymbols): AeadBackend | undefined {
  const init = symbols.mbedtls_chachapoly_init;
  const free = symbols.mbedtls_chachapoly_free;
  const setKey = symbols.mbedtls_chachapoly_setkey;
  const encrypt = symbols.mbedtls_chachapoly_encrypt_and_tag;
  const decrypt = symbols.mbedtls_chachapoly_auth_decrypt;
  if (init === null || free === null || setKey === null) return undefined;
  if (encrypt === null || decrypt === null) return undefined;
  return new MbedtlsBackend(new KeyedContext({ init, free, setKey }), {
    encrypt: (bytes, length, nonce, input, output, tag) =>
      encrypt(bytes, length, nonce, null, 0n, input, output, tag),
    decrypt: (bytes, length, nonce, input, output, tag) =>
      decrypt(bytes, length, nonce, null, 0n, tag, input, output),
    authFailed: CHACHAPOLY_AUTH_FAILED,
  });
}

/** The functions that make a context. */
interface ContextFunctions {
  init(context: Uint8Array): void;
  free(context: Uint8Array): void;
  setKey(context: Uint8Array, key: Uint8Array): number;
}

/** A native context that remembers which key it was given. */
class KeyedContext implements Disposable {
  readonly #functions: ContextFunctions;
  readonly #context = new Uint8Array(CONTEXT_SIZE);
  #current: SecretKey | undefined;

  constructor(functions: ContextFunctions) {
    this.#functions = functions;
  }

  /** Returns the context, keyed. */
  use(key: SecretKey): Uint8Array {
    if (key === this.#current) return this.#context;
    this[Symbol.dispose]();
    this.#functions.init(this.#context);
    this.#current = key;
    try {
      checkMbedtls(
        "set a key",
        this.#functions.setKey(this.#context, key.bytes),
      );
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
    return this.#context;
  }

  forget(key: SecretKey): void {
    if (key === this.#current) this[Symbol.dispose]();
  }

  /** Frees and wipes what the key left; the context can be used again. */
  [Symbol.dispose](): void {
    if (this.#current === undefined) return;
    this.#current = undefined;
    this.#functions.free(this.#context);
    this.#context.fill(0);
  }
}

/** Encrypts or decrypts `length` bytes. */
type AeadCall = (
  context: Uint8Array,
  length: bigint,
  nonce: Uint8Array,
  input: Uint8Array,
  output: Uint8Array,
  tag: Uint8Array,
) => number;

/** What sets one cipher apart from another. */
interface AeadFunctions {
  readonly encrypt: AeadCall;
  readonly decrypt: AeadCall;
  /** What `decrypt` answers if the tag is wrong. */
  readonly authFailed: number;
}

class MbedtlsBackend implements AeadBackend {
  readonly #context: KeyedContext;
  readonly #functions: AeadFunctions;

  constructor(context: KeyedContext, functions: AeadFunctions) {
    this.#context = context;
    this.#functions = functions;
  }

  seal(
    key: SecretKey,
    nonce: Uint8Array,
    plaintext: Uint8Array,
    sealed: Uint8Array,
  ): void {
    const context = this.#context.use(key);
    const length = plaintext.length;
    const tag = sealed.subarray(length, length + TAG_LENGTH);
    checkMbedtls(
      "seal",
      this.#functions.encrypt(
        context,
        BigInt(length),
        nonce,
        plaintext,
        sealed,
        tag,
      ),
    );
  }

  open(
    key: SecretKey,
    nonce: Uint8Array,
    sealed: Uint8Array,
    plaintext: Uint8Array,
  ): boolean {
    const context = this.#context.use(key);
    const length = sealed.length - TAG_LENGTH;
    const code = this.#functions.decrypt(
      context,
      BigInt(length),
      nonce,
      sealed,
      plaintext,
      sealed.subarray(length),
    );
    if (code === this.#functions.authFailed) return false;
    checkMbedtls("open", code);
    return true;
  }

  forget(key: SecretKey): void {
    this.#context.forget(key);
  }

  [Symbol.dispose](): void {
    this.#context[Symbol.dispose]();
  }
}
