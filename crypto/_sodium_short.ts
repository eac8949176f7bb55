/**
 * Short messages of AES-256-GCM by libsodium, beside OpenSSL. For 64 bytes
 * OpenSSL needs four calls, which look up parameters by their names, 240 ns;
 * libsodium needs one, 70 ns. Over half a kilobyte OpenSSL is the faster, for
 * whole chunks two and a half times.
 *
 * @module
 */

import { type SecretKey, TAG_LENGTH } from "./_aead_cipher.ts";
import { loadLibrary, NativeBuffer, type Places } from "./_ffi.ts";
import { alignedBytes, checkSodium, SODIUM_NAMES } from "./_sodium_common.ts";
import { CipherError } from "./errors.ts";
import type { AeadPart } from "./provider.ts";

/** The canonical name of the cipher. */
export const SHORT_CIPHER = "aes-256-gcm";
/** Most bytes of plaintext that it is worth for. */
export const SHORT_LENGTH = 400;

/** The functions of libsodium that short messages need. */
export const SHORT_SYMBOLS = {
  sodium_init: { parameters: [], result: "i32" },
  crypto_aead_aes256gcm_is_available: { parameters: [], result: "i32" },
  crypto_aead_aes256gcm_statebytes: { parameters: [], result: "usize" },
  crypto_aead_aes256gcm_beforenm: {
    parameters: [
      "pointer", // crypto_aead_aes256gcm_state *ctx_: 16-byte aligned
      "pointer", // const unsigned char *k
    ],
    result: "i32",
  },
  crypto_aead_aes256gcm_encrypt_afternm: {
    parameters: [
      "u64", // unsigned char *c: ciphertext and tag
      "pointer", // unsigned long long *clen_p: may be null
      "u64", // const unsigned char *m
      "u64", // unsigned long long mlen
      "pointer", // const unsigned char *ad
      "u64", // unsigned long long adlen
      "pointer", // const unsigned char *nsec: not used
      "pointer", // const unsigned char *npub
      "pointer", // const crypto_aead_aes256gcm_state *ctx_
    ],
    result: "i32",
  },
  crypto_aead_aes256gcm_decrypt_afternm: {
    parameters: [
      "u64", // unsigned char *m
      "pointer", // unsigned long long *mlen_p: may be null
      "pointer", // unsigned char *nsec: not used
      "u64", // const unsigned char *c: ciphertext and tag
      "u64", // unsigned long long clen
      "pointer", // const unsigned char *ad
      "u64", // unsigned long long adlen
      "pointer", // const unsigned char *npub
      "pointer", // const crypto_aead_aes256gcm_state *ctx_
    ],
    result: "i32",
  },
} as const satisfies Deno.ForeignLibraryInterface;

const KEY_LENGTH = 32;
const ALIGNMENT = 16;

/** What the expanded keys of a process share. */
export interface ShortGcm {
  /** libsodium's functions. */
  readonly symbols: Deno.DynamicLibrary<typeof SHORT_SYMBOLS>["symbols"];
  /** Bytes of an expanded key. */
  readonly size: number;
}

/** By path; loaded for good, as the ciphers that use it may be at any time. */
const loaded = new Map<string, ShortGcm | undefined>();

/**
 * Looks for libsodium.
 *
 * @param path A file chosen by the user; undefined looks in the usual places.
 * @returns Its functions; undefined if it is not there, is too old, or the
 * processor has no instructions for the cipher.
 */
export function findShortGcm(path?: string): ShortGcm | undefined {
  const name = path ?? "";
  if (!loaded.has(name)) loaded.set(name, load(path));
  return loaded.get(name);
}

function load(path: string | undefined): ShortGcm | undefined {
  try {
    const request = { title: "libsodium", names: SODIUM_NAMES, path };
    const { symbols } = loadLibrary(SHORT_SYMBOLS, request);
    if (symbols.sodium_init() < 0) return undefined;
    if (symbols.crypto_aead_aes256gcm_is_available() !== 1) return undefined;
    return {
      symbols,
      size: Number(symbols.crypto_aead_aes256gcm_statebytes()),
    };
  } catch (error) {
    if (error instanceof CipherError) return undefined;
    throw error;
  }
}

/** One expanded key at a time. */
export class ShortState implements Disposable {
  readonly #short: ShortGcm;
  readonly #places: Places;
  readonly #key = new NativeBuffer(KEY_LENGTH);
  readonly #memory: Uint8Array<ArrayBuffer>;
  /** `crypto_aead_aes256gcm_state *`. */
  readonly #state: Deno.PointerObject;
  #current: SecretKey | undefined;

  /**
   * Reserves memory for a key.
   *
   * @param short libsodium.
   * @param places Where the buffers are.
   */
  constructor(short: ShortGcm, places: Places) {
    this.#short = short;
    this.#places = places;
    this.#memory = alignedBytes(short.size, ALIGNMENT);
    this.#state = Deno.UnsafePointer.of(this.#memory)!;
  }

  /**
   * Seals a part.
   *
   * @param key 32 bytes.
   * @param nonce 12 bytes.
   * @param part The range was checked.
   */
  seal(key: SecretKey, nonce: NativeBuffer, part: AeadPart): void {
    this.#use(key);
    const { input, output } = this.#places;
    const result = this.#short.symbols.crypto_aead_aes256gcm_encrypt_afternm(
      output.at(part.output, part.at),
      null,
      input.at(part.input, part.start),
      BigInt.asUintN(64, BigInt(part.length)),
      null,
      0n,
      null,
      nonce.pointer,
      this.#state,
    );
    checkSodium("seal", result);
  }

  /**
   * Opens a part.
   *
   * @param key 32 bytes.
   * @param nonce 12 bytes.
   * @param part The range was checked.
   * @returns Whether it is genuine; if not, the plaintext is zero.
   */
  open(key: SecretKey, nonce: NativeBuffer, part: AeadPart): boolean {
    this.#use(key);
    const { input, output } = this.#places;
    const result = this.#short.symbols.crypto_aead_aes256gcm_decrypt_afternm(
      output.at(part.output, part.at),
      null,
      null,
      input.at(part.input, part.start),
      BigInt.asUintN(64, BigInt(part.length + TAG_LENGTH)),
      null,
      0n,
      nonce.pointer,
      this.#state,
    );
    if (result === 0) return true;
    part.output.fill(0, part.at, part.at + part.length);
    return false;
  }

  /** Wipes the key. */
  [Symbol.dispose](): void {
    if (this.#current === undefined) return;
    this.#current = undefined;
    this.#memory.fill(0);
  }

  #use(key: SecretKey): void {
    if (key === this.#current) return;
    this.#current = undefined;
    this.#key.bytes.set(key.bytes);
    const result = this.#short.symbols.crypto_aead_aes256gcm_beforenm(
      this.#state,
      this.#key.pointer,
    );
    this.#key.bytes.fill(0);
    checkSodium("set a key", result);
    this.#current = key;
  }
}
