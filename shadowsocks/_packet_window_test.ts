/**
 * Tests of the window of packet numbers.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { PacketWindow, WINDOW } from "./_packet_window.ts";
import { randomOf } from "../tests/support/bytes.ts";

const LARGEST = Number.MAX_SAFE_INTEGER;

Deno.test("PacketWindow takes as much as the 2022 edition asks for", () => {
  assert(WINDOW >= 1024);
});

Deno.test("PacketWindow.add() takes every number once, in any order", () => {
  const window = new PacketWindow();
  for (const id of [5, 3, 4, 0, 2, 1, 1000, 999, 2000, 1500]) {
    assert(!window.has(id), `${id}`);
    assert(window.add(id), `${id}`);
    assert(window.has(id), `${id}`);
    assert(!window.add(id), `${id}`);
  }
});

Deno.test("PacketWindow.add() refuses what is too old to tell", () => {
  for (const last of [0, 31, 32, 5000, 2 ** 32, LARGEST]) {
    const window = new PacketWindow();
    assert(window.add(last));
    for (let behind = 1; behind < WINDOW && last - behind >= 0; behind++) {
      assert(window.add(last - behind), `${last} - ${behind}`);
    }
    for (const behind of [WINDOW, WINDOW + 1, WINDOW + 64, last]) {
      if (behind > last) continue;
      assert(!window.add(last - behind), `${last} - ${behind}`);
    }
  }
});

Deno.test("PacketWindow.add() agrees with a set of numbers", () => {
  const random = randomOf(1);
  for (const step of [3, 50, 3000, 100_000]) {
    const window = new PacketWindow();
    const known = new Set<number>();
    let last = -1;
    for (let i = 0; i < 5000; i++) {
      const id = Math.max(0, last + random(step) - random(WINDOW + 500));
      const isFresh = !known.has(id) && (id > last || last - id < WINDOW);
      assertEquals(window.add(id), isFresh, `${id} after ${last}`);
      known.add(id);
      last = Math.max(last, id);
    }
  }
});
