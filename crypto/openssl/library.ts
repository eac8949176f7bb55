/**
 * OpenSSL's libcrypto, 1.1 or 3: the functions bound, and how it is found.
 *
 * @module
 */

import {
  libraryFailure,
  loadLibrary,
  NativeBuffer,
  type NativeSymbols,
  oncePerPath,
  readCString,
} from "../_ffi.ts";
import type { CipherError } from "../errors.ts";

/** openssl/evp.h: the value of `enc` that leaves the direction as it is. */
export const SAME_DIRECTION: number = -1;

/**
 * The functions used; `size_t` goes over as BigInt, which is quicker than a
 * number. Optional are those that came with OpenSSL 3, and plain SHA-1, which
 * a libcrypto can be built without.
 */
export const OPENSSL_SYMBOLS = {
  // const char *OpenSSL_version(int type)
  OpenSSL_version: { parameters: ["i32"], result: "pointer" },
  // unsigned long ERR_get_error(void)
  ERR_get_error: { parameters: [], result: "u32" },
  // const char *ERR_reason_error_string(unsigned long e)
  ERR_reason_error_string: { parameters: ["u64"], result: "pointer" },
  // void ERR_clear_error(void)
  ERR_clear_error: { parameters: [], result: "void" },

  // const EVP_CIPHER *EVP_get_cipherbyname(const char *name)
  EVP_get_cipherbyname: { parameters: ["buffer"], result: "pointer" },
  // EVP_CIPHER *EVP_CIPHER_fetch(OSSL_LIB_CTX *ctx, const char *algorithm,
  //   const char *properties)
  EVP_CIPHER_fetch: {
    parameters: ["pointer", "buffer", "buffer"],
    result: "pointer",
    optional: true,
  },
  // EVP_CIPHER_CTX *EVP_CIPHER_CTX_new(void)
  EVP_CIPHER_CTX_new: { parameters: [], result: "pointer" },
  // void EVP_CIPHER_CTX_free(EVP_CIPHER_CTX *ctx)
  EVP_CIPHER_CTX_free: { parameters: ["pointer"], result: "void" },
  // int EVP_CipherInit_ex(EVP_CIPHER_CTX *ctx, const EVP_CIPHER *type,
  //   ENGINE *impl, const unsigned char *key, const unsigned char *iv, int enc)
  EVP_CipherInit_ex: {
    parameters: ["pointer", "pointer", "pointer", "buffer", "buffer", "i32"],
    result: "i32",
  },
  // int EVP_CIPHER_CTX_set_padding(EVP_CIPHER_CTX *ctx, int padding)
  EVP_CIPHER_CTX_set_padding: { parameters: ["pointer", "i32"], result: "i32" },

  // The same with pointers, for memory that is always the same.
  startKeyed: {
    name: "EVP_CipherInit_ex",
    parameters: ["pointer", "pointer", "pointer", "pointer", "buffer", "i32"],
    result: "i32",
  },
  startAt: {
    name: "EVP_CipherInit_ex",
    parameters: ["pointer", "pointer", "pointer", "pointer", "pointer", "i32"],
    result: "i32",
  },
  // int EVP_CIPHER_CTX_ctrl(EVP_CIPHER_CTX *ctx, int type, int arg, void *ptr)
  EVP_CIPHER_CTX_ctrl: {
    parameters: ["pointer", "i32", "i32", "pointer"],
    result: "i32",
  },
  // int EVP_CipherUpdate(EVP_CIPHER_CTX *ctx, unsigned char *out, int *outl,
  //   const unsigned char *in, int inl)
  update: {
    name: "EVP_CipherUpdate",
    parameters: ["pointer", "buffer", "pointer", "buffer", "i32"],
    result: "i32",
  },
  // The same with addresses, for parts of memory that does not move.
  updateAt: {
    name: "EVP_CipherUpdate",
    parameters: ["pointer", "u64", "pointer", "u64", "i32"],
    result: "i32",
  },
  // int EVP_CipherFinal_ex(EVP_CIPHER_CTX *ctx, unsigned char *out, int *outl)
  finish: {
    name: "EVP_CipherFinal_ex",
    parameters: ["pointer", "pointer", "pointer"],
    result: "i32",
  },

  // int SHA1_Init(SHA_CTX *c)
  SHA1_Init: { parameters: ["pointer"], result: "i32", optional: true },
  // int SHA1_Update(SHA_CTX *c, const void *data, size_t len)
  SHA1_Update: {
    parameters: ["pointer", "pointer", "usize"],
    result: "i32",
    optional: true,
  },

  // OSSL_PROVIDER *OSSL_PROVIDER_try_load(OSSL_LIB_CTX *ctx,
  //   const char *name, int retain_fallbacks)
  OSSL_PROVIDER_try_load: {
    parameters: ["pointer", "buffer", "i32"],
    result: "pointer",
    optional: true,
  },
} as const satisfies Deno.ForeignLibraryInterface;

