/**
 * Tests of the resolver on a fake network that fails: retries, TCP, limits.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { configure, type LogRecord, reset } from "@logtape/logtape";
import { fromZone, questionOf, respond, type Zone } from "./_fake_dns.ts";
import type { FakePeers } from "./_fake_servers.ts";
import { Harness, textOf } from "./_resolver_fixture.ts";
import { SocketAddress } from "../loop/mod.ts";
import type { DnsCallback } from "./types.ts";
import { randomOf } from "../tests/support/bytes.ts";

const ZONE: Zone = { "a.example": ["192.0.2.1"] };
const SERVERS = ["10.0.0.1", "10.0.0.2"].map((host) => ({ host, port: 53 }));

/** Servers by the last number of their address; absent: silent. */
function servers(
  byHost: Record<string, (query: Uint8Array) => Uint8Array>,
  delay = 5,
): FakePeers {
  return {
    onDatagram(query, to, reply): void {
      const answer = byHost[to.host];
      if (answer !== undefined) reply(answer(query), { delay });
    },
  };
}

function good(query: Uint8Array): Uint8Array {
  return fromZone(query, ZONE);
}

Deno.test("DNSResolver.resolve() fails in time when no server answers", async () => {
  const rows = [
    { resolvConf: "nameserver 10.0.0.1", after: 3000 },
    { resolvConf: "nameserver 10.0.0.1\nnameserver 10.0.0.2", after: 5000 },
    {
      resolvConf: "nameserver 10.0.0.1\noptions timeout:2 attempts:1",
      after: 2000,
    },
    {
      resolvConf: "nameserver 10.0.0.1\noptions timeout:30 attempts:9",
      after: 5000,
    },
  ];
  for (const { resolvConf, after } of rows) {
    using harness = new Harness(servers({}), { readFile: () => resolvConf });
    const [got] = await harness.resolve("a.example");
    assertEquals([textOf(got!.answer), got!.after], ["timeout", after]);
  }
});

Deno.test("DNSResolver.resolve() goes to the next server, and begins with it afterwards", async () => {
  const peers = servers({ "10.0.0.2": good });
  using harness = new Harness(peers, { servers: SERVERS, cacheSize: 0 });
  const times: number[] = [];
  for (let i = 0; i < 3; i++) {
    const [got] = await harness.resolve("a.example");
    assertEquals(textOf(got!.answer), "192.0.2.1");
    times.push(got!.after);
    // The other family is known then too.
    await harness.run(10);
  }
  assertEquals(times, [1005, 5, 5]);
});

Deno.test("DNSResolver.resolve() asks the next server at once when one fails", async () => {
  const failures: ((query: Uint8Array) => Uint8Array)[] = [
    (query) => respond(query, { rcode: 2 }),
    (query) => respond(query, { rcode: 5 }),
    (query) => respond(query, { referral: true }),
    (query) => respond(query).with(7, 200),
    (query) => respond(query, { truncated: true }),
  ];
  for (const failure of failures) {
    const peers = servers({ "10.0.0.1": failure, "10.0.0.2": good });
    using harness = new Harness(peers, { servers: SERVERS });
    const [got] = await harness.resolve("a.example");
    assertEquals(textOf(got!.answer), "192.0.2.1");
    assert(got!.after <= 15, `${got!.after}`);
  }
});

Deno.test("DNSResolver.resolve() fails at once when every server fails", async () => {
  const fail = (query: Uint8Array): Uint8Array => respond(query, { rcode: 2 });
  const peers = servers({ "10.0.0.1": fail, "10.0.0.2": fail });
  using harness = new Harness(peers, { servers: SERVERS });
  const [got] = await harness.resolve("a.example");
  assertEquals([textOf(got!.answer), got!.after], ["failed", 10]);
});

Deno.test("DNSResolver.resolve() fails at once without sockets or a route, and recovers", async () => {
  const peers = servers({ "10.0.0.1": good, "10.0.0.2": good });
  using harness = new Harness(peers, { servers: SERVERS });
  harness.refuseBind = true;
  assertEquals(await harness.text("a.example"), "failed");
  harness.refuseBind = false;
  harness.unreachable = () => true;
  assertEquals(await harness.text("a.example"), "failed");
  harness.unreachable = (address) => address.host === "10.0.0.1";
  assertEquals(await harness.text("a.example"), "192.0.2.1");
});

