/**
 * Strangers of a server that has a fallback: they are passed on, bytes
 * included, all in the same way.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { ShadowsocksInbound } from "../../inbound/mod.ts";
import { IpNetworks } from "../../outbound/mod.ts";
import type { FakeStream } from "../../loop/fakes.ts";
import type { Edition } from "../../shadowsocks/mod.ts";
import {
  AEAD_METHOD,
  encodeAll,
  NEW_KEY,
  NEW_METHOD,
  STREAM_METHOD,
  testEdition,
} from "../../shadowsocks/fakes.ts";
import { concat, seededBytes, text, utf8 } from "../support/bytes.ts";
import { RelayFixture } from "./_relay_fixture.ts";

const PLACE = { host: "127.0.0.1", port: 8080 };
const TARGET = { bytes: Uint8Array.of(192, 0, 2, 7), port: 80 };
const REQUEST = utf8("GET / HTTP/1.1\r\n\r\n");
const HELLO = concat(
  Uint8Array.of(22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3),
  seededBytes(506, 1),
);
/** Seconds of silence after which the older methods know a stranger. */
const SILENCE = 1;
/** Where flights may be cut in two; the 2022 edition wants its head whole. */
const CUTS: Readonly<Record<string, readonly number[]>> = {
  [AEAD_METHOD]: [1, 15, 16, 17, 34, 49, 50, 55],
  [STREAM_METHOD]: [1, 15, 16, 17, 22],
  [NEW_METHOD]: [43, 44, 60],
};
const REFUSED = "can not parse header when handling connection from";

function editionOf(method: string, clock?: number): Promise<Edition> {
  const password = method === NEW_METHOD ? NEW_KEY : "a password";
  const time = clock === undefined ? undefined : {
    time: () => clock,
    passed: () => 0,
  };
  return testEdition({ method, password }, undefined, time);
}

async function flightOf(
  method: string,
  payload = "hello",
  clock?: number,
): Promise<Uint8Array> {
  using peer = await editionOf(method, clock);
  using stream = peer.newClientStream(TARGET);
  return encodeAll(stream, utf8(payload));
}

function relayOf(
  edition: Edition,
  options: ConstructorParameters<typeof ShadowsocksInbound>[1] = {},
): RelayFixture {
  const inbound = new ShadowsocksInbound(edition, {
    fallback: PLACE,
    ...options,
  });
  // The fallback is the operator's own: no rule about addresses holds for it.
  const forbiddenIp = IpNetworks.of("127.0.0.0/8");
  return new RelayFixture({ settings: { forbiddenIp }, relay: { inbound } });
}

/** Brings pieces, each in a read of its own. */
async function bring(
  fixture: RelayFixture,
  client: FakeStream,
  ...pieces: readonly Uint8Array[]
): Promise<void> {
  for (const piece of pieces) {
    client.bring(piece);
    await fixture.settle();
  }
}

/** The newest connect, made. */
async function reached(fixture: RelayFixture): Promise<FakeStream> {
  const remote = fixture.poller.connects.at(-1)!;
  assertEquals(`${remote.remoteAddress}`, "127.0.0.1:8080");
  remote.establish();
  await fixture.settle();
  return remote;
}

/** Whoever is a stranger, by what it sends. */
async function strangers(method: string): Promise<[string, Uint8Array][]> {
  const flight = await flightOf(method);
  const forged = flight.slice();
  forged[20]! ^= 1;
  const found: [string, Uint8Array][] = [["forged", forged]];
  for (const length of [50, 51, 221, 5000]) {
    found.push([`${length} bytes of noise`, seededBytes(length, length)]);
  }
  for (const length of [1, 15, 16, 33, 42]) {
    found.push([`${length} bytes of a flight`, flight.slice(0, length)]);
  }
  if (method === AEAD_METHOD) {
    // Of the last ones the sealed length is genuine.
    for (const length of [49, 50, 52, flight.length - 1]) {
      found.push([`${length} bytes of a flight`, flight.slice(0, length)]);
    }
  }
  return found;
}

