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
  load: { sockets: number };
  calls: string[];
  fill: (megabytes: number) => void;
} {
  const calls: string[] = [];
  const load = { sockets: 0, release: () => void calls.push("release") };
  let resident = 0;
  const system = {
    resident: () => resident,
    collect: () => {
      calls.push("collect");
      resident = 62 * MB;
    },
    trim: () => {
      calls.push("trim");
      resident = 60 * MB;
    },
  };
  const keeper = new MemoryKeeper(load, system);
  return {
    keeper,
    load,
    calls,
    fill: (megabytes) => resident = megabytes * MB,
  };
}

Deno.test("MemoryKeeper.onQuiet() lets go, collects, then trims", () => {
  const { keeper, calls, fill } = setUp();
  fill(70);
  keeper.onQuiet();
  assertEquals(calls, ["release", "collect", "trim"]);
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
  assertEquals(calls, ["release", "collect", "trim"]);
});

Deno.test("MemoryKeeper.onQuiet() does not take what many sockets need for the measure of few", () => {
  const { keeper, load, calls, fill } = setUp();
  load.sockets = 400;
  fill(100);
  keeper.onQuiet();
  calls.length = 0;
  fill(64);
  for (const count of [400, 399, 201]) {
    load.sockets = count;
    keeper.onQuiet();
  }
  assertEquals(calls, []);
  load.sockets = 200;
  keeper.onQuiet();
  assertEquals(calls, ["release", "collect", "trim"]);
  // Few that go are not worth while.
  calls.length = 0;
  for (const count of [200, 150, 101]) {
    load.sockets = count;
    keeper.onQuiet();
  }
  assertEquals(calls, []);
});

Deno.test("MemoryKeeper.onQuiet() goes without what is missing", () => {
  const resident = (): number => 70 * MB;
  const keeper = new MemoryKeeper({ sockets: 0, release: () => {} }, {
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
