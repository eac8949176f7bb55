/**
 * Mbed TLS's functions, bound: what versions 2.7 to 3.6 have in common. In 4.0
 * these functions are no longer public.
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
const TITLE = "Mbed TLS";

/** File names in order of preference. */
const NAMES = {
  linux: [
    "libmbedcrypto.so.16", // 3.6
    "libmbedcrypto.so.15",
    "libmbedcrypto.so.14",
    "libmbedcrypto.so.13",
    "libmbedcrypto.so.12",
    "libmbedcrypto.so.7", // 2.28
    "libmbedcrypto.so.6",
    "libmbedcrypto.so.5",
    "libmbedcrypto.so.3", // 2.16
    "libmbedcrypto.so",
  ],
  darwin: [
    "libmbedcrypto.dylib",
    "/opt/homebrew/opt/mbedtls@3/lib/libmbedcrypto.dylib",
    "/opt/homebrew/lib/libmbedcrypto.dylib",
    "/usr/local/opt/mbedtls@3/lib/libmbedcrypto.dylib",
    "/usr/local/lib/libmbedcrypto.dylib",
    "/opt/local/lib/libmbedcrypto.dylib",
  ],
  windows: ["mbedcrypto.dll", "libmbedcrypto.dll"],
};

/** mbedtls_cipher_init and mbedtls_cipher_free. */
const CONTEXT = {
  parameters: ["pointer"], // mbedtls_cipher_context_t *ctx
  result: "void",
} as const;

/** mbedtls_cipher_auth_encrypt_ext and mbedtls_cipher_auth_decrypt_ext. */
const WHOLE = {
  parameters: [
    "pointer", // mbedtls_cipher_context_t *ctx
    "pointer", // const unsigned char *iv
    "usize", // size_t iv_len
    "pointer", // const unsigned char *ad
    "usize", // size_t ad_len
    "u64", // const unsigned char *input: with the tag, if sealed
    "usize", // size_t ilen
    "u64", // unsigned char *output: with the tag, if sealed
    "usize", // size_t output_len
    "pointer", // size_t *olen
    "usize", // size_t tag_len
  ],
  result: "i32",
  optional: true,
} as const;

/** mbedtls_cipher_auth_encrypt and mbedtls_cipher_auth_decrypt. */
const APART = {
  parameters: [
    "pointer", // mbedtls_cipher_context_t *ctx
    "pointer", // const unsigned char *iv
    "usize", // size_t iv_len
    "pointer", // const unsigned char *ad
    "usize", // size_t ad_len
    "u64", // const unsigned char *input
    "usize", // size_t ilen
    "u64", // unsigned char *output
    "pointer", // size_t *olen
    "u64", // unsigned char *tag
    "usize", // size_t tag_len
  ],
  result: "i32",
  optional: true,
} as const;

/** Every function that is used of Mbed TLS. */
const SYMBOLS = {
  mbedtls_version_get_number: { parameters: [], result: "u32" },

  mbedtls_cipher_info_from_string: {
    parameters: ["buffer"], // const char *cipher_name
    result: "pointer",
  },
  mbedtls_cipher_init: CONTEXT,
  mbedtls_cipher_free: CONTEXT,
  mbedtls_cipher_setup: {
    parameters: [
      "pointer", // mbedtls_cipher_context_t *ctx
      "pointer", // const mbedtls_cipher_info_t *cipher_info
    ],
    result: "i32",
  },
  mbedtls_cipher_setkey: {
    parameters: [
      "pointer", // mbedtls_cipher_context_t *ctx
      "buffer", // const unsigned char *key
      "i32", // int key_bitlen
      "i32", // const mbedtls_operation_t operation
    ],
    result: "i32",
  },
  mbedtls_cipher_set_iv: {
    parameters: [
      "pointer", // mbedtls_cipher_context_t *ctx
      "buffer", // const unsigned char *iv
      "usize", // size_t iv_len
    ],
    result: "i32",
  },
  mbedtls_cipher_reset: {
    parameters: ["pointer"], // mbedtls_cipher_context_t *ctx
    result: "i32",
  },
  mbedtls_cipher_update: {
    parameters: [
      "pointer", // mbedtls_cipher_context_t *ctx
      "buffer", // const unsigned char *input
      "usize", // size_t ilen
      "buffer", // unsigned char *output
      "pointer", // size_t *olen
    ],
    result: "i32",
  },

  // Since 2.27 (and alone since 3.0), and before it.
  mbedtls_cipher_auth_encrypt_ext: WHOLE,
  mbedtls_cipher_auth_decrypt_ext: WHOLE,
  mbedtls_cipher_auth_encrypt: APART,
  mbedtls_cipher_auth_decrypt: APART,
} as const satisfies Deno.ForeignLibraryInterface;

/** Mbed TLS, loaded. */
export type MbedtlsLibrary = NativeLibrary<typeof SYMBOLS>;

/** Its functions; those that a build may leave out may be null. */
export type MbedtlsSymbols = NativeSymbols<typeof SYMBOLS>;

/**
 * Loads Mbed TLS.
 *
 * @param path A file chosen by the user.
 * @returns The library.
 * @throws {CipherError} If it cannot be loaded.
 */
export function loadMbedtls(path?: string): MbedtlsLibrary {
  return loadLibrary(SYMBOLS, { title: TITLE, names: NAMES, path });
}

/**
 * Makes sure that a call went well.
 *
 * @param action What was to be done, such as `seal`.
 * @param code The answer; 0 is success, an error is negative.
 * @throws {CipherError} `library_failure`, for any other.
 */
export function checkMbedtls(action: string, code: number): void {
  if (code === 0) return;
  const digits = (-code).toString(16).padStart(4, "0");
  throw libraryFailure(action, TITLE, `error -0x${digits}`);
}