Deno.test("DNSResolver.resolve() takes an answer that comes after its attempt", async () => {
  const peers = servers({ "10.0.0.1": good }, 2500);
  using harness = new Harness(peers, { servers: SERVERS });
  const [got] = await harness.resolve("a.example");
  assertEquals([textOf(got!.answer), got!.after], ["192.0.2.1", 2500]);
});

Deno.test("DNSResolver.resolve() gets through when half of the datagrams are lost", async () => {
  const random = randomOf(3);
  using harness = new Harness({
    onDatagram(query, _server, reply): void {
      if (random(2) === 0) reply(good(query), { delay: 5 });
    },
  }, { servers: SERVERS, cacheSize: 0 });
  let answered = 0;
  for (let i = 0; i < 100; i++) {
    if (await harness.text("a.example") === "192.0.2.1") answered++;
  }
  // Five attempts within 5 s: 1 of 32 lookups is expected to fail.
  assert(answered >= 90, `${answered} of 100`);
});

Deno.test("DNSResolver.resolve() asks again within a second after the servers return", async () => {
  let up = false;
  using harness = new Harness({
    onDatagram(query, _server, reply): void {
      if (up) reply(good(query), { delay: 5 });
    },
  }, { servers: SERVERS });
  harness.loop.addTimer(2100, () => up = true);
  const [got] = await harness.resolve("a.example");
  assertEquals(textOf(got!.answer), "192.0.2.1");
  assert(got!.after <= 3100);
});

Deno.test("DNSResolver.resolve() survives an error event of its socket", async () => {
  let first = true;
  using harness = new Harness({
    onDatagram(query, _server, reply): void {
      if (first) harness.poller.datagrams[0]!.error = "ECONNREFUSED";
      else reply(good(query), { delay: 5 });
      first = false;
    },
  }, { servers: SERVERS });
  const [got] = await harness.resolve("a.example");
  assertEquals([textOf(got!.answer), got!.after], ["192.0.2.1", 1005]);
});

Deno.test("DNSResolver.resolve() asks for an alias that leaves the response", async () => {
  const hop = (from: string, to: string) => ({ name: from, data: to, ttl: 9 });
  const answer = (query: Uint8Array): Uint8Array => {
    const { name } = questionOf(query);
    const number = Number(name.slice(1));
    if (name.startsWith("h") && number < 8) {
      return respond(query, { answers: [hop(name, `h${number + 1}`)] });
    }
    if (name === "h8") return fromZone(query, { h8: ["192.0.2.8"] });
    if (name === "loop") {
      return respond(query, { answers: [hop(name, "loop2")] });
    }
    if (name === "loop2") {
      return respond(query, { answers: [hop(name, "loop")] });
    }
    return respond(query, { answers: [hop(name, "127.1")] });
  };
  using harness = new Harness(servers({ "10.0.0.1": answer }), {
    servers: SERVERS.slice(0, 1),
  });
  assertEquals(await harness.text("h0"), "192.0.2.8", "8 hops");
  assertEquals(await harness.text("loop"), "failed");
  assertEquals(await harness.text("to-number"), "failed");
});

