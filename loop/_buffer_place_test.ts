/**
 * Tests of the places of buffers.
 *
 * @module
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { BufferPlace } from "./_buffer_place.ts";

Deno.test("BufferPlace.fixes() accepts long buffers only", () => {
  const place = new BufferPlace();
  assert(place.fixes(new Uint8Array(4096), 0, 4096));
  assert(place.fixes(new Uint8Array(4096), 10, 10));
  assert(!place.fixes(new Uint8Array(4095), 0, 4095));
});

Deno.test("BufferPlace.fixes() throws when the part is not inside", () => {
  const place = new BufferPlace();
  const bytes = new Uint8Array(5000);
  for (
    const [start, end] of [[-1, 5], [5, 4], [0, 5001], [NaN, 5], [0, NaN]]
  ) {
    assertThrows(() => place.fixes(bytes, start!, end!), RangeError);
  }
});

Deno.test("BufferPlace.at() gives the address of a byte of the buffer asked for", () => {
  const place = new BufferPlace();
  const address = (bytes: Uint8Array<ArrayBuffer>, at: number): bigint =>
    BigInt(
      Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes.subarray(at))),
    );
  const first = new Uint8Array(8192);
  const second = new Uint8Array(8192);
  const inner = first.subarray(100);
  for (const bytes of [first, second, inner, first, first]) {
    assertEquals(place.at(bytes, 17), address(bytes, 17));
    assertEquals(place.at(bytes, 0), address(bytes, 0));
  }
});
