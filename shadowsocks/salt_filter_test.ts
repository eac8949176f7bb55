/**
 * Tests of the memory of salts.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { SaltFilter } from "./salt_filter.ts";
import { seededBytes } from "../tests/support/bytes.ts";

/** A salt that tells its number, spread as random bytes are. */
function salt(n: number, length = 16): Uint8Array {
  const bytes = seededBytes(length, n);
  new DataView(bytes.buffer).setUint32(0, n);
  return bytes;
}

Deno.test("SaltFilter.add() takes each salt once", () => {
  const filter = new SaltFilter();
  for (let n = 0; n < 20_000; n++) assert(filter.add(salt(n)), `${n}`);
  for (let n = 0; n < 20_000; n++) assert(!filter.add(salt(n)), `${n}`);
});

Deno.test("SaltFilter.add() tells salts apart that share their first bytes", () => {
  const filter = new SaltFilter();
  const one = new Uint8Array(32);
  const other = one.slice();
  other[6] = 0x10;
  assert(filter.add(one));
  assert(filter.add(other));
  assert(!filter.add(one));
});

Deno.test("SaltFilter.add() remembers the last generation, and no more than two", () => {
  const filter = new SaltFilter({ capacity: 1000 });
  for (let n = 0; n < 2500; n++) filter.add(salt(n));
  for (let n = 1000; n < 2500; n++) {
    assertEquals(filter.add(salt(n)), false, `${n}`);
  }
  assertEquals(filter.add(salt(0)), true);
});

Deno.test("SaltFilter.add() keeps no salt that is too short", () => {
  const filter = new SaltFilter();
  assert(filter.add(new Uint8Array(0)));
  assert(filter.add(new Uint8Array(0)));
});

Deno.test("SaltFilter.add() refuses no fresh salt of a million", () => {
  const filter = new SaltFilter();
  const pool = new Uint8Array(1 << 16);
  let refused = 0;
  for (let n = 0; n < 1_000_000; n++) {
    const at = n % 4096 * 16;
    if (at === 0) crypto.getRandomValues(pool);
    if (!filter.add(pool.subarray(at, at + 16))) refused++;
  }
  assertEquals(refused, 0);
});
