/**
 * What both bindings of libsodium need: where it is looked for, what its
 * answers mean, and memory as it wants it.
 *
 * @module
 */

import type { LibraryNames } from "./_ffi.ts";
import { CipherError } from "./errors.ts";

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

/**
 * Turns an answer into an error.
 *
 * @param action What was to be done, such as `seal`.
 * @param code The answer; 0 is success.
 * @throws {CipherError} `library_failure`, for any other.
 */
export function checkSodium(action: string, code: number): void {
  if (code === 0) return;
  throw new CipherError(
    "library_failure",
    `Cannot ${action} with libsodium: it answered ${code}`,
  );
}

/**
 * Memory at an address that is a multiple of a number.
 *
 * @param length Bytes of it.
 * @param alignment The number.
 * @returns Memory that does not move.
 */
export function alignedBytes(
  length: number,
  alignment: number,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(new ArrayBuffer(length + alignment));
  const address = Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes));
  const rest = Number(BigInt(address) % BigInt(alignment));
  const start = rest === 0 ? 0 : alignment - rest;
  return bytes.subarray(start, start + length);
}
