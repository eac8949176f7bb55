/**
 * Tests of the resolver on a fake network: answers, cache, callbacks, forgery.
 *
 * @module
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { SocketAddress } from "../loop/mod.ts";
import { fromZone, questionOf, respond, type Zone } from "./_fake_dns.ts";
import type { FakePeers } from "./_fake_servers.ts";
import { Harness, textOf } from "./_resolver_fixture.ts";
import { TYPE_A, TYPE_AAAA } from "./message.ts";
import { DNSResolver, type DNSResolverOptions } from "./resolver.ts";
import type { DnsAnswer } from "./types.ts";

const ZONE: Zone = {
  "both.example": ["192.0.2.1", "2001:db8::1"],
  "four.example": ["192.0.2.4", "192.0.2.5"],
  "six.example": ["2001:db8::6"],
  "mapped.example": ["::ffff:127.0.0.1"],
  "alias.example": ["both.example"],
  "empty.example": [],
};

/** A server with `ZONE`; `delays` are of A and AAAA, -1 for no answer. */
function server(a = 5, aaaa = 5): FakePeers {
  return {
    onDatagram(query, _server, reply): void {
      const delay = questionOf(query).type === TYPE_A ? a : aaaa;
      if (delay >= 0) reply(fromZone(query, ZONE), { delay });
    },
  };
}

function count(peers: FakePeers): { peers: FakePeers; queries: string[] } {
  const queries: string[] = [];
  return {
    queries,
    peers: {
      ...peers,
      onDatagram(query, to, reply): void {
        const { name, type } = questionOf(query);
        queries.push(`${name} ${type} ${to}`);
        peers.onDatagram(query, to, reply);
      },
    },
  };
}

Deno.test("DNSResolver.resolve() answers each kind of name", async () => {
  const rows = [
    ["both.example", "192.0.2.1", "2001:db8::1"],
    ["BOTH.example.", "192.0.2.1", "2001:db8::1"],
    ["four.example", "192.0.2.4 192.0.2.5", "192.0.2.4 192.0.2.5"],
    ["six.example", "2001:db8::6", "2001:db8::6"],
    ["alias.example", "192.0.2.1", "2001:db8::1"],
    ["mapped.example", "127.0.0.1", "127.0.0.1"],
    ["empty.example", "no-address", "no-address"],
    ["nobody.example", "not-found", "not-found"],
  ] as const;
  for (const [name, four, six] of rows) {
    using plain = new Harness(server());
    assertEquals(await plain.text(name), four, name);
    using prefer = new Harness(server(), { preferIpv6: true });
    assertEquals((await prefer.text(name)).split(" ")[0], six.split(" ")[0]);
  }
});

Deno.test("DNSResolver.resolve() answers inside the call when nobody is to be asked", () => {
  const hosts = "192.0.2.99 box Box2\n2001:db8::99 box";
  using harness = new Harness(server(), { readFile: () => hosts });
  const rows = [
    ["127.0.0.1", "127.0.0.1"],
    ["::1", "::1"],
    ["::ffff:10.0.0.1", "10.0.0.1"],
    ["box", "192.0.2.99 2001:db8::99"],
    ["BOX2.", "192.0.2.99"],
    ["localhost", "127.0.0.1 ::1"],
    ["x.localhost", "127.0.0.1 ::1"],
    ["", "invalid-name"],
    ["127.1", "invalid-name"],
    ["a b", "invalid-name"],
    ["a".repeat(64) + ".example", "invalid-name"],
    ["x\r\ny", "invalid-name"],
  ] as const;
  for (const [name, expected] of rows) {
    let answer: DnsAnswer | undefined;
    harness.resolver.resolve(name, (got) => answer = got);
    assertEquals(answer && textOf(answer), expected, name);
    assertEquals(answer?.hostname, name);
    assert(!/[\r\n]/.test(answer?.error?.message ?? ""));
  }
  assertEquals(harness.poller.datagrams.length, 0);
});

