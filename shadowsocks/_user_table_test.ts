/**
 * Tests of the order in which keys are tried, with keys that are numbers.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type { ClassicPort } from "./_classic_port.ts";
import { type KeyTrial, type PortUser, UserTable } from "./_user_table.ts";

/** A table of users whose keys nobody looks at. */
function tableOf(count: number): UserTable {
  return new UserTable(
    Array.from({ length: count }, () => ({}) as unknown as ClassicPort),
  );
}

/** Opens with the key of one user, and notes who was tried. */
class Trial implements KeyTrial {
  readonly tried: number[] = [];
  readonly #index: number;
  readonly #limit: number;

  constructor(index: number, limit = Infinity) {
    this.#index = index;
    this.#limit = limit;
  }

  opens({ index }: PortUser): boolean {
    this.tried.push(index);
    return index === this.#index;
  }

  limit(): number {
    return this.#limit;
  }
}

/** Who is tried until the key of a user is found, which is then remembered. */
function tried(table: UserTable, index: number, from?: string): number[] {
  const trial = new Trial(index);
  const found = table.find(trial, from);
  assertEquals(found?.index, index < table.users.length ? index : undefined);
  if (found !== undefined) table.learn(found, from);
  return trial.tried;
}

/** Who is tried for a stranger: everybody, in the order of now. */
function order(table: UserTable, from?: string): number[] {
  return tried(table, table.users.length, from);
}

Deno.test("UserTable.find() begins in the order of the configuration", () => {
  const table = tableOf(4);
  assertEquals(order(table), [0, 1, 2, 3]);
  assertEquals(order(table, "192.0.2.1"), [0, 1, 2, 3]);
  assertEquals(tried(table, 2), [0, 1, 2]);
});

Deno.test("UserTable.find() tries who was used last before others", () => {
  const table = tableOf(5);
  for (
    const [index, expected] of [
      [3, [3, 0, 1, 2, 4]],
      [1, [1, 3, 0, 2, 4]],
      [4, [4, 1, 3, 0, 2]],
      [4, [4, 1, 3, 0, 2]],
      [3, [3, 4, 1, 0, 2]],
      [0, [0, 3, 4, 1, 2]],
    ] as const
  ) {
    tried(table, index);
    assertEquals(order(table), expected);
  }
});

Deno.test("UserTable.find() tries the keys used from an address first, each once", () => {
  const table = tableOf(6);
  tried(table, 5, "192.0.2.1");
  tried(table, 4, "192.0.2.1");
  for (const index of [0, 1, 2]) tried(table, index, "192.0.2.2");
  assertEquals(tried(table, 4, "192.0.2.1"), [4]);
  assertEquals(tried(table, 5, "192.0.2.1"), [4, 5]);
  assertEquals(tried(table, 5, "192.0.2.1"), [5]);
  assertEquals(order(table, "192.0.2.1"), [5, 4, 2, 1, 0, 3]);
  assertEquals(order(table, "192.0.2.2"), [2, 1, 0, 5, 4, 3]);
  assertEquals(order(table, "192.0.2.3"), [5, 4, 2, 1, 0, 3]);
});

Deno.test("UserTable.learn() remembers eight keys of an address", () => {
  const table = tableOf(12);
  for (let index = 0; index < 10; index++) tried(table, index, "192.0.2.1");
  tried(table, 11, "192.0.2.2");
  assertEquals(
    order(table, "192.0.2.1"),
    [9, 8, 7, 6, 5, 4, 3, 2, 11, 1, 0, 10],
  );
});

Deno.test("UserTable.find() learns nothing from strangers", () => {
  const table = tableOf(3);
  tried(table, 2, "192.0.2.1");
  tried(table, 1, "192.0.2.2");
  for (let n = 0; n < 10_000; n++) order(table, `stranger ${n}`);
  assertEquals(tried(table, 2, "192.0.2.1"), [2]);
});

Deno.test("UserTable.find() alone changes nothing", () => {
  const table = tableOf(4);
  tried(table, 3, "192.0.2.1");
  tried(table, 2, "192.0.2.1");
  for (let n = 0; n < 10_000; n++) table.find(new Trial(1), `address ${n}`);
  table.find(new Trial(3), "192.0.2.1");
  assertEquals(order(table, "192.0.2.1"), [2, 3, 0, 1]);
  assertEquals(order(table), [2, 3, 0, 1]);
});

Deno.test("UserTable.learn() forgets the address that was used longest ago", () => {
  const table = tableOf(2);
  tried(table, 1, "kept");
  tried(table, 1, "forgotten");
  for (let n = 0; n < 4096; n++) {
    tried(table, 0, `address ${n}`);
    if (n % 1000 === 0) assertEquals(tried(table, 1, "kept"), [1]);
    tried(table, 0);
  }
  assertEquals(tried(table, 1, "kept"), [1]);
  tried(table, 0);
  assertEquals(tried(table, 1, "forgotten"), [0, 1]);
});

Deno.test("UserTable.find() stops at the limit of its trial", () => {
  const table = tableOf(9);
  tried(table, 7, "192.0.2.1");
  tried(table, 8);
  const trial = new Trial(99, 3);
  assertEquals(table.find(trial, "192.0.2.1"), undefined);
  assertEquals(trial.tried, [7, 8, 0, 1]);
});