/**
 * File names in order of preference. On macOS never the plain
 * `libcrypto.dylib`: the system's own ends the process that loads it.
 */
const NAMES = {
  linux: [
    "libcrypto.so.3",
    "libcrypto.so.4",
    "libcrypto.so.1.1",
    "libcrypto.so",
  ],
  darwin: [
    "/opt/homebrew/opt/openssl@3/lib/libcrypto.3.dylib",
    "/usr/local/opt/openssl@3/lib/libcrypto.3.dylib",
    "/opt/local/lib/libcrypto.3.dylib",
    "libcrypto.3.dylib",
    "/opt/homebrew/opt/openssl@1.1/lib/libcrypto.1.1.dylib",
    "/usr/local/opt/openssl@1.1/lib/libcrypto.1.1.dylib",
  ],
  windows: [
    Deno.build.arch === "aarch64"
      ? "libcrypto-3-arm64.dll"
      : "libcrypto-3-x64.dll",
    Deno.build.arch === "aarch64"
      ? "libcrypto-1_1-arm64.dll"
      : "libcrypto-1_1-x64.dll",
  ],
};

/** The functions of a loaded libcrypto. */
export type OpensslSymbols = NativeSymbols<typeof OPENSSL_SYMBOLS>;

/** A loaded libcrypto. */
export interface OpensslLibrary {
  /** Its functions. */
  readonly symbols: OpensslSymbols;
  /** `OpenSSL 3.0.19`. */
  readonly version: string;
  /** An `int *outl` for calls that write as much as they read. */
  readonly written: NativeBuffer;
}

/**
 * Loads libcrypto, once for each path and for good: it keeps memory of threads
 * and handlers for the exit, and does not survive being unloaded.
 *
 * @param path The user's own; undefined looks in the usual places.
 * @returns The library; never unloaded.
 * @throws {CipherError} `no_library`.
 */
export const loadOpenssl: (path?: string) => OpensslLibrary = oncePerPath(
  (path) => {
    const request = { title: "OpenSSL", names: NAMES, path };
    const { symbols } = loadLibrary(OPENSSL_SYMBOLS, request);
    // "OpenSSL 3.0.19 27 Jan 2026 (Library: …)"
    const words = readCString(symbols.OpenSSL_version(0)).split(" ");
    const version = words.slice(0, 2).join(" ");
    return { symbols, version, written: new NativeBuffer(4) };
  },
);

/** How a context is set up. */
export interface ContextStart {
  /** `EVP_CIPHER *`. */
  readonly cipher: Deno.PointerObject;
  /** The key in the cipher's own form; null: set later. */
  readonly key: Uint8Array | null;
  /** The IV in the cipher's own form, or empty; null: set later. */
  readonly iv: Uint8Array | null;
  /** Which direction. */
  readonly encrypt: boolean;
}

/**
 * Makes a context.
 *
 * @param library The library.
 * @param start What to start with; key and IV are not kept.
 * @returns `EVP_CIPHER_CTX *`, for the caller to free.
 * @throws {CipherError} `library_failure`, if OpenSSL refuses.
 */
export function newContext(
  library: OpensslLibrary,
  { cipher, key, iv, encrypt }: ContextStart,
): Deno.PointerObject {
  const { symbols } = library;
  const context = symbols.EVP_CIPHER_CTX_new();
  const ready = context !== null && symbols.EVP_CipherInit_ex(
        context,
        cipher,
        null,
        key,
        iv?.length === 0 ? null : iv,
        encrypt ? 1 : 0,
      ) === 1;
  if (ready) return context;
  const error = opensslError(library, "set up a cipher");
  symbols.EVP_CIPHER_CTX_free(context);
  throw error;
}

/**
 * Turns a failed call into an error with OpenSSL's own reason.
 *
 * @param library The library that failed.
 * @param action What could not be done, such as `seal`.
 * @returns The error to throw, `library_failure`.
 */
export function opensslError(
  library: OpensslLibrary,
  action: string,
): CipherError {
  const { symbols, version } = library;
  const code = symbols.ERR_get_error();
  const reason = code === 0
    ? ""
    : readCString(symbols.ERR_reason_error_string(BigInt(code)));
  symbols.ERR_clear_error();
  return libraryFailure(action, version, reason || "no reason given");
}