Deno.test("DNSResolver.resolve() goes over to TCP when the answer is cut off", async () => {
  const framed = (query: Uint8Array, records: number): Uint8Array => {
    const answers = Array.from({ length: records }, (_, i) => ({
      name: "big.example",
      data: `10.9.${i >> 8}.${i & 255}`,
    }));
    const body = respond(query, { answers });
    return Uint8Array.from([body.length >> 8, body.length & 255, ...body]);
  };
  const inPieces = (bytes: Uint8Array, size: number): Uint8Array[] =>
    Array.from(
      { length: Math.ceil(bytes.length / size) },
      (_, i) => bytes.subarray(i * size, (i + 1) * size),
    );
  const rows: {
    name: string;
    tcp: ((query: Uint8Array) => Uint8Array[]) | undefined;
    expected: number | string;
  }[] = [
    { name: "whole", tcp: (q) => [framed(q, 3)], expected: 3 },
    { name: "bytes", tcp: (q) => inPieces(framed(q, 3), 1), expected: 3 },
    {
      name: "40 KB",
      tcp: (q) => inPieces(framed(q, 1500), 1460),
      expected: 64,
    },
    {
      name: "cut",
      tcp: (q) => [framed(q, 3).subarray(0, 60)],
      expected: "failed",
    },
    { name: "empty", tcp: () => [], expected: "failed" },
    { name: "zero", tcp: () => [new Uint8Array(2)], expected: "failed" },
    {
      name: "foreign",
      tcp: (q) => [framed(q.with(0, q[0]! ^ 1), 1)],
      expected: "failed",
    },
    {
      name: "truncated again",
      tcp: (q) => [framed(q, 1).with(4, 0x83)],
      expected: "failed",
    },
    { name: "refused", tcp: undefined, expected: "failed" },
  ];
  for (const { name, tcp, expected } of rows) {
    using harness = new Harness({
      onDatagram: (query, _server, reply): void =>
        reply(
          questionOf(query).type === 1
            ? respond(query, { truncated: true })
            : respond(query, { soa: 5 }),
        ),
      ...(tcp === undefined ? {} : { onTcp: tcp }),
    }, { servers: SERVERS.slice(0, 1) });
    const [got] = await harness.resolve("big.example");
    const { error, addresses } = got!.answer;
    assertEquals(error?.code ?? addresses.length, expected, name);
  }
});

Deno.test("DNSResolver.resolve() gives up on a TCP server that trickles", async () => {
  using harness = new Harness({
    onDatagram: (query, _server, reply): void =>
      reply(respond(query, { truncated: true })),
    onTcp: () => new Array<Uint8Array>(6_000).fill(new Uint8Array([99])),
  }, { servers: SERVERS.slice(0, 1) });
  const [got] = await harness.resolve("a.example");
  assertEquals(textOf(got!.answer), "timeout");
  assert(got!.after <= 5000);
});

Deno.test("DNSResolver.resolve() follows a resolv.conf that changes", async () => {
  let text = "nameserver 10.0.0.1";
  const peers = servers({ "10.0.0.2": good });
  using harness = new Harness(peers, { readFile: () => text });
  assertEquals(await harness.text("a.example"), "timeout");
  text = "nameserver 10.0.0.2";
  const [got] = await harness.resolve("a.example");
  assertEquals([textOf(got!.answer), got!.after], ["192.0.2.1", 5]);
});

Deno.test("DNSResolver.resolve() takes the oldest lookups back past the limit, and logs one line a second", async () => {
  const records: LogRecord[] = [];
  await configure({
    sinks: { list: (record) => void records.push(record) },
    loggers: [
      { category: ["shadowsocks", "dns"], sinks: ["list"] },
      { category: ["logtape", "meta"], sinks: [] },
    ],
  });
  try {
    using harness = new Harness(servers({}), { servers: SERVERS });
    const names = Array.from({ length: 5000 }, (_, i) => `n${i}.example`);
    const answers = await harness.resolve(...names);
    const codes = answers.map(({ answer }) => textOf(answer));
    const busy = codes.slice(0, 5000 - 4096);
    assertEquals(new Set(busy), new Set(["busy"]));
    const others = codes.slice(5000 - 4096);
    assertEquals(new Set(others), new Set(["timeout"]));
    assert(harness.poller.datagrams.length <= 5000 * 2 * 5 / 16 + 1);
    assertEquals(records.map(({ level }) => level), ["warning", "warning"]);
    for (const { rawMessage } of records) {
      assertEquals(rawMessage, "Cannot resolve {name}: {reason}{more}");
    }
  } finally {
    await reset();
  }
});

