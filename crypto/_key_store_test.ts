/**
 * Tests of the store of keys.
 *
 * @module
 */

import { assertEquals, assertNotEquals } from "@std/assert";
import { KeyStore } from "./_key_store.ts";

Deno.test("KeyStore.bytes() keeps very many keys apart", () => {
  using store = new KeyStore(16);
  const slots = Array.from({ length: 200 }, () => store.reserve());
  assertEquals(new Set(slots).size, 200);
  for (const [i, slot] of slots.entries()) store.bytes(slot).fill(i + 1);
  for (const [i, slot] of slots.entries()) {
    assertEquals(store.bytes(slot), new Uint8Array(16).fill(i + 1));
  }
});

Deno.test("KeyStore.release() wipes the key before its slot is used again", () => {
  using store = new KeyStore(32);
  const kept = store.reserve();
  store.bytes(kept).fill(7);
  const slot = store.reserve();
  const bytes = store.bytes(slot);
  bytes.fill(9);
  store.release(slot);
  assertEquals(bytes, new Uint8Array(32));
  assertEquals(store.reserve(), slot);
  assertNotEquals(store.reserve(), slot);
  assertEquals(store.bytes(kept), new Uint8Array(32).fill(7));
});

Deno.test("KeyStore[Symbol.dispose]() wipes every key", () => {
  const store = new KeyStore(8);
  const bytes = store.bytes(store.reserve());
  bytes.fill(1);
  store[Symbol.dispose]();
  assertEquals(bytes, new Uint8Array(8));
});
