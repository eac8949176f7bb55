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

Deno.test("DNSResolver.resolve() refuses lookups past the limit, and logs one line a second", async () => {
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
    assertEquals(codes.filter((code) => code === "busy").length, 5000 - 4096);
    assertEquals(codes.filter((code) => code === "timeout").length, 4096);
    assert(harness.poller.datagrams.length <= 4096 * 2 * 5 / 16 + 1);
    assertEquals(records.map(({ level }) => level), ["warning", "warning"]);
    for (const { rawMessage } of records) {
      assertEquals(rawMessage, "Cannot resolve {name}: {reason}{more}");
    }
  } finally {
    await reset();
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