Deno.test("DNSResolver says whom it asks when resolv.conf names nobody", async () => {
  for (const text of [undefined, "", "search example\n"]) {
    const logs: string[] = [];
    await configure({
      sinks: { list: (record) => void logs.push(record.message.join("")) },
      loggers: [
        { category: ["shadowsocks", "dns"], sinks: ["list"] },
        { category: ["logtape", "meta"], sinks: [] },
      ],
    });
    try {
      const peers = servers({ "8.8.8.8": good });
      using harness = new Harness(peers, { readFile: () => text });
      for (let i = 0; i < 3; i++) {
        assertEquals(await harness.text("a.example"), "192.0.2.1");
        await harness.run(70_000);
      }
      assertEquals(logs, [
        "no name server in /etc/resolv.conf: asking 8.8.8.8 and 8.8.4.4; dns_server names others",
      ]);
    } finally {
      await reset();
    }
  }
});

Deno.test("DNSResolver.resolve() uses none of 10,000 answers with a changed ID or question", async () => {
  const random = randomOf(11);
  const evil = { answers: [{ name: "a.example", data: "6.6.6.6" }] };
  using harness = new Harness({
    onDatagram(query, _server, reply): void {
      for (let i = 0; i < 100; i++) {
        const bytes = respond(query, evil);
        const at = random(query.length - 10);
        const place = at < 2 ? at : at + 10;
        bytes[place] = bytes[place]! ^ (1 + random(255));
        reply(bytes, { delay: 1 });
      }
      reply(good(query), { delay: 2 });
    },
  }, { servers: SERVERS, cacheSize: 0 });
  for (let i = 0; i < 50; i++) {
    assertEquals(await harness.text("a.example"), "192.0.2.1");
  }
});

Deno.test("DNSResolver.resolve() uses what came of a cut answer when TCP brings no more", async () => {
  const cut = (query: Uint8Array): Uint8Array =>
    respond(query, {
      truncated: true,
      answers: questionOf(query).type === 1
        ? [
          { name: "a.example", data: "b.example" },
          { name: "b.example", data: "192.0.2.1", ttl: 9 },
          { name: "b.example", data: "192.0.2.2" },
        ]
        : [],
      soa: 5,
    });
  const none = (query: Uint8Array): Uint8Array => respond(query, { soa: 5 });
  const rows: { tcp: FakePeers["onTcp"]; length?: number; text: string }[] = [
    { tcp: undefined, text: "192.0.2.1 192.0.2.2" },
    { tcp: () => [], text: "192.0.2.1 192.0.2.2" },
    // The last of its bytes are missing.
    { tcp: undefined, length: -40, text: "192.0.2.1" },
    // It never answers.
    {
      tcp: () => new Array<Uint8Array>(6000).fill(new Uint8Array([99])),
      text: "192.0.2.1 192.0.2.2",
    },
  ];
  for (const { tcp, length, text } of rows) {
    for (const timeout of [1, 5]) {
      using harness = new Harness({
        onDatagram(query, _server, reply): void {
          const isIpv4 = questionOf(query).type === 1;
          reply(isIpv4 ? cut(query).slice(0, length) : none(query));
        },
        ...(tcp === undefined ? {} : { onTcp: tcp }),
      }, {
        readFile: () => `nameserver 10.0.0.1\noptions timeout:${timeout}`,
      });
      const [got] = await harness.resolve("a.example");
      assertEquals(textOf(got!.answer), text);
      assert(got!.after <= 1500, `${got!.after}`);
    }
  }
});

/** Who asks. */
function asker(host: string): { readonly client: SocketAddress } {
  return { client: SocketAddress.parse(host, 1) };
}

/** A harness whose server knows `a.example` and is silent about other names. */
function withDeadNames(): Harness {
  const peers = servers({ "10.0.0.1": good });
  return new Harness({
    onDatagram(query, to, reply): void {
      if (questionOf(query).name in ZONE) peers.onDatagram(query, to, reply);
    },
  }, { servers: SERVERS.slice(0, 1) });
}

