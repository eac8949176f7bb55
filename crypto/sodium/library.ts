/**
 * libsodium's functions, bound. Lengths are `unsigned long long`: they go over
 * as BigInt, which is as fast as a 32-bit number; that one would leave half of a
 * register undefined.
 *
 * @module
 */

import {
  libraryFailure,
  loadLibrary,
  type NativeLibrary,
  type NativeSymbols,
} from "../_ffi.ts";

/** The library's name in messages. */
const TITLE = "libsodium";

/** File names in order of preference. */
const NAMES = {
  linux: [
    "libsodium.so.26",
    "libsodium.so.23",
    "libsodium.so.18",
    "libsodium.so",
  ],
  darwin: [
    "libsodium.dylib",
    "/opt/homebrew/lib/libsodium.dylib",
    "/usr/local/lib/libsodium.dylib",
    "/opt/local/lib/libsodium.dylib",
  ],
  windows: ["libsodium.dll", "libsodium-26.dll", "libsodium-23.dll"],
};

/** int f(void) */
const ASK = { parameters: [], result: "i32", optional: true } as const;

/** crypto_aead_*_encrypt and _encrypt_afternm. */
const ENCRYPT = {
  parameters: [
    "u64", // unsigned char *c: ciphertext and tag
    "pointer", // unsigned long long *clen_p: may be null
    "u64", // const unsigned char *m
    "u64", // unsigned long long mlen
    "pointer", // const unsigned char *ad
    "u64", // unsigned long long adlen
    "pointer", // const unsigned char *nsec: not used
    "pointer", // const unsigned char *npub
    "pointer", // const unsigned char *k, or const state *ctx_
  ],
  result: "i32",
  optional: true,
} as const;

/** crypto_aead_*_decrypt and _decrypt_afternm. */
const DECRYPT = {
  parameters: [
    "u64", // unsigned char *m
    "pointer", // unsigned long long *mlen_p: may be null
    "pointer", // unsigned char *nsec: not used
    "u64", // const unsigned char *c: ciphertext and tag
    "u64", // unsigned long long clen
    "pointer", // const unsigned char *ad
    "u64", // unsigned long long adlen
    "pointer", // const unsigned char *npub
    "pointer", // const unsigned char *k, or const state *ctx_
  ],
  result: "i32",
  optional: true,
} as const;

/** crypto_stream_*_xor_ic. */
const XOR_IC = {
  parameters: [
    "buffer", // unsigned char *c
    "buffer", // const unsigned char *m
    "u64", // unsigned long long mlen
    "buffer", // const unsigned char *n
    "u64", // uint64_t ic; the IETF one has uint32_t, the lower half of it
    "buffer", // const unsigned char *k
  ],
  result: "i32",
  optional: true,
} as const;

/** The functions of AES-256-GCM. */
export const SODIUM_GCM_SYMBOLS = {
  sodium_init: { parameters: [], result: "i32" },
  crypto_aead_aes256gcm_is_available: ASK,
  // size_t crypto_aead_aes256gcm_statebytes(void): 512, which an int holds
  crypto_aead_aes256gcm_statebytes: ASK,
  crypto_aead_aes256gcm_beforenm: {
    parameters: [
      "pointer", // crypto_aead_aes256gcm_state *ctx_: 16-byte aligned
      "pointer", // const unsigned char *k
    ],
    result: "i32",
    optional: true,
  },
  crypto_aead_aes256gcm_encrypt_afternm: ENCRYPT,
  crypto_aead_aes256gcm_decrypt_afternm: DECRYPT,
} as const satisfies Deno.ForeignLibraryInterface;

/** Every function that is used of libsodium. */
export const SODIUM_SYMBOLS = {
  ...SODIUM_GCM_SYMBOLS,
  sodium_version_string: { parameters: [], result: "pointer" },
  crypto_aead_chacha20poly1305_encrypt: ENCRYPT,
  crypto_aead_chacha20poly1305_decrypt: DECRYPT,
  crypto_aead_chacha20poly1305_ietf_encrypt: ENCRYPT,
  crypto_aead_chacha20poly1305_ietf_decrypt: DECRYPT,
  crypto_aead_xchacha20poly1305_ietf_encrypt: ENCRYPT,
  crypto_aead_xchacha20poly1305_ietf_decrypt: DECRYPT,
  crypto_stream_salsa20_xor_ic: XOR_IC,
  crypto_stream_chacha20_xor_ic: XOR_IC,
  crypto_stream_xchacha20_xor_ic: XOR_IC,
  crypto_stream_chacha20_ietf_xor_ic: XOR_IC,
} as const satisfies Deno.ForeignLibraryInterface;

/** libsodium, loaded and initialised. */
export type SodiumLibrary = NativeLibrary<typeof SODIUM_SYMBOLS>;

/** Its functions; those that old versions lack may be null. */
export type SodiumSymbols = NativeSymbols<typeof SODIUM_SYMBOLS>;

/** Those of AES-256-GCM alone. */
export type SodiumGcmSymbols = NativeSymbols<typeof SODIUM_GCM_SYMBOLS>;

/**
 * Loads and initialises libsodium.
 *
 * @param path A file chosen by the user.
 * @returns The library.
 * @throws {CipherError} If it cannot be loaded or initialised.
 */
export function loadSodium(path?: string): SodiumLibrary {
  const request = { title: TITLE, names: NAMES, path };
  return started(loadLibrary(SODIUM_SYMBOLS, request));
}

/**
 * The same for AES-256-GCM alone: to bind a function takes 0.2 ms (measured
 * with Deno 2.9 on x86-64), and most processes that start need these only.
 *
 * @param path A file chosen by the user.
 * @returns The functions of a library that stays loaded.
 * @throws {CipherError} If it cannot be loaded or initialised.
 */
export function loadSodiumGcm(path?: string): SodiumGcmSymbols {
  const request = { title: TITLE, names: NAMES, path };
  return started(loadLibrary(SODIUM_GCM_SYMBOLS, request)).symbols;
}

function started<L extends NativeLibrary<typeof SODIUM_GCM_SYMBOLS>>(
  library: L,
): L {
  // 0: done, 1: had been done before, -1: failed.
  if (library.symbols.sodium_init() >= 0) return library;
  library.close();
  throw libraryFailure(
    "start",
    TITLE,
    "sodium_init failed, as it does without a source of random bytes",
  );
}

/**
 * Makes sure that a call went well.
 *
 * @param action What was to be done, such as `seal`.
 * @param code The answer; 0 is success.
 * @throws {CipherError} `library_failure`, for any other.
 */
export function checkSodium(action: string, code: number): void {
  if (code !== 0) throw libraryFailure(action, TITLE, `it answered ${code}`);
}
