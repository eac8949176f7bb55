/**
 * Tests of groups: each strategy over a dead, a slow and a useless server.
 *
 * @module
 */

import { assert, assertEquals, assertLess } from "@std/assert";
import { GroupFixture } from "./_group_fixture.ts";
import type { StrategyName } from "./strategy.ts";

const FOUR = { good: {}, dead: {}, slow: {}, wrong: {} };

/** A group "g" of four servers of which one is dead, one slow, one useless. */
async function mixed(strategy: StrategyName): Promise<GroupFixture> {
  const fixture = await GroupFixture.of([{
    name: "g",
    strategy,
    members: ["wrong", "dead", "slow", "good"],
    selected: "slow",
  }], FOUR);
  fixture.prober.servers.set("good", 50).set("slow", 900)
    .set("dead", "dead").set("wrong", "wrong password");
  return fixture;
}

const OVER_MIXED: readonly {
  readonly strategy: StrategyName;
  readonly expected: Record<string, [least: number, most: number]>;
}[] = [
  { strategy: "latency", expected: { good: [100, 100] } },
  { strategy: "failover", expected: { slow: [100, 100] } },
  { strategy: "round-robin", expected: { slow: [50, 50], good: [50, 50] } },
  { strategy: "random", expected: { slow: [35, 65], good: [35, 65] } },
  { strategy: "sticky", expected: { slow: [35, 65], good: [35, 65] } },
  { strategy: "select", expected: { slow: [100, 100] } },
];

for (const { strategy, expected } of OVER_MIXED) {
  Deno.test(`Group.pick() leaves a dead and a useless server when it is ${strategy}`, async () => {
    using fixture = await mixed(strategy);
    fixture.groups.start();
    fixture.timing.advance(20_000);
    const counts = fixture.spread("g", 100);
    assertEquals(Object.keys(counts).sort(), Object.keys(expected).sort());
    for (const [name, [least, most]] of Object.entries(expected)) {
      assert(
        counts[name]! >= least && counts[name]! <= most,
        `${counts[name]}`,
      );
    }
  });

  Deno.test(`Group.pick() gives every way once when it is ${strategy}`, async () => {
    using fixture = await mixed(strategy);
    fixture.groups.start();
    fixture.timing.advance(20_000);
    const tried: string[] = [];
    for (let name = fixture.pick("g"); name !== undefined;) {
      tried.push(name);
      name = fixture.pick("g", { tried });
    }
    // Only what was selected is ever picked there.
    const all = strategy === "select" ? ["slow"] : Object.keys(FOUR).sort();
    assertEquals(tried.toSorted(), all);
    if (strategy !== "select") {
      assertEquals(tried.slice(0, 2).sort(), ["good", "slow"]);
      // The useless one can at least be connected to.
      assertEquals(tried.slice(2), ["wrong", "dead"]);
    }
  });

  Deno.test(`Group.pick() leaves a server that fails at once when it is ${strategy}`, async () => {
    using fixture = await GroupFixture.of([
      { name: "g", strategy, members: ["a", "b"], probeInterval: 0 },
    ], { a: {}, b: {} });
    fixture.fail("a");
    const counts = fixture.spread("g", 20);
    assertEquals(counts, strategy === "select" ? { a: 20 } : { b: 20 });
  });

  Deno.test(`Group.pick() picks something when all are down and it is ${strategy}`, async () => {
    using fixture = await GroupFixture.of([
      { name: "g", strategy, members: ["a", "b"] },
    ], { a: {}, b: {} });
    fixture.prober.servers.set("a", "dead").set("b", "dead");
    fixture.groups.start();
    fixture.timing.advance(30_000);
    assertEquals(fixture.spread("g", 20).none, undefined);
    assertEquals(fixture.pick("g", { tried: ["a", "b"] }), undefined);
  });

  Deno.test(`Group.pick() never gives a member of weight 0 when it is ${strategy}`, async () => {
    using fixture = await GroupFixture.of([
      { name: "g", strategy, members: ["a", "b", "c"], selected: "b" },
    ], { a: { udp: 0 }, b: {}, c: { tcp: 0 } });
    const allowed = { tcp: ["a", "b"], udp: ["b", "c"] };
    for (const network of ["tcp", "udp"] as const) {
      const names = Object.keys(fixture.spread("g", 60, { network }));
      for (const name of names) assert(allowed[network].includes(name), name);
      const tried = allowed[network];
      assertEquals(fixture.pick("g", { network, tried }), undefined);
    }
  });
}

