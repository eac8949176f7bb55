/**
 * The cache that closes what it forgets.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { LRUCache } from "./lru_cache.ts";

Deno.test("LRUCache closes the least recently used entry when it is full", () => {
  const { cache, closed, wait } = newCache(2);
  cache.set("a", "A");
  cache.set("b", "B");
  wait(1);
  assertEquals(cache.get("a"), "A");
  cache.set("c", "C");
  assertEquals(closed, ["B"]);
  assertEquals([...cache.values()], ["A", "C"]);
  assertEquals(cache.get("b"), undefined);
});

Deno.test("LRUCache.set() closes the entry that it replaces", () => {
  const { cache, closed } = newCache(2);
  cache.set("a", "A");
  cache.set("b", "B");
  cache.set("a", "A2");
  assertEquals(closed, ["A"]);
  assertEquals(cache.size, 2);
});

Deno.test("LRUCache.sweep() closes what was not used for the timeout", () => {
  const { cache, closed, wait } = newCache(9);
  cache.set("a", "A");
  cache.set("b", "B");
  wait(9);
  cache.get("a");
  cache.sweep();
  assertEquals(closed, []);
  wait(1);
  cache.sweep();
  assertEquals(closed, ["B"]);
  wait(9);
  cache.sweep();
  assertEquals(closed, ["B", "A"]);
  assertEquals(cache.size, 0);
});

Deno.test("LRUCache.delete() closes an entry once", () => {
  const { cache, closed } = newCache(9);
  cache.set("a", "A");
  cache.delete("a");
  cache.delete("a");
  assertEquals(closed, ["A"]);
});

Deno.test("LRUCache.dropOldest() tells whether there was an entry", () => {
  const { cache, closed } = newCache(9);
  assertEquals(cache.dropOldest(), false);
  cache.set("a", "A");
  cache.set("b", "B");
  assertEquals(cache.dropOldest(), true);
  assertEquals(closed, ["A"]);
});

Deno.test("LRUCache.clear() closes everything, also what a callback deletes", () => {
  const closed: string[] = [];
  const cache: LRUCache<string, string> = new LRUCache({
    maxSize: 9,
    timeout: 9,
    now: () => 0,
    closeCallback: (value) => {
      closed.push(value);
      cache.delete("b");
    },
  });
  for (const key of ["a", "b", "c"]) cache.set(key, key);
  cache.clear();
  assertEquals(closed.sort(), ["a", "b", "c"]);
  assertEquals(cache.size, 0);
});

function newCache(maxSize: number): {
  readonly cache: LRUCache<string, string>;
  readonly closed: string[];
  readonly wait: (seconds: number) => void;
} {
  const closed: string[] = [];
  let now = 100;
  const cache = new LRUCache<string, string>({
    maxSize,
    timeout: 10,
    now: () => now,
    closeCallback: (value) => closed.push(value),
  });
  return { cache, closed, wait: (seconds) => now += seconds };
}
