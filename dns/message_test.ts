/**
 * Tests of the message codec: tables, cuts, mutations.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { parseIp } from "../loop/mod.ts";
import { readAnswer } from "./_answer.ts";
import { type FakeRecord, respond } from "./_fake_dns.ts";
import { isValidHostname, normalizeHostname } from "./_name.ts";
import {
  decodeResponse,
  type DnsMessage,
  encodeQuery,
  TYPE_A,
  TYPE_AAAA,
} from "./message.ts";
import { randomOf } from "../tests/support/bytes.ts";

const QUERY = encodeQuery({
  id: 0x1234,
  name: "www.example.com",
  type: TYPE_A,
});

function decoded(bytes: Uint8Array, query = QUERY): DnsMessage {
  const result = decodeResponse(bytes, query);
  if (result.status !== "ok") throw new Error(result.status);
  return result.message;
}

Deno.test("encodeQuery() writes a recursive question", () => {
  const query = encodeQuery({ id: 0xabcd, name: "a.bc", type: TYPE_AAAA });
  assertEquals(
    [...query],
    [0xab, 0xcd, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]
      .concat([1, 0x61, 2, 0x62, 0x63, 0, 0, 28, 0, 1]),
  );
});

Deno.test("isValidHostname() takes what may be asked for", () => {
  const label = "a".repeat(63);
  const rows: [string, boolean][] = [
    ["example.com", true],
    ["a", true],
    ["_dmarc.example.com", true],
    ["xn--bcher-kva.example", true],
    ["1.2.3.4.in-addr.arpa", true],
    [label, true],
    [`${label}.${label}.${label}.${"a".repeat(61)}`, true],
    [`${label}.${label}.${label}.${"a".repeat(62)}`, false],
    [label + "a", false],
    ["", false],
    [".", false],
    ["a..b", false],
    [".a", false],
    ["-a.b", true],
    ["a-.b", true],
    ["a b", false],
    ["a\n", false],
    ["a\0", false],
    ["ä.de", false],
    ["\u212a.de", false],
    ["127.1", false],
    ["2130706433", false],
    ["0x7f000001", false],
    ["1.2.3.4.5", false],
    ["a.0x", false],
    ["a@b", false],
  ];
  for (const [name, valid] of rows) {
    assertEquals(isValidHostname(normalizeHostname(name)), valid, name);
  }
  assertEquals(normalizeHostname("WWW.Example.COM."), "www.example.com");
});

Deno.test("decodeResponse() reads addresses, aliases and the SOA record", () => {
  const message = decoded(respond(QUERY, {
    answers: [
      { name: "www.example.com", data: "edge.example.net", ttl: 7 },
      { name: "EDGE.example.net", data: "192.0.2.1", ttl: 0x80000001 },
      { name: "edge.example.net", data: "2001:db8::1" },
    ],
    soa: 44,
  }));
  assertEquals(message.records, [
    { name: "www.example.com", type: 5, ttl: 7, target: "edge.example.net" },
    {
      name: "edge.example.net",
      type: 1,
      ttl: 0,
      address: new Uint8Array([192, 0, 2, 1]),
    },
    {
      name: "edge.example.net",
      type: 28,
      ttl: 60,
      address: parseIp("2001:db8::1")!,
    },
  ]);
  assertEquals(message.negativeTtl, 44);
});

Deno.test("decodeResponse() takes only the answer to its own question", () => {
  const good = respond(QUERY, {
    answers: [{ name: "www.example.com", data: "192.0.2.1" }],
  });
  assertEquals(decodeResponse(good, QUERY).status, "ok");
  const changes = [
    { name: "ID", at: 0 },
    { name: "ID", at: 1 },
    { name: "query, not response", at: 2, value: 0x01 },
    { name: "opcode", at: 2, value: 0x91 },
    { name: "no question", at: 5, value: 0 },
    { name: "two questions", at: 5, value: 2 },
    { name: "name", at: 14 },
    { name: "type", at: QUERY.length - 3 },
    { name: "class", at: QUERY.length - 1 },
  ];
  for (const { name, at, value } of changes) {
    const bad = good.slice();
    bad[at] = value ?? bad[at]! ^ 0x20;
    assertEquals(decodeResponse(bad, QUERY).status, "foreign", name);
  }
  const other = encodeQuery({ id: 0x1234, name: "www.example.org", type: 1 });
  assertEquals(decodeResponse(good, other).status, "foreign");
});

Deno.test("decodeResponse() never gives records of a response that is cut", () => {
  const whole = respond(QUERY, {
    answers: [
      { name: "www.example.com", data: "b.example" },
      { name: "b.example", data: "192.0.2.1" },
    ],
    soa: 5,
  });
  for (let length = 0; length < whole.length; length++) {
    const { status } = decodeResponse(whole.subarray(0, length), QUERY);
    assertEquals(status, length < QUERY.length ? "foreign" : "malformed");
  }
  assertEquals(decodeResponse(whole, QUERY).status, "ok");
});

Deno.test("decodeResponse() gives no records when the response is truncated", () => {
  const cut = respond(QUERY, { truncated: true, answers: [] });
  cut[7] = 9;
  const message = decoded(cut);
  assertEquals([message.truncated, message.records.length], [true, 0]);
});

Deno.test("decodeResponse() calls pointer loops and false counts malformed", () => {
  const start = QUERY.length;
  const tail = [0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1];
  const rows = [
    { name: "pointer to itself", owner: [0xc0, start] },
    { name: "pointer forward", owner: [0xc0, start + 4] },
    { name: "label, then pointer back to it", owner: [1, 97, 0xc0, start] },
    { name: "pointer past the end", owner: [0xff, 0xff] },
    { name: "reserved label type", owner: [0x80, 0] },
    { name: "half a pointer at the end", owner: [0xc0] },
  ];
  for (const { name, owner } of rows) {
    const head = respond(QUERY);
    head[7] = 1;
    const rest = name.startsWith("half") ? [] : tail;
    const bytes = Uint8Array.from([...head, ...owner, ...rest]);
    assertEquals(decodeResponse(bytes, QUERY).status, "malformed", name);
  }
  for (const count of [1, 255, 65535]) {
    for (const at of [6, 8]) {
      const bytes = respond(QUERY);
      new DataView(bytes.buffer).setUint16(at, count);
      assertEquals(decodeResponse(bytes, QUERY).status, "malformed");
    }
  }
  const compressed = Uint8Array.from([...respond(QUERY), 0xc0, 12, ...tail]);
  compressed[7] = 1;
  assertEquals(decoded(compressed).records.length, 1, "a good pointer");
});

/** A response whose records have these owners, behind a text of these bytes. */
function manyOwners(
  text: readonly number[],
  owners: readonly number[],
): Uint8Array {
  const head = respond(QUERY);
  const count = 1 + owners.length;
  head[6] = count >> 8;
  head[7] = count & 0xff;
  const record = (
    type: number,
    length: number,
  ): number[] => [0, type, 0, 1, 0, 0, 0, 60, length >> 8, length & 0xff];
  return Uint8Array.from([
    ...head,
    0,
    ...record(16, text.length),
    ...text,
    ...owners.flatMap((
      at,
    ) => [0xc0 | at >> 8, at & 0xff, ...record(1, 4), 192, 0, 2, 1]),
  ]);
}

