import { assertEquals } from "@std/assert";
import { SaltPool } from "./_salt_pool.ts";
import { toHex } from "./_testing.ts";

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
  // Bytes of one batch may repeat by chance, runs of four hardly ever.
  const pool = new SaltPool(8);
  const seen = new Set<string>();
  const salt = new Uint8Array(8);
  for (let i = 0; i < 1000; i++) {
    pool.take(salt);
    seen.add(toHex(salt.subarray(0, 4)));
    seen.add(toHex(salt.subarray(4)));
  }
  assertEquals(seen.size > 1990, true);
});

Deno.test("SaltPool.take() writes nothing where there is no salt", () => {
  const out = new Uint8Array([1, 2]);
  new SaltPool(0).take(out);
  assertEquals(out, new Uint8Array([1, 2]));
});