for (const method of [AEAD_METHOD, NEW_METHOD]) {
  const wait = method === NEW_METHOD ? 0 : SILENCE;

  Deno.test(`TCPRelay of shadowsocks to direct passes every stranger on at the same moment (${method})`, async () => {
    for (const [name, bytes] of await strangers(method)) {
      using edition = await editionOf(method);
      using fixture = relayOf(edition);
      const client = await fixture.accept();
      await fixture.advance(5);
      await bring(fixture, client, bytes);
      if (wait > 0) {
        await fixture.advance(wait - 0.01);
        assertEquals(fixture.poller.connects.length, 0, name);
        await fixture.advance(0.02);
      }
      const remote = await reached(fixture);
      assertEquals(remote.sent, bytes, name);
      assertEquals(fixture.ended[0]?.status, "auth_failed", name);
      assertEquals(fixture.logs.with(REFUSED).length, 1, name);
      remote.bring(utf8("answer"));
      await bring(fixture, client, utf8("more"));
      assertEquals(text(client.sent), "answer");
      assertEquals(remote.sent, concat(bytes, utf8("more")));
      assertEquals([client.closed, client.shutdowns], [false, 0]);
    }
  });

  Deno.test(`TCPRelay of shadowsocks to direct passes a replay on like any stranger (${method})`, async () => {
    using edition = await editionOf(method);
    using fixture = relayOf(edition);
    const flight = await flightOf(method);
    const first = await fixture.accept();
    await bring(fixture, first, flight);
    assertEquals(
      `${fixture.poller.connects[0]!.remoteAddress}`,
      "192.0.2.7:80",
    );
    const client = await fixture.accept();
    await bring(fixture, client, flight);
    if (wait > 0) await fixture.advance(wait + 0.01);
    const remote = await reached(fixture);
    assertEquals(remote.sent, flight);
    assertEquals(fixture.ended.map(({ status }) => status), ["replay"]);
    assertEquals(fixture.logs.with(REFUSED).length, 1);
  });
}

Deno.test("TCPRelay of shadowsocks to direct passes a client on whose clock is wrong", async () => {
  using edition = await editionOf(NEW_METHOD, 1_700_000_000_000);
  using fixture = relayOf(edition);
  const client = await fixture.accept();
  const flight = await flightOf(NEW_METHOD, "hello", 1_700_000_100_000);
  await bring(fixture, client, flight);
  const remote = await reached(fixture);
  assertEquals(remote.sent, flight);
  assertEquals(fixture.ended[0]?.status, "skew");
});

for (const method of [AEAD_METHOD, STREAM_METHOD, NEW_METHOD]) {
  for (const [name, bytes] of [["HTTP", REQUEST], ["TLS", HELLO]] as const) {
    Deno.test(`TCPRelay of shadowsocks to direct passes ${name} on at once (${method})`, async () => {
      using edition = await editionOf(method);
      using fixture = relayOf(edition);
      const client = await fixture.accept();
      await bring(fixture, client, bytes);
      const remote = await reached(fixture);
      assertEquals(remote.sent, bytes);
      assertEquals(fixture.ended[0]?.status, "auth_failed");
      assertEquals(fixture.logs.with(REFUSED).length, 1);
      assertEquals(fixture.logs.with("failed to handshake").length, 1);
      // Neither users nor statistics hear of what is passed on.
      const heard = fixture.stats.length;
      remote.bring(utf8("HTTP/1.1 200 OK\r\n\r\n"));
      await bring(fixture, client, REQUEST);
      assertEquals(fixture.stats.length, heard);
      assertEquals(fixture.ended[0]?.down, 0);
    });
  }

  Deno.test(`TCPRelay of shadowsocks to direct serves who is authentic beside a fallback (${method})`, async () => {
    using edition = await editionOf(method);
    using fixture = relayOf(edition);
    const cuts = CUTS[method] ?? [];
    for (const cut of cuts) {
      const fresh = await flightOf(method);
      const client = await fixture.accept();
      await bring(fixture, client, fresh.subarray(0, cut));
      await fixture.advance(SILENCE - 0.1);
      await bring(fixture, client, fresh.subarray(cut));
      const remote = fixture.poller.connects.at(-1)!;
      assertEquals(`${remote.remoteAddress}`, "192.0.2.7:80", `cut at ${cut}`);
      remote.establish();
      await fixture.settle();
      assertEquals(text(remote.sent), "hello");
      await fixture.advance(2 * SILENCE);
      assertEquals(client.closed, false);
      client.end();
      remote.end();
      await fixture.settle();
    }
    assertEquals(
      fixture.ended.map(({ status }) => status),
      cuts.map(() => "ok"),
    );
  });
}

