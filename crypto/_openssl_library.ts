/**
 * OpenSSL's libcrypto, 1.1 or 3: the functions bound, and how it is found.
 *
 * @module
 */

import { CipherError } from "./errors.ts";
import {
  BufferPlaces,
  type LibraryNames,
  loadLibrary,
  NativeBuffer,
  type NativeSymbols,
  type Places,
  readCString,
} from "./_ffi.ts";

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
  // int EVP_CIPHER_CTX_ctrl(EVP_CIPHER_CTX *ctx, int type, int arg, void *ptr)
  EVP_CIPHER_CTX_ctrl: {
    parameters: ["pointer", "i32", "i32", "pointer"],
    result: "i32",
  },
  // int EVP_CipherInit_ex(EVP_CIPHER_CTX *ctx, const EVP_CIPHER *type,
  //   ENGINE *impl, const unsigned char *key, const unsigned char *iv, int enc)
  EVP_CipherInit_ex: {
    parameters: ["pointer", "pointer", "pointer", "buffer", "buffer", "i32"],
    result: "i32",
  },
  // int EVP_CIPHER_CTX_set_padding(EVP_CIPHER_CTX *ctx, int padding)
  EVP_CIPHER_CTX_set_padding: { parameters: ["pointer", "i32"], result: "i32" },

  // With pointers where the memory is always the same: those above again.
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
  // int EVP_CipherUpdate(EVP_CIPHER_CTX *ctx, unsigned char *out, int *outl,
  //   const unsigned char *in, int inl)
  update: {
    name: "EVP_CipherUpdate",
    parameters: ["pointer", "buffer", "pointer", "buffer", "i32"],
    result: "i32",
  },
  // With addresses where it is a part of memory that stays.
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
const NAMES: LibraryNames = {
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
  /** Where the buffers are that `updateAt` reads and writes. */
  readonly places: Places;
}

/**
 * Loaded for good: libcrypto hands out threads' and exit handlers' memory and
 * does not survive being unloaded.
 */
const loaded = new Map<string, OpensslLibrary>();

/**
 * Loads libcrypto, once for each path.
 *
 * @param path The user's own; undefined looks in the usual places.
 * @returns The library; never unloaded.
 * @throws {CipherError} `no_library`.
 */
export function loadOpenssl(path?: string): OpensslLibrary {
  const cached = loaded.get(path ?? "");
  if (cached !== undefined) return cached;
  const request = { title: "OpenSSL", names: NAMES, path };
  const symbols: OpensslSymbols = loadLibrary(OPENSSL_SYMBOLS, request).symbols;
  // "OpenSSL 3.0.19 27 Jan 2026 (Library: …)"
  const words = readCString(symbols.OpenSSL_version(0)).split(" ");
  const version = words.slice(0, 2).join(" ");
  const library = {
    symbols,
    version,
    written: new NativeBuffer(4),
    places: { input: new BufferPlaces(), output: new BufferPlaces() },
  };
  loaded.set(path ?? "", library);
  return library;
}

/**
 * Turns a failed call into an error with OpenSSL's own reason.
 *
 * @param library The library that failed.
 * @param action What could not be done, such as `set the key`.
 * @returns The error to throw.
 */
export function opensslError(
  library: OpensslLibrary,
  action: string,
): CipherError {
  const { symbols } = library;
  const code = symbols.ERR_get_error();
  const reason = code === 0
    ? ""
    : readCString(symbols.ERR_reason_error_string(BigInt(code)));
  symbols.ERR_clear_error();
  const detail = reason === "" ? "no reason given" : reason;
  return new CipherError(
    "library_failure",
    `Cannot ${action}: ${library.version} refused: ${detail}`,
  );
}