Deno.test("decodeResponse() reads what thousands of pointers lead to once", () => {
  const start = QUERY.length + 11;
  // Four labels of 62 bytes: as long as a name can be.
  const long = Array.from({ length: 252 }, (_, i) => i % 63 === 0 ? 62 : 97);
  const whole = manyOwners([...long, 0], Array(4000).fill(start));
  assertEquals(decoded(whole).records.length, 4000);
  // A name of this length begins at each of 63 bytes.
  const dense = [...Array(252).fill(62), ...Array(63).fill(0)];
  const parts = Array.from({ length: 40 }, () => dense).flat();
  const owners = Array.from(
    { length: 40 * 63 },
    (_, i) => start + Math.floor(i / 63) * dense.length + i % 63,
  );
  const some = manyOwners(parts, owners.slice(0, 200));
  assertEquals(decoded(some).records.length, 200);
  const result = decodeResponse(manyOwners(parts, owners), QUERY);
  assertEquals(result.status, "malformed");
});

Deno.test("decodeResponse() reads 500 answers in a long message", () => {
  const answers = Array.from({ length: 500 }, (_, i): FakeRecord => ({
    name: "www.example.com",
    data: `10.0.${i >> 8}.${i & 255}`,
  }));
  const message = decoded(respond(QUERY, { answers }));
  assertEquals(message.records.length, 500);
  const reading = readAnswer(message, { name: "www.example.com", type: 1 });
  assert(reading.kind === "found" && reading.addresses.length === 64);
});

