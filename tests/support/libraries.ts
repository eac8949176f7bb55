/**
 * Which native libraries this machine has, seen without the product.
 *
 * @module
 */

/** Names of each library on the systems that the product runs on. */
const NAMES: Readonly<Record<"openssl" | "sodium", readonly string[]>> = {
  openssl: [
    "libcrypto.so.3",
    "libcrypto.so.1.1",
    "libcrypto.3.dylib",
    "libcrypto-3-x64.dll",
    "libcrypto-3-arm64.dll",
  ],
  sodium: [
    "libsodium.so.23",
    "libsodium.so.26",
    "libsodium.23.dylib",
    "libsodium.26.dylib",
    "libsodium.dll",
  ],
};

/**
 * Tells whether a library can be loaded by its name.
 *
 * @param library Which.
 * @returns True if one of its names loads.
 */
export function hasLibrary(library: "openssl" | "sodium"): boolean {
  return NAMES[library].some((name) => {
    try {
      Deno.dlopen(name, {}).close();
      return true;
    } catch {
      return false;
    }
  });
}