Deno.test("TCPRelay of shadowsocks to direct serves a client of 2022 whose second header is late", async () => {
  using edition = await editionOf(NEW_METHOD);
  using fixture = relayOf(edition);
  const client = await fixture.accept();
  const flight = await flightOf(NEW_METHOD);
  await bring(fixture, client, flight.subarray(0, 50));
  await fixture.advance(10 * SILENCE);
  await bring(fixture, client, flight.subarray(50));
  assertEquals(`${fixture.poller.connects[0]!.remoteAddress}`, "192.0.2.7:80");
});

Deno.test("TCPRelay of shadowsocks to direct knows an HTTP request that comes in pieces, and counts silence from the last byte", async () => {
  using edition = await editionOf(AEAD_METHOD);
  using fixture = relayOf(edition);
  const web = await fixture.accept();
  const other = await fixture.accept();
  await bring(fixture, web, utf8("G"), utf8("ET"));
  for (let i = 0; i < 30; i++) {
    await bring(fixture, other, Uint8Array.of(i));
    await fixture.advance(0.9 * SILENCE);
    if (i === 0) await bring(fixture, web, utf8(" /"));
    assertEquals(fixture.poller.connects.length, i === 0 ? 1 : 1);
  }
  await fixture.advance(0.2 * SILENCE);
  assertEquals(fixture.poller.connects.length, 2);
  const remote = await reached(fixture);
  assertEquals(remote.sent, Uint8Array.from({ length: 30 }, (_, i) => i));
});

Deno.test("TCPRelay of shadowsocks to direct passes a stranger's end on with its bytes, at the same moment", async () => {
  for (const length of [1, 40, 60]) {
    using edition = await editionOf(AEAD_METHOD);
    using fixture = relayOf(edition);
    const client = await fixture.accept();
    await bring(fixture, client, seededBytes(length, 1));
    client.end();
    await fixture.advance(SILENCE - 0.01);
    assertEquals(fixture.poller.connects.length, 0);
    await fixture.advance(0.02);
    const remote = await reached(fixture);
    assertEquals([remote.sent.length, remote.shutdowns], [length, 1]);
    remote.bring(utf8("answer"));
    remote.end();
    await fixture.settle();
    assertEquals(text(client.sent), "answer");
    assertEquals([client.closed, client.wasReset], [true, false]);
    assertEquals([remote.closed, remote.wasReset], [true, false]);
  }
});

for (const method of [AEAD_METHOD, NEW_METHOD]) {
  Deno.test(`TCPRelay of shadowsocks to direct closes a client that has sent nothing, as a web server does (${method})`, async () => {
    using edition = await editionOf(method);
    using fixture = relayOf(edition);
    const client = await fixture.accept();
    client.end();
    await fixture.settle();
    assertEquals([client.closed, client.wasReset], [true, false]);
    const idle = await fixture.accept();
    await fixture.advance(59.9);
    assertEquals([idle.closed, idle.shutdowns], [false, 0]);
    await fixture.advance(0.2);
    assertEquals([idle.closed, idle.wasReset], [true, false]);
    assertEquals(fixture.poller.connects.length, 0);
  });
}

Deno.test("TCPRelay of shadowsocks to direct resets one end of a passed connection when the other is reset", async () => {
  for (const isClient of [true, false]) {
    using edition = await editionOf(AEAD_METHOD);
    using fixture = relayOf(edition);
    const client = await fixture.accept();
    await bring(fixture, client, REQUEST);
    const remote = await reached(fixture);
    (isClient ? client : remote).fail("ECONNRESET");
    await fixture.settle();
    assert((isClient ? remote : client).wasReset);
    assertEquals(fixture.relay.connections, 0);
  }
});

Deno.test("TCPRelay of shadowsocks to direct keeps a bounded number of a stranger's bytes, and passes all on", async () => {
  using edition = await editionOf(AEAD_METHOD);
  using fixture = relayOf(edition);
  const client = await fixture.accept();
  const pieces = Array.from({ length: 40 }, (_, i) => seededBytes(10_000, i));
  client.bring(...pieces);
  await fixture.settle();
  assertEquals(client.reads, 2, "16 KiB");
  await fixture.advance(SILENCE + 0.01);
  const remote = await reached(fixture);
  assertEquals(remote.sent, concat(...pieces));
});

