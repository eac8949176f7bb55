/**
 * Tests of what gives memory back.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { MemoryKeeper, openMemorySystem } from "./memory.ts";

const MB = 1024 * 1024;

/** A keeper of memory that the test fills; garbage is what exceeds 60 MB. */
function setUp(): {
  keeper: MemoryKeeper;
  calls: string[];
  fill: (megabytes: number) => void;
} {
  const calls: string[] = [];
  let resident = 0;
  const keeper = new MemoryKeeper({
    resident: () => resident,
    collect: () => {
      calls.push("collect");
      resident = 62 * MB;
    },
    trim: () => {
      calls.push("trim");
      resident = 60 * MB;
    },
  });
  return { keeper, calls, fill: (megabytes) => resident = megabytes * MB };
}

Deno.test("MemoryKeeper.onQuiet() collects, then trims", () => {
  const { keeper, calls, fill } = setUp();
  fill(70);
  keeper.onQuiet();
  assertEquals(calls, ["collect", "trim"]);
});

Deno.test("MemoryKeeper.onQuiet() does nothing until much has come since", () => {
  const { keeper, calls, fill } = setUp();
  fill(70);
  keeper.onQuiet();
  calls.length = 0;
  for (const megabytes of [60, 64, 67.9]) {
    fill(megabytes);
    keeper.onQuiet();
  }
  assertEquals(calls, []);
  fill(68);
  keeper.onQuiet();
  assertEquals(calls, ["collect", "trim"]);
});

Deno.test("MemoryKeeper.onQuiet() goes without what is missing", () => {
  const resident = (): number => 70 * MB;
  const keeper = new MemoryKeeper({
    resident,
    collect: undefined,
    trim: undefined,
  });
  keeper.onQuiet();
  keeper.onQuiet();
});

/** Opened once: what it binds stays bound. */
const SYSTEM = openMemorySystem();

Deno.test("openMemorySystem() offers what works", () => {
  assert(SYSTEM.resident() > MB);
  SYSTEM.collect?.();
  SYSTEM.trim?.();
  assert(SYSTEM.resident() > MB);
});
