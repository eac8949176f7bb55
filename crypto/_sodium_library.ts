/**
 * libsodium's functions, bound. Lengths are `unsigned long long`: they go over
 * as BigInt, which is as fast as a 32-bit number and, unlike one, leaves no
 * half of a register to chance.
 *
 * @module
 */

import { SODIUM_NAMES } from "./_sodium_common.ts";
import { CipherError } from "./errors.ts";
import { loadLibrary, type NativeSymbols, readCString } from "./_ffi.ts";

/** crypto_aead_*_encrypt and _encrypt_afternm. */
const ENCRYPT = {
  parameters: [
    "buffer", // unsigned char *c: ciphertext and tag
    "pointer", // unsigned long long *clen_p: may be null
    "buffer", // const unsigned char *m
    "u64", // unsigned long long mlen
    "pointer", // const unsigned char *ad
    "u64", // unsigned long long adlen
    "pointer", // const unsigned char *nsec: not used
    "buffer", // const unsigned char *npub
    "buffer", // const unsigned char *k, or const state *ctx_
  ],
  result: "i32",
  optional: true,
} as const;

/** crypto_aead_*_decrypt and _decrypt_afternm. */
const DECRYPT = {
  parameters: [
    "buffer", // unsigned char *m
    "pointer", // unsigned long long *mlen_p: may be null
    "pointer", // unsigned char *nsec: not used
    "buffer", // const unsigned char *c: ciphertext and tag
    "u64", // unsigned long long clen
    "pointer", // const unsigned char *ad
    "u64", // unsigned long long adlen
    "buffer", // const unsigned char *npub
    "buffer", // const unsigned char *k, or const state *ctx_
  ],
  result: "i32",
  optional: true,
} as const;

/** crypto_stream_*_xor_ic with a block counter of 64 bits. */
const XOR_IC = {
  parameters: [
    "buffer", // unsigned char *c
    "buffer", // const unsigned char *m
    "u64", // unsigned long long mlen
    "buffer", // const unsigned char *n
    "u64", // uint64_t ic
    "buffer", // const unsigned char *k
  ],
  result: "i32",
  optional: true,
} as const;

/** crypto_stream_chacha20_ietf_xor_ic: its block counter has 32 bits. */
const XOR_IC_IETF = {
  parameters: [
    "buffer", // unsigned char *c
    "buffer", // const unsigned char *m
    "u64", // unsigned long long mlen
    "buffer", // const unsigned char *n
    "u32", // uint32_t ic
    "buffer", // const unsigned char *k
  ],
  result: "i32",
  optional: true,
} as const;

/** Every function that is used of libsodium. */
export const SODIUM_SYMBOLS = {
  sodium_init: { parameters: [], result: "i32" },
  sodium_version_string: { parameters: [], result: "pointer" },
  crypto_aead_chacha20poly1305_encrypt: ENCRYPT,
  crypto_aead_chacha20poly1305_decrypt: DECRYPT,
  crypto_aead_chacha20poly1305_ietf_encrypt: ENCRYPT,
  crypto_aead_chacha20poly1305_ietf_decrypt: DECRYPT,
  crypto_aead_xchacha20poly1305_ietf_encrypt: ENCRYPT,
  crypto_aead_xchacha20poly1305_ietf_decrypt: DECRYPT,
  crypto_aead_aes256gcm_is_available: {
    parameters: [],
    result: "i32",
    optional: true,
  },
  crypto_aead_aes256gcm_statebytes: {
    parameters: [],
    result: "usize",
    optional: true,
  },
  crypto_aead_aes256gcm_beforenm: {
    parameters: [
      "buffer", // crypto_aead_aes256gcm_state *ctx_: 16-byte aligned
      "buffer", // const unsigned char *k
    ],
    result: "i32",
    optional: true,
  },
  crypto_aead_aes256gcm_encrypt_afternm: ENCRYPT,
  crypto_aead_aes256gcm_decrypt_afternm: DECRYPT,
  crypto_stream_salsa20_xor_ic: XOR_IC,
  crypto_stream_chacha20_xor_ic: XOR_IC,
  crypto_stream_xchacha20_xor_ic: XOR_IC,
  crypto_stream_chacha20_ietf_xor_ic: XOR_IC_IETF,
} as const satisfies Deno.ForeignLibraryInterface;

/** libsodium, loaded and initialised. */
export type SodiumLibrary = Deno.DynamicLibrary<typeof SODIUM_SYMBOLS>;

/** Its functions; those that old versions lack may be null. */
export type SodiumSymbols = NativeSymbols<typeof SODIUM_SYMBOLS>;

/**
 * Loads and initialises libsodium.
 *
 * @param path A file chosen by the user.
 * @returns The library.
 * @throws {CipherError} If it cannot be loaded or initialised.
 */
export function loadSodium(path?: string): SodiumLibrary {
  const library = loadLibrary(SODIUM_SYMBOLS, {
    title: "libsodium",
    names: SODIUM_NAMES,
    path,
  });
  // 0: done, 1: had been done before, -1: failed.
  if (library.symbols.sodium_init() < 0) {
    library.close();
    throw new CipherError(
      "library_failure",
      "Cannot initialise libsodium: sodium_init failed, as it does without a source of random bytes",
    );
  }
  return library;
}

/**
 * Asks for the version.
 *
 * @param symbols The library's functions.
 * @returns Such as `1.0.18`.
 */
export function sodiumVersion(symbols: SodiumSymbols): string {
  return readCString(symbols.sodium_version_string());
}