Deno.test("decodeResponse() survives 20,000 mutations and takes no wrong question", () => {
  const random = randomOf(4711);
  const good = respond(QUERY, {
    answers: [
      { name: "www.example.com", data: "b.example" },
      { name: "b.example", data: "192.0.2.1" },
      { name: "b.example", data: "2001:db8::1" },
    ],
    soa: 5,
  });
  let taken = 0;
  for (let round = 0; round < 20_000; round++) {
    let bytes = good.slice();
    for (let flips = random(6); flips >= 0; flips--) {
      bytes[random(bytes.length)] = [0, 0xc0, 0xff, random(256)][random(4)]!;
    }
    if (random(3) === 0) bytes = bytes.subarray(0, random(bytes.length + 1));
    const result = decodeResponse(bytes, QUERY);
    if (result.status === "foreign") continue;
    taken++;
    assertEquals(bytes.subarray(0, 2), QUERY.subarray(0, 2));
    assertEquals(bytes.subarray(12, QUERY.length), QUERY.subarray(12));
    if (result.status === "ok" && !result.message.truncated) {
      readAnswer(result.message, { name: "www.example.com", type: TYPE_A });
    }
  }
  assert(taken > 1_000);
});

Deno.test("readAnswer() follows the chain of one response", () => {
  const asked = "www.example.com";
  const chain = (length: number): FakeRecord[] =>
    Array.from({ length }, (_, i) => ({
      name: i === 0 ? asked : `h${i}`,
      data: `h${i + 1}`,
      ttl: 100 - i,
    }));
  const rows = [
    {
      answers: [{ name: asked, data: "192.0.2.1", ttl: 9 }],
      expected: "found",
    },
    {
      answers: [...chain(3), { name: "h3", data: "192.0.2.1" }],
      expected: "found",
    },
    { answers: chain(3), expected: "alias" },
    { answers: chain(3), soa: 5, expected: "none" },
    { answers: chain(17), expected: "failed" },
    { answers: [{ name: asked, data: asked }], expected: "failed" },
    {
      answers: [{ name: asked, data: "x" }, { name: "x", data: asked }],
      expected: "failed",
    },
    {
      answers: [{ name: "evil.example", data: "192.0.2.9" }],
      expected: "none",
    },
    { answers: [{ name: asked, data: "2001:db8::1" }], expected: "none" },
    { answers: [], rcode: 3, soa: 5, expected: "none" },
    { answers: [{ name: asked, data: "1.2.3.4" }], rcode: 3, expected: "none" },
    { answers: [], rcode: 2, expected: "failed" },
    { answers: [], rcode: 5, expected: "failed" },
    { answers: [], referral: true, expected: "failed" },
  ];
  for (const { expected, ...response } of rows) {
    const message = decoded(respond(QUERY, response));
    const reading = readAnswer(message, { name: asked, type: TYPE_A });
    assertEquals(reading.kind, expected, JSON.stringify(response));
    if (reading.kind === "none") {
      assertEquals(reading.exists, response.rcode !== 3);
    }
  }
});