Deno.test("TCPRelay of shadowsocks to direct looks the fallback's name up", async () => {
  using edition = await editionOf(AEAD_METHOD);
  const fallback = { host: "web.example", port: 8080 };
  using fixture = relayOf(edition, { fallback });
  const client = await fixture.accept();
  await bring(fixture, client, REQUEST);
  assertEquals(fixture.resolver.asked[0]!.hostname, "web.example");
  fixture.resolver.answer("127.0.0.1");
  await fixture.settle();
  assertEquals((await reached(fixture)).sent, REQUEST);
});

const UNREACHED = [
  { method: AEAD_METHOD, reject: "reset", sees: [false, 0], ends: "end" },
  { method: NEW_METHOD, reject: "reset", sees: [true, 0], ends: "" },
  { method: NEW_METHOD, reject: "drain", sees: [false, 1], ends: "end" },
  { method: NEW_METHOD, reject: "silent", sees: [false, 0], ends: "end" },
] as const;
for (const { method, reject, sees, ends } of UNREACHED) {
  Deno.test(`TCPRelay of shadowsocks to direct reacts as ever when the fallback is not reached (${method}, ${reject})`, async () => {
    using edition = await editionOf(method);
    using fixture = relayOf(edition, { reject });
    fixture.poller.onConnect = (stream) => stream.fail("ECONNREFUSED");
    const client = await fixture.accept();
    await fixture.advance(10);
    await bring(fixture, client, REQUEST);
    assertEquals([client.wasReset, client.shutdowns], [...sees]);
    assertEquals(fixture.logs.with("cannot connect to fallback").length, 1);
    assertEquals(fixture.ended.map(({ status }) => status), ["auth_failed"]);
    if (ends === "") return;
    await fixture.advance(49.9);
    await bring(fixture, client, REQUEST);
    assert(!client.closed);
    await fixture.advance(0.2);
    assertEquals([client.closed, client.wasReset], [true, false]);
  });
}

Deno.test("TCPRelay has a passed connection make room when descriptors run out", async () => {
  using edition = await editionOf(AEAD_METHOD);
  using fixture = relayOf(edition);
  const client = await fixture.accept();
  await bring(fixture, client, REQUEST);
  const remote = await reached(fixture);
  await fixture.advance(120);
  assert(!client.closed, "it has no deadline");
  const younger = await fixture.accept();
  fixture.listener.acceptError = "EMFILE";
  fixture.listener.arrive();
  await fixture.settle();
  assertEquals([client.closed, remote.closed, younger.closed], [
    true,
    true,
    false,
  ]);
  fixture.listener.acceptError = "";
});

Deno.test("TCPRelay forgets a stranger that goes before it is passed on", async () => {
  using edition = await editionOf(AEAD_METHOD);
  using fixture = relayOf(edition);
  const client = await fixture.accept();
  await bring(fixture, client, seededBytes(100, 1));
  client.fail("ECONNRESET");
  await fixture.settle();
  assertEquals(fixture.ended[0]?.status, "auth_failed");
  await fixture.advance(2 * SILENCE);
  assertEquals(fixture.poller.connects.length, 0);
  assertEquals(fixture.relay.connections, 0);
});

Deno.test("TCPRelay of shadowsocks to direct counts silence from the arrival of bytes, however long they are looked at", async () => {
  using edition = await editionOf(AEAD_METHOD);
  using fixture = relayOf(edition);
  const slow = edition.newServerStream.bind(edition);
  edition.newServerStream = (...rest) => {
    const stream = slow(...rest);
    const receive = stream.receive.bind(stream);
    stream.receive = (data, output) => {
      fixture.clock.advance(30);
      return receive(data, output);
    };
    return stream;
  };
  const busy = await fixture.accept();
  await bring(fixture, busy, seededBytes(100, 2));
  // 30 ms have gone already.
  await fixture.advance(SILENCE - 0.051);
  await fixture.advance(0.02);
  assertEquals(fixture.poller.connects.length, 0);
  await fixture.advance(0.002);
  assertEquals(fixture.poller.connects.length, 1);
});