Deno.test("DNSResolver.resolve() waits for the preferred family as long as it should", async () => {
  const rows = [
    { name: "both.example", a: 5, aaaa: 500, text: "192.0.2.1", after: 5 },
    { name: "both.example", a: 30, aaaa: 5, text: "192.0.2.1", after: 30 },
    { name: "both.example", a: 500, aaaa: 5, text: "2001:db8::1", after: 55 },
    { name: "both.example", a: -1, aaaa: 5, text: "2001:db8::1", after: 55 },
    { name: "six.example", a: 5, aaaa: 300, text: "2001:db8::6", after: 300 },
    { name: "four.example", a: 300, aaaa: 5, text: "192.0.2.4", after: 300 },
    { name: "nobody.example", a: 5, aaaa: 500, text: "not-found", after: 500 },
  ];
  for (const { name, a, aaaa, text, after } of rows) {
    using harness = new Harness(server(a, aaaa));
    const [got] = await harness.resolve(name);
    assertEquals(textOf(got!.answer).split(" ")[0], text, `${name} ${a}`);
    assertEquals(got!.after, after, `${name} ${a} ${aaaa}`);
  }
});

Deno.test("DNSResolver.resolve() gives both families, in order, when both came", async () => {
  using harness = new Harness(server(10, 5));
  assertEquals(await harness.text("both.example"), "192.0.2.1 2001:db8::1");
});

Deno.test("DNSResolver.resolve() caches as long as the TTL says", async () => {
  const { peers, queries } = count(server());
  using harness = new Harness(peers);
  await harness.resolve("four.example");
  await harness.run(30_000);
  await harness.resolve("FOUR.example");
  assertEquals(queries.length, 2);
  await harness.run(31_000);
  await harness.resolve("four.example");
  assertEquals(queries.length, 4);
  queries.length = 0;
  for (const at of [0, 4_000, 6_000]) {
    await harness.run(at);
    assertEquals(await harness.text("nobody.example"), "not-found");
  }
  assertEquals(queries.length, 4, "a no is kept for the SOA minimum of 5 s");
});

Deno.test("DNSResolver.resolve() puts a late family into the cache", async () => {
  const { peers, queries } = count(server(5, 200));
  using harness = new Harness(peers);
  assertEquals(await harness.text("both.example"), "192.0.2.1");
  await harness.run(300);
  assertEquals(await harness.text("both.example"), "192.0.2.1 2001:db8::1");
  assertEquals(queries.length, 2);
});

Deno.test("DNSResolver.resolve() joins lookups of one name", async () => {
  const { peers, queries } = count(server());
  using harness = new Harness(peers);
  const names = Array.from(
    { length: 100 },
    (_, i) => i % 2 === 0 ? "both.example" : "BOTH.example",
  );
  const answers = await harness.resolve(...names);
  assertEquals(queries.length, 2);
  assertEquals(answers.map(({ answer }) => answer.hostname), names);
});

Deno.test("DNSResolver.removeCallback() keeps a callback from being called", async () => {
  using harness = new Harness(server());
  const { resolver } = harness;
  const called: string[] = [];
  const first = (): void => {
    called.push("first");
    resolver.removeCallback(second);
  };
  const second = (): void => void called.push("second");
  const third = (): void => void called.push("third");
  const fourth = (): void => void called.push("fourth");
  resolver.resolve("both.example", first);
  resolver.resolve("both.example", second);
  resolver.resolve("both.example", third);
  resolver.resolve("four.example", fourth);
  resolver.removeCallback(fourth);
  resolver.removeCallback(() => {});
  await harness.run(100);
  assertEquals(called, ["first", "third"]);
});

Deno.test("DNSResolver.removeCallback() ends a lookup that nobody waits for", () => {
  using harness = new Harness(server());
  const callback = (): void => {};
  harness.resolver.resolve("both.example", callback);
  assertEquals(harness.poller.watched, 1);
  harness.resolver.removeCallback(callback);
  assertEquals(harness.poller.watched, 0);
});

Deno.test("DNSResolver.resolve() goes on when a callback throws", async () => {
  using harness = new Harness(server());
  harness.resolver.resolve("both.example", () => {
    throw new Error("of the caller");
  });
  assertEquals(await harness.text("both.example"), "192.0.2.1");
});

Deno.test("DNSResolver.close() ends everything and calls nobody", async () => {
  const harness = new Harness(server(-1, -1));
  harness.resolver.resolve("both.example", () => {
    throw new Error("called");
  });
  await harness.run(10);
  harness.resolver.close();
  harness.resolver.close();
  assertEquals(harness.poller.watched, 0);
  assertEquals(await harness.text("both.example"), "closed");
  await harness.run(10_000);
});

