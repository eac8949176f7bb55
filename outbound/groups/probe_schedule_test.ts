/**
 * Tests of the schedule of probes.
 *
 * @module
 */

import { assert, assertEquals, assertGreater } from "@std/assert";
import { GroupFixture, type Leaves } from "./_group_fixture.ts";

/** Many servers in one group that is probed every 10 s. */
function many(count: number, atOnce?: number): Promise<GroupFixture> {
  const names = Array.from({ length: count }, (_, i) => `s${i}`);
  const leaves: Leaves = Object.fromEntries(names.map((name) => [name, {}]));
  return GroupFixture.of(
    [{ name: "g", strategy: "latency", members: names }],
    leaves,
    atOnce,
  );
}

Deno.test("ProbeSchedule.start() probes each server at its interval when all is well", async () => {
  using fixture = await many(3);
  fixture.timing.advance(60_000);
  assertEquals(fixture.prober.probes.length, 0);
  fixture.groups.start();
  fixture.groups.start();
  fixture.timing.advance(1100);
  for (const name of ["s0", "s1", "s2"]) {
    assertEquals(fixture.prober.countOf(name), 1);
  }
  fixture.timing.advance(110_000);
  for (const name of ["s0", "s1", "s2"]) {
    const count = fixture.prober.countOf(name);
    assert(count >= 10 && count <= 12, `${count}`);
  }
});

Deno.test("ProbeSchedule.start() spreads the probes when there are many servers", async () => {
  using fixture = await many(60);
  fixture.groups.start();
  fixture.timing.advance(100_000);
  const moments = new Map<number, number>();
  for (const { at } of fixture.prober.probes) {
    moments.set(at, (moments.get(at) ?? 0) + 1);
  }
  assertGreater(fixture.prober.probes.length, 500);
  // At the start 60 share a second of 20 steps.
  assert(Math.max(...moments.values()) <= 8);
  // Those that met once part again.
  const times = fixture.prober.probes.filter(({ name }) => name === "s0");
  const gaps = times.slice(1).map(({ at }, i) => at - times[i]!.at);
  assertGreater(new Set(gaps).size, 3);
  for (const gap of gaps) assert(gap >= 10_000 && gap <= 11_100, `${gap}`);
});

Deno.test("ProbeSchedule.start() keeps a limit when probes take long", async () => {
  using fixture = await many(40, 3);
  for (let i = 0; i < 40; i++) {
    fixture.prober.servers.set(`s${i}`, "wrong password");
  }
  fixture.groups.start();
  fixture.timing.advance(70_000);
  assertEquals(fixture.prober.most, 3);
  for (let i = 0; i < 40; i++) assert(fixture.prober.countOf(`s${i}`) > 0);
});

Deno.test("ProbeSchedule.start() survives when very many probes fail at once", async () => {
  using fixture = await many(3000);
  for (let i = 0; i < 3000; i++) fixture.prober.servers.set(`s${i}`, "at once");
  fixture.groups.start();
  fixture.timing.advance(1100);
  assertEquals(fixture.prober.countOf("s0"), 1);
});

Deno.test("ProbeSchedule.start() probes a server soon when it was left", async () => {
  using fixture = await many(2);
  fixture.groups.start();
  fixture.timing.advance(2000);
  assertEquals(fixture.prober.countOf("s0"), 1);
  fixture.fail("s0");
  fixture.timing.advance(1200);
  assertEquals(fixture.prober.countOf("s0"), 2);
  assertEquals(fixture.prober.countOf("s1"), 1);
  assert(fixture.groups.watched.get("s0")!.health.isUp);
});

Deno.test("ProbeSchedule.stop() leaves nothing when probes are under way", async () => {
  using fixture = await many(20, 4);
  for (let i = 0; i < 20; i++) {
    fixture.prober.servers.set(`s${i}`, "wrong password");
  }
  fixture.groups.start();
  fixture.timing.advance(1000);
  assertEquals(fixture.prober.running, 4);
  fixture.groups.stop();
  fixture.groups.stop();
  assertEquals(fixture.prober.running, 0);
  assertEquals(fixture.timing.pending, 0);
  const before = fixture.prober.probes.length;
  fixture.fail("s0");
  fixture.timing.advance(100_000);
  assertEquals(fixture.prober.probes.length, before);
  fixture.groups.start();
  fixture.timing.advance(1000);
  assertGreater(fixture.prober.probes.length, before);
});
