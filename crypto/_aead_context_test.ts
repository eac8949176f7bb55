/**
 * Tests of the contexts of an AEAD cipher, with a backend that only counts.
 *
 * @module
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  type AeadContext,
  type ContextOwner,
  ContextPool,
  forgetKey,
} from "./_aead_context.ts";
import { findMethod } from "./methods.ts";

const METHOD = findMethod("aes-128-gcm")!;
/** The contexts of a direction, as `_aead_context.ts` has it. */
const MOST = 64;

/** What has been asked of the backends of a pool. */
class Calls {
  made = 0;
  rekeyed = 0;
  forgotten = 0;
  disposed = 0;

  newPool(encrypt = true): ContextPool {
    return new ContextPool(METHOD, () => {
      this.made++;
      return {
        seal: () => {},
        open: () => true,
        rekey: () => void this.rekeyed++,
        forget: () => void this.forgotten++,
        [Symbol.dispose]: () => void this.disposed++,
      };
    }, encrypt);
  }
}

class Owner implements ContextOwner {
  readonly bytes: Uint8Array;
  sealer: AeadContext | undefined;
  opener: AeadContext | undefined;

  constructor(byte: number) {
    this.bytes = new Uint8Array(16).fill(byte);
  }
}

function keyOf(context: AeadContext): Uint8Array {
  return context.memory.key.bytes;
}

Deno.test("ContextPool.take() puts the key in and makes no more contexts than it may", () => {
  const calls = new Calls();
  using pool = calls.newPool();
  const owners = Array.from({ length: MOST + 2 }, (_, i) => new Owner(i));
  for (const owner of owners) {
    owner.sealer = pool.take(owner);
    assertEquals(keyOf(owner.sealer), owner.bytes);
  }
  assertEquals(calls.made, MOST);
  assertEquals(calls.rekeyed, MOST + 2);
  // The two longest in use have lost theirs.
  const without = owners.filter(({ sealer }) => sealer === undefined);
  assertEquals(without, owners.slice(0, 2));
  assertEquals(new Set(owners.map(({ sealer }) => sealer)).size, MOST + 1);
});

Deno.test("ContextPool.giveBack() wipes the key and lets another one have the context", () => {
  const calls = new Calls();
  using pool = calls.newPool(false);
  const owner = new Owner(7);
  const context = owner.opener = pool.take(owner);
  pool.giveBack(context);
  assertEquals(owner.opener, undefined);
  assertEquals(keyOf(context), new Uint8Array(16));
  assertEquals(calls.forgotten, 1);
  assert(pool.take(new Owner(8)) === context);
});

Deno.test("forgetKey() wipes the key of the single context", () => {
  const calls = new Calls();
  using pool = calls.newPool();
  const { single } = pool;
  assert(pool.single === single);
  assert(pool.take(new Owner(1)) !== single);
  keyOf(single).fill(9);
  forgetKey(single);
  assertEquals(keyOf(single), new Uint8Array(16));
  assertEquals(calls.forgotten, 1);
});

Deno.test("ContextPool[Symbol.dispose]() wipes and frees every context, and gives no more", () => {
  const calls = new Calls();
  const pool = calls.newPool();
  const owner = new Owner(5);
  const context = owner.sealer = pool.take(owner);
  keyOf(pool.single).fill(6);
  const { single } = pool;
  pool[Symbol.dispose]();
  assertEquals(owner.sealer, undefined);
  for (const { memory } of [context, single]) {
    assertEquals(memory.key.bytes, new Uint8Array(16));
  }
  assertEquals(calls.disposed, calls.made);
  assertThrows(() => pool.take(owner), TypeError, "disposed");
  assertThrows(() => pool.single, TypeError, "disposed");
  pool.giveBack(context);
});
