/**
 * Tests of what finds and opens native libraries.
 *
 * @module
 */

import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { BufferPlaces, cString, loadLibrary, readCString } from "./_ffi.ts";
import { CipherError } from "./errors.ts";

const NAMES = {
  linux: ["libno_such_a.so", "libno_such_b.so"],
  darwin: ["libno_such_a.dylib", "libno_such_b.dylib"],
  windows: ["no_such_a.dll", "no_such_b.dll"],
};

Deno.test("loadLibrary() names every file that it tried", () => {
  const error: CipherError = assertThrows(
    () => loadLibrary({}, { title: "Nothing", names: NAMES }),
    CipherError,
    "Cannot load Nothing:",
  );
  assertEquals(error.code, "no_library");
  // Names with one reason share it.
  assertMatch(error.message, /no_such_a\.\w+, (?:lib)?no_such_b\.\w+: /);
  assertEquals(error.message.includes("Could not open"), false);
});

Deno.test("loadLibrary() tries nothing but the user's own file", () => {
  const error: CipherError = assertThrows(
    () => loadLibrary({}, { title: "Nothing", names: NAMES, path: "./mine" }),
    CipherError,
    "./mine: ",
  );
  assertEquals(error.message.includes("no_such"), false);
});

Deno.test({
  name: "loadLibrary() does not ask for permission that was not given",
  permissions: { ffi: false },
  fn(): void {
    const error: CipherError = assertThrows(
      () => loadLibrary({}, { title: "Nothing", names: NAMES }),
      CipherError,
      "not allowed",
    );
    assertEquals(error.cause instanceof Deno.errors.NotCapable, true);
  },
});

Deno.test("cString() ends in NUL", () => {
  assertEquals(cString("aé"), new Uint8Array([0x61, 0xc3, 0xa9, 0]));
});

Deno.test("readCString() takes null for the empty text", () => {
  assertEquals(readCString(null), "");
});

Deno.test("BufferPlaces.at() gives the address of a byte of any buffer", () => {
  const places = new BufferPlaces();
  const buffers = [5000, 4, 50].map((length) => new Uint8Array(length));
  const address = (bytes: Uint8Array<ArrayBuffer>, at: number): bigint =>
    BigInt(
      Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes.subarray(at))),
    );
  // Two are remembered; the third is one too many.
  for (const i of [0, 1, 0, 1, 2, 1, 2, 0, 0, 2, 1]) {
    const bytes = buffers[i]!;
    assertEquals(places.at(bytes, 0), address(bytes, 0));
    assertEquals(places.at(bytes, 3), address(bytes, 3));
  }
});
