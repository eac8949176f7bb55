/**
 * Tests of the way to V8's collector.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { findCollector } from "./_collector.ts";

Deno.test("findCollector() finds one that collects, if it finds any", async () => {
  const collect = findCollector();
  const garbage = new WeakRef({});
  // A new WeakRef holds its target to the end of the turn.
  await new Promise((resolve) => setTimeout(resolve, 0));
  collect?.();
  assertEquals(garbage.deref() === undefined, collect !== undefined);
});