const WEIGHTED: readonly StrategyName[] = ["random", "round-robin", "sticky"];

for (const strategy of WEIGHTED) {
  Deno.test(`Group.pick() follows the weights when it is ${strategy}`, async () => {
    using fixture = await GroupFixture.of([
      { name: "g", strategy, members: ["a", "b", "c"] },
    ], {
      a: { tcp: 0.6, udp: 0.1 },
      b: { tcp: 0.3, udp: 0.1 },
      c: { tcp: 0.1, udp: 0.8 },
    });
    const count = 2000;
    const tcp = fixture.spread("g", count);
    const udp = fixture.spread("g", count, { network: "udp" });
    // Four standard deviations of a binomial distribution are below 0.045.
    const near = (value: number | undefined, share: number): void =>
      assertLess(Math.abs((value ?? 0) / count - share), 0.045);
    near(tcp.a, 0.6);
    near(tcp.b, 0.3);
    near(tcp.c, 0.1);
    near(udp.a, 0.1);
    near(udp.c, 0.8);
  });
}

Deno.test("Group.pick() spreads the turns of a heavy member when it is round-robin", async () => {
  using fixture = await GroupFixture.of([
    { name: "g", strategy: "round-robin", members: ["a", "b", "c"] },
  ], { a: { tcp: 5 }, b: {}, c: {} });
  const turns = Array.from({ length: 7 }, () => fixture.pick("g"));
  assertEquals(turns, ["a", "a", "b", "a", "c", "a", "a"]);
});

Deno.test("Group.pick() goes back to the first when it returns and it is failover", async () => {
  using fixture = await GroupFixture.of([
    { name: "g", strategy: "failover", members: ["a", "b"] },
  ], { a: {}, b: {} });
  fixture.groups.start();
  fixture.timing.advance(2000);
  assertEquals(fixture.pick("g"), "a");
  fixture.prober.servers.set("a", "dead");
  fixture.fail("a");
  assertEquals(fixture.pick("g"), "b");
  fixture.timing.advance(60_000);
  assertEquals(fixture.pick("g"), "b");
  fixture.prober.servers.set("a", 10);
  fixture.timing.advance(11_100);
  assertEquals(fixture.pick("g"), "a");
  assertEquals(fixture.lines, [
    "server a is down: ECONNREFUSED",
    "server a is up",
  ]);
});

Deno.test("Group.pick() stays with its choice when another is hardly faster and it is latency", async () => {
  using fixture = await GroupFixture.of([
    { name: "g", strategy: "latency", members: ["a", "b"] },
  ], { a: {}, b: {} });
  const { servers } = fixture.prober;
  servers.set("a", 100).set("b", 100);
  fixture.groups.start();
  fixture.timing.advance(5000);
  assertEquals(fixture.pick("g"), "a");
  for (let round = 0; round < 40; round++) {
    servers.set(round % 2 === 0 ? "b" : "a", 85)
      .set(round % 2 === 0 ? "a" : "b", 100);
    fixture.timing.advance(10_000);
    assertEquals(fixture.pick("g"), "a");
  }
  servers.set("a", 400);
  fixture.timing.advance(100_000);
  assertEquals(fixture.pick("g"), "b");
  servers.set("a", 75);
  fixture.timing.advance(100_000);
  assertEquals(fixture.pick("g"), "b");
  assertEquals(fixture.lines, ["group g changes from a to b for tcp"]);
});