Deno.test("DNSResolver.resolve() takes no forged answer", async () => {
  const evil = { answers: [{ name: "both.example", data: "6.6.6.6" }] };
  const other = SocketAddress.parse("8.8.8.8", 54);
  const changes: ((good: Uint8Array) => Uint8Array)[] = [
    (good) => good.with(0, good[0]! ^ 1),
    (good) => good.with(1, good[1]! ^ 0x80),
    (good) => good.with(2, good[2]! & 0x7f),
    (good) => good.with(14, good[14]! ^ 0x20),
    (good) => good.with(27, good[27]! ^ 1),
    (good) => good.subarray(0, 20),
    () => new Uint8Array(0),
  ];
  using harness = new Harness({
    onDatagram(query, _server, reply): void {
      const bad = respond(query, evil);
      for (const change of changes) reply(change(bad));
      reply(bad, { from: other });
      reply(bad, { from: SocketAddress.parse("8.8.8.9", 53) });
      reply(fromZone(query, ZONE), { delay: 20 });
    },
  });
  const [got] = await harness.resolve("both.example");
  assertEquals(got!.answer.addresses[0], new Uint8Array([192, 0, 2, 1]));
  assertEquals(got!.after, 20);
});

Deno.test("DNSResolver.resolve() changes ID and source port", async () => {
  const ids = new Set<number>();
  using harness = new Harness({
    onDatagram(query, _server, reply): void {
      ids.add(query[0]! << 8 | query[1]!);
      reply(respond(query, { rcode: 3 }));
    },
  });
  for (let i = 0; i < 50; i++) await harness.resolve(`n${i}.example`);
  assert(ids.size > 95, `${ids.size} of 100 IDs`);
  assertEquals(harness.poller.datagrams.length, 50);
  await harness.resolve(...Array.from({ length: 80 }, (_, i) => `m${i}.x`));
  assertEquals(harness.poller.datagrams.length, 60, "16 queries a socket");
});

Deno.test("new DNSResolver() throws when a server is no IP address", () => {
  const harness = new Harness(server());
  const options: DNSResolverOptions = { servers: [{ host: "a.b", port: 53 }] };
  assertThrows(() => new DNSResolver(harness.loop, options), SyntaxError);
});

Deno.test("DNSResolver.resolve() asks for both types at once, without recursion of names", async () => {
  const { peers, queries } = count(server());
  using harness = new Harness(peers, {
    servers: [{ host: "2001:db8::53", port: 5353 }],
  });
  await harness.resolve("single");
  assertEquals(queries, [
    `single ${TYPE_A} [2001:db8::53]:5353`,
    `single ${TYPE_AAAA} [2001:db8::53]:5353`,
  ]);
});

Deno.test("DNSResolver.resolve() uses the family that has addresses when the other does not exist", async () => {
  // Of each type: its response, and the milliseconds that it takes.
  const found = { [TYPE_A]: "192.0.2.1", [TYPE_AAAA]: "2001:db8::1" };
  const rows = [
    { missing: TYPE_AAAA, first: TYPE_A },
    { missing: TYPE_AAAA, first: TYPE_AAAA },
    { missing: TYPE_A, first: TYPE_A },
    { missing: TYPE_A, first: TYPE_AAAA },
  ] as const;
  for (const { missing, first } of rows) {
    for (const preferIpv6 of [false, true]) {
      const { peers, queries } = count({
        onDatagram(query, _server, reply): void {
          const { name, type } = questionOf(query);
          const data = found[type as typeof TYPE_A];
          const response = type === missing
            ? { rcode: 3, soa: 60 }
            : { answers: [{ name, data }] };
          reply(respond(query, response), { delay: type === first ? 5 : 30 });
        },
      });
      using harness = new Harness(peers, { preferIpv6 });
      const expected = found[missing === TYPE_A ? TYPE_AAAA : TYPE_A];
      for (let i = 0; i < 2; i++) {
        assertEquals(await harness.text("half.example"), expected);
        await harness.run(100);
      }
      assertEquals(queries.length, 2, "the second time from the cache");
    }
  }
});
