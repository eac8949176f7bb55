/**
 * Tests of the table of associations, with those that have no sockets.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type { UDPAssociation } from "./udp_association.ts";
import { UDPAssociations } from "./udp_associations.ts";

/** A table, and what has fallen out of it. */
class Fixture {
  now = 0;
  readonly closed: string[] = [];
  readonly table: UDPAssociations;

  constructor(maxSize: number) {
    this.table = new UDPAssociations({
      maxSize,
      timeout: 10,
      now: () => this.now,
      closeCallback: ({ key }) => this.closed.push(key),
    });
  }

  add(...keys: readonly string[]): void {
    for (const key of keys) this.table.add(made(key));
  }
}

/** One of the user whom the letter names. */
function made(key: string): UDPAssociation {
  const session = { user: key[0] === "-" ? "" : key[0]! };
  return { key, session } as unknown as UDPAssociation;
}

Deno.test("UDPAssociations.add() ends the one idle for longest of who has most", () => {
  const fixture = new Fixture(4);
  fixture.add("a1", "b1", "b2", "c1");
  assertEquals([fixture.table.isFull, fixture.closed], [true, []]);
  fixture.add("c2");
  assertEquals(fixture.closed, ["b1"]);
  fixture.now++;
  fixture.table.get("c1");
  fixture.add("c3", "c4", "c5");
  assertEquals(fixture.closed, ["b1", "c2", "c1", "c3"]);
  assertEquals(
    [...fixture.table.values()].map(({ key }) => key),
    ["a1", "b2", "c4", "c5"],
  );
});

Deno.test("UDPAssociations.add() ends the one idle for longest of all where there are no users", () => {
  const fixture = new Fixture(2);
  fixture.add("-1", "-2");
  fixture.now++;
  fixture.table.get("-1");
  fixture.add("-3");
  assertEquals(fixture.closed, ["-2"]);
});

Deno.test("UDPAssociations.dropOne() spares the one that asks", () => {
  const fixture = new Fixture(4);
  const own = made("b1");
  fixture.add("a1");
  fixture.table.add(own);
  assertEquals(fixture.table.dropOne(own), true);
  assertEquals(fixture.closed, ["a1"]);
  assertEquals(fixture.table.dropOne(own), false);
  assertEquals(fixture.table.dropOne(), true);
  assertEquals(fixture.table.dropOne(), false);
  assertEquals(fixture.table.size, 0);
});

Deno.test("UDPAssociations forgets what is over when it counts", () => {
  const fixture = new Fixture(3);
  fixture.add("a1", "a2", "b1");
  fixture.now += 5;
  fixture.table.get("b1");
  fixture.now += 5;
  fixture.table.sweep();
  assertEquals(fixture.closed, ["a1", "a2"]);
  fixture.add("a3", "b2", "a4");
  assertEquals(fixture.closed, ["a1", "a2", "b1"]);
  fixture.table.clear();
  fixture.add("c1", "d1", "d2", "c2");
  assertEquals(fixture.closed.slice(-1), ["d1"]);
});
