/**
 * Tests of the table of descriptors.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { FdTable } from "./fd_table.ts";

for (const first of [0, 65_530, 1_000_000]) {
  Deno.test(`FdTable is a map of descriptors from ${first} on`, () => {
    const table = new FdTable<string>();
    const expected = new Map<number, string>();
    let seed = 1;
    const random = (limit: number): number => {
      seed = (seed * 48_271) % 0x7fff_ffff;
      return seed % limit;
    };
    for (let i = 0; i < 2000; i++) {
      const fd = first + random(20);
      if (random(3) === 0) {
        assertEquals(table.delete(fd), expected.delete(fd));
      } else {
        table.set(fd, `value ${i}`);
        expected.set(fd, `value ${i}`);
      }
      assertEquals(table.size, expected.size);
      assertEquals(table.get(fd), expected.get(fd));
    }
    const fds = [...expected.keys()].sort((a, b) => a - b);
    assertEquals([...table.keys()].sort((a, b) => a - b), fds);
    assertEquals(new Set(table.values()), new Set(expected.values()));
  });
}

Deno.test("FdTable.get() knows nothing of descriptors never set", () => {
  const table = new FdTable<string>();
  for (const fd of [-1, 0, 5, 65_535, 65_536]) {
    assertEquals(table.get(fd), undefined);
    assertEquals(table.delete(fd), false);
  }
  assertEquals(table.size, 0);
});
