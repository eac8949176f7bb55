/**
 * Tests of what is made of descriptions of groups.
 *
 * @module
 */

import { assertEquals, assertRejects } from "@std/assert";
import { GroupFixture } from "./_group_fixture.ts";
import { loadSites } from "./site.ts";
import { STRATEGY_NAMES } from "./strategy.ts";

Deno.test("buildGroups() makes every strategy when it is named", async () => {
  using fixture = await GroupFixture.of(
    STRATEGY_NAMES.map((strategy) => ({
      name: strategy,
      strategy,
      members: ["a"],
    })),
    { a: {} },
  );
  for (const name of STRATEGY_NAMES) {
    assertEquals(fixture.groups.groups.get(name)?.strategy, name);
    assertEquals(fixture.pick(name), "a");
  }
  assertEquals([...fixture.groups.groups.keys()], [...STRATEGY_NAMES]);
});

Deno.test("buildGroups() shares the health of a server when two groups have it", async () => {
  using fixture = await GroupFixture.of([
    { name: "one", strategy: "failover", members: ["a", "b"] },
    { name: "two", strategy: "failover", members: ["a", "b"] },
  ], { a: {}, b: {} });
  fixture.fail("a");
  assertEquals(fixture.pick("one"), "b");
  assertEquals(fixture.pick("two"), "b");
});

Deno.test("buildGroups() probes as often as the most eager group when several have a server", async () => {
  using fixture = await GroupFixture.of([
    {
      name: "slow",
      strategy: "random",
      members: ["a", "b"],
      probeInterval: 100,
    },
    { name: "never", strategy: "random", members: ["c"], probeInterval: 0 },
    { name: "nor", strategy: "random", members: ["d"], probeUrl: undefined },
    {
      name: "fast",
      strategy: "random",
      members: ["in", "x"],
      probeInterval: 5,
    },
    { name: "in", strategy: "random", members: ["a", "u"], probeInterval: 0 },
  ], { a: {}, b: {}, c: {}, d: {}, u: { tcp: 0 }, x: { kind: "block" } });
  fixture.groups.start();
  fixture.timing.advance(50_000);
  assertEquals(fixture.prober.countOf("a") >= 9, true);
  assertEquals(fixture.prober.countOf("b"), 1);
  for (const name of ["c", "d", "u", "x"]) {
    assertEquals(fixture.prober.countOf(name), 0);
  }
});

Deno.test("buildGroups() refuses when a member is unknown or a group within itself", async () => {
  await assertRejects(
    () =>
      GroupFixture.of([
        { name: "g", strategy: "random", members: ["gone"] },
      ], {}),
    Error,
    'Cannot build group "g": no member "gone"',
  );
  await assertRejects(
    () =>
      GroupFixture.of([
        { name: "g", strategy: "random", members: ["h"] },
        { name: "h", strategy: "random", members: ["g"] },
      ], {}),
    Error,
    'Cannot build group "g": it is within itself: g > h > g',
  );
});

Deno.test("loadSites() names the registrable part when there is one", async () => {
  const siteOf = await loadSites();
  for (
    const [host, site] of [
      ["www.example.com", "example.com"],
      ["example.com", "example.com"],
      ["WWW.Example.COM.", "example.com"],
      ["a.b.example.co.uk", "example.co.uk"],
      ["x.y.github.io", "y.github.io"],
      ["localhost", "localhost"],
      ["co.uk", "co.uk"],
      ["", ""],
    ] as const
  ) assertEquals(siteOf(host), site);
});
