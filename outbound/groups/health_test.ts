/**
 * Tests of health: when a server is left, and when it is used again.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { FakeTiming, GroupFixture } from "./_group_fixture.ts";
import { Health } from "./health.ts";
import { DOUBTED, DOWN, HEALTHY } from "./member.ts";

const REFUSED = { status: "server_failed", code: "ECONNREFUSED" } as const;
const LOST = { ok: false, code: "timeout" } as const;
const WORDLESS = { ok: false, code: "timeout", reached: true } as const;
const UNREACHED = { ok: false, code: "EHOSTUNREACH", reached: false } as const;

/** A server that is probed every 10 s. */
function probed(): { health: Health; timing: FakeTiming } {
  const timing = new FakeTiming();
  const health = new Health("a", timing);
  health.setProbing(10_000);
  return { health, timing };
}

Deno.test("Health.level is DOWN when a session could not connect", () => {
  const { health } = probed();
  assertEquals(health.level, HEALTHY);
  health.unreached(REFUSED);
  assertEquals(health.level, DOWN);
  health.probed(UNREACHED);
  assertEquals(health.level, DOWN);
  health.probed({ ok: true, milliseconds: 5 });
  assertEquals(health.level, HEALTHY);
  health.unreached(REFUSED);
  health.reached(5);
  assertEquals(health.level, HEALTHY);
});

Deno.test("Health.level is DOUBTED when the first probe fails", () => {
  const { health } = probed();
  health.probed(WORDLESS);
  assertEquals(health.level, DOUBTED);
  // A connect proves nothing about the password.
  health.reached(5);
  assertEquals(health.level, DOUBTED);
});

Deno.test("Health.level stays HEALTHY when one probe of many is lost", () => {
  const { health } = probed();
  health.probed({ ok: true, milliseconds: 5 });
  health.probed(LOST);
  assertEquals(health.level, HEALTHY);
  assertEquals(health.nextProbeIn, 1000);
  health.probed(LOST);
  assertEquals(health.level, DOUBTED);
  assertEquals(health.nextProbeIn, 1000);
});

Deno.test("Health.level is DOUBTED when a dead server listens and does not answer", () => {
  const { health } = probed();
  health.probed({ ok: true, milliseconds: 5 });
  health.unreached(REFUSED);
  health.probed(WORDLESS);
  assertEquals(health.level, DOUBTED);
  assert(!health.isUp);
});

Deno.test("Health.nextProbeIn doubles up to the interval when the server stays away", () => {
  const { health, timing } = probed();
  health.unreached(REFUSED);
  const delays = Array.from({ length: 6 }, () => {
    const delay = health.nextProbeIn;
    timing.advance(delay);
    health.probed(UNREACHED);
    return delay;
  });
  assertEquals(delays, [1000, 2000, 4000, 8000, 10_000, 10_000]);
  health.probed({ ok: true, milliseconds: 5 });
  assertEquals(health.nextProbeIn, 10_000);
});

Deno.test("Health.nextProbeIn grows when the server flaps, and is short again after a minute", () => {
  const { health, timing } = probed();
  const delays = Array.from({ length: 4 }, () => {
    health.unreached(REFUSED);
    const delay = health.nextProbeIn;
    timing.advance(delay);
    health.probed({ ok: true, milliseconds: 5 });
    timing.advance(500);
    return delay;
  });
  assertEquals(delays, [1000, 2000, 4000, 8000]);
  timing.advance(60_000);
  health.unreached(REFUSED);
  assertEquals(health.nextProbeIn, 1000);
});

Deno.test("Health.claim() lets one session try when there are no probes", () => {
  const timing = new FakeTiming();
  const health = new Health("a", timing);
  const waits: number[] = [];
  health.unreached(REFUSED);
  for (let round = 0; round < 8; round++) {
    let waited = 0;
    for (; health.level === DOWN; waited += 500) timing.advance(500);
    waits.push(waited);
    // Those that were on their way do not count.
    health.unreached(REFUSED);
    assertEquals(health.level, HEALTHY);
    health.claim();
    assertEquals(health.level, DOWN);
    health.unreached(REFUSED);
    health.unreached(REFUSED);
    assertEquals(health.level, DOWN);
  }
  assertEquals(
    waits,
    [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000],
  );
  timing.advance(60_000);
  health.claim();
  health.reached(5);
  assertEquals(health.level, HEALTHY);
});

Deno.test("Health.claim() lets another session try when the first never ends", () => {
  const timing = new FakeTiming();
  const health = new Health("a", timing);
  health.unreached(REFUSED);
  timing.advance(1000);
  health.claim();
  assertEquals(health.level, DOWN);
  timing.advance(1000);
  assertEquals(health.level, HEALTHY);
});

Deno.test("Health.latency is the median, and worse for failures", () => {
  const { health } = probed();
  assertEquals(health.latency, undefined);
  for (const milliseconds of [10, 900, 30]) {
    health.probed({ ok: true, milliseconds });
  }
  // The time of a connect is another thing.
  health.reached(1000);
  assertEquals(health.latency, 30);
  health.probed(LOST);
  assertEquals(health.latency, 30 + 5000 / 4);
  for (let i = 0; i < 8; i++) health.probed({ ok: true, milliseconds: 40 });
  assertEquals(health.samples.length, 9);
  health.probed({ ok: true, milliseconds: 40 });
  assertEquals(health.latency, 40);
});

Deno.test("WatchedOutbound.onUnreached() says nothing about a server when there is none on the way", async () => {
  using fixture = await GroupFixture.of([
    { name: "g", strategy: "failover", members: ["direct", "a"] },
  ], { direct: { kind: "direct" }, a: {} });
  fixture.fail("direct");
  assertEquals(fixture.pick("g"), "direct");
  fixture.prober.servers.set("direct", "dead");
  fixture.groups.start();
  fixture.timing.advance(5000);
  assertEquals(fixture.pick("g"), "a");
});

Deno.test("Health logs one line a change when much happens", async () => {
  using fixture = await GroupFixture.of([
    { name: "g", strategy: "random", members: ["a", "b"] },
  ], { a: {}, b: {} });
  fixture.groups.start();
  fixture.timing.advance(5000);
  fixture.prober.servers.set("a", "dead");
  for (let i = 0; i < 50; i++) fixture.fail("a");
  fixture.timing.advance(100_000);
  fixture.prober.servers.set("a", 10);
  fixture.timing.advance(100_000);
  assertEquals(fixture.lines, [
    "server a is down: ECONNREFUSED",
    "server a is up",
  ]);
});

for (const [minutes, latency] of [[0, 5 + 5000 * 2 / 3], [2, 5]] as const) {
  Deno.test(`Health.latency counts failures of a server that is back when it was up for ${minutes} min before`, () => {
    const { health, timing } = probed();
    timing.advance(minutes * 60_000);
    for (let i = 0; i < 2; i++) health.probed(UNREACHED);
    health.probed({ ok: true, milliseconds: 5 });
    assertEquals(Math.round(health.latency ?? 0), Math.round(latency));
  });
}
