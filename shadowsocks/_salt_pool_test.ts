/**
 * Tests of the stock of salts.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { SaltPool } from "./_salt_pool.ts";
import { toHex } from "../tests/support/bytes.ts";

Deno.test("SaltPool.take() never gives a salt twice", () => {
  for (const length of [16, 24, 32]) {
    const pool = new SaltPool(length);
    const seen = new Set<string>();
    const salt = new Uint8Array(length);
    for (let i = 0; i < 10_000; i++) {
      pool.take(salt);
      seen.add(toHex(salt));
    }
    assertEquals(seen.size, 10_000);
  }
});

Deno.test("SaltPool.take() uses every random byte once", () => {
  // The generator counts, so that every salt must go on where the last ended.
  let next = 0;
  const genuine = crypto.getRandomValues;
  crypto.getRandomValues = (array) => {
    const bytes = array as unknown as Uint8Array;
    for (let i = 0; i < bytes.length; i++) bytes[i] = next++;
    return array;
  };
  try {
    for (const length of [8, 12, 16, 24, 32]) {
      next = 0;
      const pool = new SaltPool(length);
      const salt = new Uint8Array(length);
      for (let i = 0; i < 1000; i++) {
        pool.take(salt);
        const expected = Uint8Array.from(salt, (_, at) => i * length + at);
        assertEquals(salt, expected);
      }
    }
  } finally {
    crypto.getRandomValues = genuine;
  }
});

Deno.test("SaltPool.draw() leaves the salts drawn before as they are", () => {
  const pool = new SaltPool(32);
  const drawn = Array.from({ length: 1000 }, () => pool.draw());
  const copies = drawn.map((salt) => salt.slice());
  for (let i = 0; i < 1000; i++) pool.take(new Uint8Array(32));
  assertEquals(drawn, copies);
  assertEquals(new Set(drawn.map(toHex)).size, 1000);
});

Deno.test("SaltPool.take() writes nothing where there is no salt", () => {
  const out = new Uint8Array([1, 2]);
  new SaltPool(0).take(out);
  assertEquals(out, new Uint8Array([1, 2]));
});

Deno.test("SaltPool.draw() marks what it draws from a stock", () => {
  const stock = new SaltPool(16);
  const marker = (byte: number) => ({
    mark: (salt: Uint8Array) => void salt.fill(byte, 12),
  });
  const pools = [1, 2].map((byte) => new SaltPool(16, marker(byte), stock));
  const seen = new Set<string>();
  for (let n = 0; n < 1000; n++) {
    const salt = pools[n % 2]!.draw();
    assertEquals(salt.subarray(12), new Uint8Array(4).fill(1 + n % 2));
    seen.add(toHex(salt.subarray(0, 12)));
    const copy = new Uint8Array(16);
    pools[n % 2]!.take(copy);
    seen.add(toHex(copy.subarray(0, 12)));
  }
  assertEquals(seen.size, 2000);
});