Deno.test("Group.pick() stays with the next one when the fastest flaps and it is latency", async () => {
  using fixture = await GroupFixture.of([
    { name: "g", strategy: "latency", members: ["a", "b"] },
  ], { a: {}, b: {} });
  const { servers } = fixture.prober;
  servers.set("a", 20).set("b", 60);
  fixture.groups.start();
  fixture.timing.advance(20_000);
  for (let round = 0; round < 20; round++) {
    assertEquals(fixture.pick("g"), round === 0 ? "a" : "b");
    if (round === 0) fixture.fail("a");
    servers.set("a", round % 2 === 0 ? "dead" : 20);
    fixture.timing.advance(10_000);
  }
  const changes = fixture.lines.filter((line) => line.includes("changes"));
  assertEquals(changes, ["group g changes from a to b for tcp"]);
});

Deno.test("Group.pick() keeps its choice when only one session could not reach it and it is latency", async () => {
  using fixture = await GroupFixture.of([
    { name: "g", strategy: "latency", members: ["a", "b"] },
  ], { a: {}, b: {} });
  fixture.groups.start();
  fixture.timing.advance(5000);
  assertEquals(fixture.pick("g"), "a");
  assertEquals(fixture.pick("g", { tried: ["a"] }), "b");
  assertEquals(fixture.pick("g"), "a");
  assertEquals(fixture.lines, []);
});

Deno.test("Group.pick() uses each once and stays with the fastest when there are no probes and it is latency", async () => {
  using fixture = await GroupFixture.of([
    {
      name: "g",
      strategy: "latency",
      members: ["a", "b", "c"],
      probeInterval: 0,
    },
  ], { a: {}, b: {}, c: {} });
  const connects: Record<string, number> = { a: 300, b: 60, c: 200 };
  const picked = Array.from({ length: 6 }, () => {
    const name = fixture.pick("g")!;
    fixture.leaf(name).onReached(connects[name]!);
    return name;
  });
  assertEquals(picked, ["a", "b", "c", "b", "b", "b"]);
});

Deno.test("Group.pick() prefers what was weighted up when it is latency", async () => {
  using fixture = await GroupFixture.of([
    { name: "g", strategy: "latency", members: ["a", "b"] },
  ], { a: { tcp: 0.1 }, b: {} });
  fixture.prober.servers.set("a", 50).set("b", 200);
  fixture.groups.start();
  fixture.timing.advance(5000);
  assertEquals(fixture.pick("g"), "b");
  assertEquals(fixture.pick("g", { network: "udp" }), "a");
});

Deno.test("Group.pick() moves only the sites of a dead server when it is sticky", async () => {
  using fixture = await GroupFixture.of([
    { name: "g", strategy: "sticky", members: ["a", "b", "c"] },
  ], { a: {}, b: {}, c: {} });
  const sites = Array.from({ length: 200 }, (_, i) => `site${i}.example`);
  const ways = (): (string | undefined)[] =>
    sites.map((host) => fixture.pick("g", { host }));
  fixture.groups.start();
  const before = ways();
  fixture.fail("b");
  const meanwhile = ways();
  before.forEach((way, i) => {
    if (way === "b") assert(meanwhile[i] !== "b");
    else assertEquals(meanwhile[i], way);
  });
  fixture.timing.advance(5000);
  assertEquals(ways(), before);
});

Deno.test("Group.pick() sends one site one way when it is sticky", async () => {
  using fixture = await GroupFixture.of([
    { name: "g", strategy: "sticky", members: ["a", "b", "c", "d", "e"] },
  ], { a: {}, b: {}, c: {}, d: {}, e: {} });
  const ways = (hosts: readonly string[]): Set<string | undefined> =>
    new Set(hosts.map((host) => fixture.pick("g", { host })));
  for (let i = 0; i < 20; i++) {
    const site = `shop${i}.co.uk`;
    const hosts = [site, `www.${site}`, `A.B.${site}.`, site.toUpperCase()];
    assertEquals(ways(hosts).size, 1);
  }
  const many = Array.from({ length: 40 }, (_, i) => i);
  // Neighbours under a public suffix are strangers, and addresses too.
  assertEquals(ways(many.map((i) => `n${i}.github.io`)).size, 5);
  assertEquals(ways(many.map((i) => `n${i}.co.uk`)).size, 5);
  assertEquals(ways(many.map((i) => `192.0.2.${i}`)).size, 5);
  assertEquals(ways(many.map((i) => `2001:db8::${i}`)).size, 5);
  assertEquals(ways(Array(9).fill("192.0.2.1")).size, 1);
  for (const host of ["localhost", "co.uk", "", ".", "a..b", "\u0000"]) {
    assertEquals(ways([host, host]).size, 1);
  }
});

