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

/** mbedtls_*_init and mbedtls_*_free of a message cipher. */
const CONTEXT = {
  parameters: ["pointer"], // context *ctx
  result: "void",
  optional: true,
} as const;

/** mbedtls_cipher_init and mbedtls_cipher_free. */
const CIPHER_CONTEXT = {
  parameters: ["buffer"], // mbedtls_cipher_context_t *ctx
  result: "void",
} as const;

/** Every function that is used of Mbed TLS. */
export const MBEDTLS_SYMBOLS = {
  mbedtls_version_get_number: { parameters: [], result: "u32" },

  mbedtls_gcm_init: CONTEXT,
  mbedtls_gcm_free: CONTEXT,
  mbedtls_gcm_setkey: {
    parameters: [
      "pointer", // mbedtls_gcm_context *ctx
      "i32", // mbedtls_cipher_id_t cipher
      "pointer", // const unsigned char *key
      "u32", // unsigned int keybits
    ],
    result: "i32",
    optional: true,
  },
  mbedtls_gcm_crypt_and_tag: {
    parameters: [
      "pointer", // mbedtls_gcm_context *ctx
      "i32", // int mode
      "usize", // size_t length
      "pointer", // const unsigned char *iv
      "usize", // size_t iv_len
      "pointer", // const unsigned char *add
      "usize", // size_t add_len
      "u64", // const unsigned char *input
      "u64", // unsigned char *output
      "usize", // size_t tag_len
      "u64", // unsigned char *tag
    ],
    result: "i32",
    optional: true,
  },
  mbedtls_gcm_auth_decrypt: {
    parameters: [
      "pointer", // mbedtls_gcm_context *ctx
      "usize", // size_t length
      "pointer", // const unsigned char *iv
      "usize", // size_t iv_len
      "pointer", // const unsigned char *add
      "usize", // size_t add_len
      "u64", // const unsigned char *tag
      "usize", // size_t tag_len
      "u64", // const unsigned char *input
      "u64", // unsigned char *output
    ],
    result: "i32",
    optional: true,
  },

  mbedtls_chachapoly_init: CONTEXT,
  mbedtls_chachapoly_free: CONTEXT,
  mbedtls_chachapoly_setkey: {
    parameters: [
      "pointer", // mbedtls_chachapoly_context *ctx
      "pointer", // const unsigned char key[32]
    ],
    result: "i32",
    optional: true,
  },
  mbedtls_chachapoly_encrypt_and_tag: {
    parameters: [
      "pointer", // mbedtls_chachapoly_context *ctx
      "usize", // size_t length
      "pointer", // const unsigned char nonce[12]
      "pointer", // const unsigned char *aad
      "usize", // size_t aad_len
      "u64", // const unsigned char *input
      "u64", // unsigned char *output
      "u64", // unsigned char tag[16]
    ],
    result: "i32",
    optional: true,
  },
  mbedtls_chachapoly_auth_decrypt: {
    parameters: [
      "pointer", // mbedtls_chachapoly_context *ctx
      "usize", // size_t length
      "pointer", // const unsigned char nonce[12]
      "pointer", // const unsigned char *aad
      "usize", // size_t aad_len
      "u64", // const unsigned char tag[16]
      "u64", // const unsigned char *input
      "u64", // unsigned char *output
    ],
    result: "i32",
    optional: true,
  },

  mbedtls_cipher_info_from_string: {
    parameters: ["buffer"], // const char *cipher_name
    result: "pointer",
  },
  mbedtls_cipher_init: CIPHER_CONTEXT,
  mbedtls_cipher_free: CIPHER_CONTEXT,
  mbedtls_cipher_setup: {
    parameters: [
      "buffer", // mbedtls_cipher_context_t *ctx
      "pointer", // const mbedtls_cipher_info_t *cipher_info
    ],
    result: "i32",
  },
  mbedtls_cipher_setkey: {
    parameters: [
      "buffer", // mbedtls_cipher_context_t *ctx
      "buffer", // const unsigned char *key
      "i32", // int key_bitlen
      "i32", // const mbedtls_operation_t operation
    ],
    result: "i32",
  },
  mbedtls_cipher_set_iv: {
    parameters: [
      "buffer", // mbedtls_cipher_context_t *ctx
      "buffer", // const unsigned char *iv
      "usize", // size_t iv_len
    ],
    result: "i32",
  },
  mbedtls_cipher_reset: {
    parameters: ["buffer"], // mbedtls_cipher_context_t *ctx
    result: "i32",
  },
  mbedtls_cipher_update: {
    parameters: [
      "buffer", // mbedtls_cipher_context_t *ctx
      "buffer", // const unsigned char *input
      "usize", // size_t ilen
      "buffer", // unsigned char *output
      "buffer", // size_t *olen
    ],
    result: "i32",
  },
} as const satisfies Deno.ForeignLibraryInterface;

/** Mbed TLS, loaded. */
export type MbedtlsLibrary = NativeLibrary<typeof MBEDTLS_SYMBOLS>;

/** Its functions; those that a build may leave out may be null. */
export type MbedtlsSymbols = NativeSymbols<typeof MBEDTLS_SYMBOLS>;

/**
 * Loads Mbed TLS.
 *
 * @param path A file chosen by the user.
 * @returns The library.
 * @throws {CipherError} If it cannot be loaded.
 */
export function loadMbedtls(path?: string): MbedtlsLibrary {
  return loadLibrary(MBEDTLS_SYMBOLS, { title: TITLE, names: NAMES, path });
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
