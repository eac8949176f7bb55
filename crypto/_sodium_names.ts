/**
 * Where libsodium is looked for.
 *
 * @module
 */

import type { LibraryNames } from "./_ffi.ts";

/** File names in order of preference. */
export const SODIUM_NAMES: LibraryNames = {
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