Deno.test("Group.select() sends new sessions elsewhere when the name is a member's", async () => {
  using fixture = await GroupFixture.of([
    { name: "g", strategy: "select", members: ["a", "b"], selected: "gone" },
    { name: "other", strategy: "failover", members: ["a", "b"] },
  ], { a: {}, b: {} });
  const group = fixture.groups.groups.get("g")!;
  assertEquals(group.selected, "a");
  assertEquals(fixture.pick("g"), "a");
  assertEquals(group.select("c"), false);
  assertEquals(group.select("b"), true);
  assertEquals(group.select("b"), true);
  assertEquals(fixture.pick("g"), "b");
  assertEquals(group.current("tcp")?.route.name, "b");
  assertEquals(fixture.lines, ["group g is set from a to b"]);
  const other = fixture.groups.groups.get("other")!;
  assertEquals(other.select("b"), false);
  assertEquals(other.selected, undefined);
});

Deno.test("Group.pick() passes through groups in groups when they are given in any order", async () => {
  using fixture = await GroupFixture.of([
    { name: "all", strategy: "failover", members: ["near", "far", "block"] },
    { name: "far", strategy: "select", members: ["c", "d"], selected: "d" },
    { name: "near", strategy: "latency", members: ["a", "b"] },
  ], { a: {}, b: {}, c: {}, d: {}, block: { kind: "block" } });
  fixture.prober.servers.set("a", 300).set("b", 20);
  fixture.groups.start();
  fixture.timing.advance(5000);
  assertEquals(fixture.pick("all"), "b");
  assertEquals(fixture.pick("all", { tried: ["b"] }), "a");
  assertEquals(fixture.pick("all", { tried: ["b", "a"] }), "d");
  assertEquals(fixture.pick("all", { tried: ["b", "a", "d"] }), "block");
  assertEquals(
    fixture.pick("all", { tried: ["b", "a", "d", "block"] }),
    undefined,
  );
  fixture.fail("a");
  fixture.fail("b");
  assertEquals(fixture.pick("all"), "d");
  fixture.fail("d");
  assertEquals(fixture.pick("all"), "block");
});

Deno.test("Group.latency() lets a group compare groups when they are within it", async () => {
  using fixture = await GroupFixture.of([
    { name: "all", strategy: "latency", members: ["one", "two", "block"] },
    { name: "one", strategy: "failover", members: ["a", "b"] },
    { name: "two", strategy: "random", members: ["c", "d"] },
  ], { a: {}, b: {}, c: {}, d: {}, block: { kind: "block" } });
  fixture.prober.servers.set("a", 500).set("b", 10).set("c", 90).set("d", 90);
  fixture.groups.start();
  fixture.timing.advance(5000);
  assertEquals(
    fixture.groups.groups.get("all")!.current("tcp")?.route.name,
    "two",
  );
  fixture.fail("a");
  assertEquals(
    fixture.groups.groups.get("all")!.current("tcp")?.route.name,
    "one",
  );
  assertEquals(fixture.pick("all"), "b");
});

Deno.test("Group.pick() gives nothing when the group is empty", async () => {
  using fixture = await GroupFixture.of([
    { name: "none", strategy: "select", members: [] },
    { name: "all", strategy: "random", members: ["none"] },
  ], {});
  assertEquals(fixture.pick("none"), undefined);
  assertEquals(fixture.pick("all"), undefined);
  assertEquals(fixture.groups.groups.get("none")!.latency("tcp"), undefined);
});