Deno.test("DNSResolver.resolve() serves others while one client floods it with dead names", async () => {
  using harness = withDeadNames();
  const { resolver } = harness;
  const codes: string[] = [];
  const collect: DnsCallback = (answer) => void codes.push(textOf(answer));
  const other = asker("192.0.2.2");
  resolver.resolve("dead.example", collect, { asker: other });
  const flood = asker("192.0.2.1");
  for (let i = 0; i < 6000; i++) {
    resolver.resolve(`n${i}.example`, () => {}, { asker: flood });
  }
  await harness.run(1);
  assertEquals(codes, [], "the flood has taken nothing from others");
  resolver.resolve("a.example", collect, { asker: other });
  await harness.run(10);
  assertEquals(codes, ["192.0.2.1"]);
  // Not even from its own client, who may be many behind one address.
  resolver.resolve("A.EXAMPLE", collect, { asker: flood });
  await harness.run(10);
  assertEquals(codes.length, 2);
});

Deno.test("DNSResolver.resolve() keeps a lookup that a flood has begun and others wait for", async () => {
  using harness = withDeadNames();
  const { resolver } = harness;
  const codes: string[] = [];
  const flood = asker("192.0.2.1");
  const collect = (name: string): DnsCallback => (answer) =>
    void codes.push(`${name} ${textOf(answer)}`);
  resolver.resolve("a.example", collect("flood"), { asker: flood });
  resolver.resolve("a.example", collect("other"), {
    asker: asker("192.0.2.2"),
  });
  for (let i = 0; i < 4100; i++) {
    resolver.resolve(`n${i}.example`, () => {}, { asker: flood });
  }
  await harness.run(10);
  assertEquals(codes, ["flood busy", "other 192.0.2.1"]);
});

Deno.test("DNSResolver.removeCallback() takes back what was about to be told", async () => {
  using harness = withDeadNames();
  const { resolver } = harness;
  const gone: DnsCallback = () => {
    throw new Error("called");
  };
  resolver.resolve("n.example", gone);
  for (let i = 0; i < 4096; i++) resolver.resolve(`n${i}.example`, () => {});
  resolver.removeCallback(gone);
  await harness.run(10);
});

Deno.test("DNSResolver.resolve() asked for the whole waits for both families", async () => {
  const both = { "b.example": ["192.0.2.1", "2001:db8::1"] };
  // Which A queries are lost.
  for (const lost of [[], [0], [0, 1]]) {
    let asked = 0;
    using harness = new Harness({
      onDatagram(query, _server, reply): void {
        const isIpv4 = questionOf(query).type === 1;
        if (isIpv4 && lost.includes(asked++)) return;
        reply(fromZone(query, both), { delay: isIpv4 ? 70 : 0 });
      },
    }, { servers: SERVERS.slice(0, 1), preferIpv6: true });
    const { resolver } = harness;
    const start = harness.clock.now();
    const told: string[] = [];
    const whole: DnsCallback = (answer) =>
      void told.push(`${textOf(answer)} ${harness.clock.now() - start}`);
    resolver.resolve("b.example", ({ isPartial, addresses }) => {
      assertEquals([isPartial, addresses.length], [true, 1]);
      resolver.resolve("b.example", whole, { isWhole: true });
    });
    await harness.run(4000);
    const after = 70 + 1000 * lost.length;
    assertEquals(told, [`2001:db8::1 192.0.2.1 ${after}`]);
    resolver.resolve("b.example", whole, { isWhole: true });
    assertEquals(told.length, 2, "from the cache");
  }
});

Deno.test("DNSResolver.resolve() asked for the whole later asks again for what was lost", async () => {
  let asked = 0;
  using harness = new Harness({
    onDatagram(query, _server, reply): void {
      const isIpv4 = questionOf(query).type === 1;
      if (isIpv4 && asked++ === 0) return;
      reply(fromZone(query, { "b.example": ["192.0.2.1", "2001:db8::1"] }));
    },
  }, { servers: SERVERS.slice(0, 1), preferIpv6: true });
  assertEquals(await harness.text("b.example"), "2001:db8::1");
  // The lookup is over by then: its attempts end when nobody waits.
  await harness.run(3000);
  assertEquals(asked, 1);
  const told: string[] = [];
  harness.resolver.resolve(
    "b.example",
    (answer) => void told.push(textOf(answer)),
    { isWhole: true },
  );
  await harness.run(10);
  assertEquals(told, ["2001:db8::1 192.0.2.1"]);
});
