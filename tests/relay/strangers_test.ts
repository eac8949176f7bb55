/**
 * What whoever does not authenticate notices of a server: one thing, whatever
 * it has sent.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { ShadowsocksInbound } from "../../inbound/mod.ts";
import type { FakeStream } from "../../loop/fakes.ts";
import { HANDSHAKE_TIMEOUT } from "../../relay/constants.ts";
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
import { serverFlow } from "./_flow_fixture.ts";
import { RelayFixture } from "./_relay_fixture.ts";

const DEADLINE = HANDSHAKE_TIMEOUT;
const LENGTHS = [1, 15, 16, 33, 49, 50, 51, 59, 60, 221, 1000, 100_000];
const TARGET = { bytes: Uint8Array.of(192, 0, 2, 7), port: 80 };

/** What a stranger has noticed, in words, with the seconds from accept. */
async function watch(
  fixture: RelayFixture,
  pieces: readonly Uint8Array[],
  options: { readonly after?: number; readonly ends?: boolean } = {},
): Promise<string> {
  const client = await fixture.accept();
  const started = fixture.clock.now();
  const seen: string[] = [];
  let shutdowns = 0;
  const note = (): void => {
    const at = ((fixture.clock.now() - started) / 1000).toFixed(1);
    if (client.wasReset) seen.push(`reset ${at}`);
    else if (client.shutdowns > shutdowns) seen.push(`end ${at}`);
    else if (client.closed) seen.push(`closed ${at}`);
    shutdowns = client.shutdowns;
  };
  await fixture.advance(options.after ?? 0);
  for (const piece of pieces) {
    if (!client.closed) client.bring(piece);
    await fixture.settle();
  }
  if (options.ends === true && !client.closed) {
    client.end();
    await fixture.settle();
  }
  note();
  if (options.ends === true && !client.closed) {
    // The end of a stranger is answered by the clock.
    await fixture.advance(0.1);
    note();
  }
  while (!client.closed && fixture.clock.now() - started < 400_000) {
    await fixture.advance(0.5);
    note();
  }
  assertEquals(client.sends.length, 0);
  return seen.join(", ");
}

/** A relay of an edition; the loop is a fake. */
function relayOf(
  edition: Edition,
  options: ConstructorParameters<typeof ShadowsocksInbound>[1] = {},
  timeout = 300,
): RelayFixture {
  const inbound = new ShadowsocksInbound(edition, options);
  return new RelayFixture({ settings: { timeout }, relay: { inbound } });
}

function editionOf(method: string): Promise<Edition> {
  const password = method === NEW_METHOD ? NEW_KEY : "a password";
  return testEdition({ method, password });
}

/** A flight of a client that has the key. */
async function flightOf(
  method: string,
  payload = utf8("hello"),
): Promise<Uint8Array> {
  using peer = await editionOf(method);
  using stream = peer.newClientStream(TARGET);
  return encodeAll(stream, payload);
}

/** Bytes that no method takes for a request: of streams most are none. */
async function refusedBytes(
  method: string,
  length: number,
): Promise<Uint8Array> {
  for (let seed = length + 1;; seed += 1000) {
    const bytes = seededBytes(length, seed);
    using edition = await editionOf(method);
    using stream = edition.newServerStream();
    const output = new Uint8Array(length + 65_536);
    if (stream.receive(bytes, output).kind !== "request") return bytes;
  }
}

const REACTIONS = [
  { method: AEAD_METHOD, reject: "reset", sees: "", timeout: 300 },
  { method: AEAD_METHOD, reject: "drain", sees: "", timeout: 20 },
  { method: STREAM_METHOD, reject: "silent", sees: "", timeout: 300 },
  { method: STREAM_METHOD, reject: "silent", sees: "", timeout: 7 },
  { method: NEW_METHOD, reject: "reset", sees: "reset", timeout: 300 },
  { method: NEW_METHOD, reject: "drain", sees: "end", timeout: 300 },
  { method: NEW_METHOD, reject: "drain", sees: "end", timeout: 30 },
  { method: NEW_METHOD, reject: "silent", sees: "", timeout: 300 },
  { method: NEW_METHOD, reject: "silent", sees: "", timeout: 5 },
] as const;
for (const { method, reject, sees, timeout } of REACTIONS) {
  const name = `${method}, reject ${reject}, timeout ${timeout}`;
  const deadline = Math.min(timeout, DEADLINE).toFixed(1);

  Deno.test(`TCPRelay of shadowsocks to direct has one reaction to bytes of any length (${name})`, async () => {
    using edition = await editionOf(method);
    for (const after of [0, 3]) {
      using fixture = relayOf(edition, { reject }, timeout);
      const at = `${after}.0`;
      const expected = sees === "reset"
        ? `reset ${at}`
        : sees === "end"
        ? `end ${at}, end ${deadline}`
        : `end ${deadline}`;
      for (const length of LENGTHS) {
        const bytes = await refusedBytes(method, length);
        const seen = await watch(fixture, [bytes], { after });
        assertEquals(seen, expected, `${length} bytes`);
      }
      const flight = await flightOf(method);
      for (const bit of [0, 8 * 17 + 3, 8 * 40]) {
        if (method === STREAM_METHOD) continue;
        const forged = flight.slice();
        forged[bit >> 3]! ^= 1 << bit % 8;
        assertEquals(await watch(fixture, [forged], { after }), expected);
      }
    }
  });

  Deno.test(`TCPRelay of shadowsocks to direct ends with a client that sends its end (${name})`, async () => {
    using edition = await editionOf(method);
    using fixture = relayOf(edition, { reject }, timeout);
    const expected = sees === "reset" ? "reset 0.0" : "closed 0.1";
    for (const length of [0, ...LENGTHS]) {
      const bytes = length === 0 ? [] : [await refusedBytes(method, length)];
      const seen = await watch(fixture, bytes, { ends: true });
      const isDrained = sees === "end" && length > 0;
      assertEquals(
        seen,
        isDrained ? `end 0.0, ${expected}` : expected,
        `${length} bytes`,
      );
    }
  });

  Deno.test(`TCPRelay of shadowsocks to direct answers an end by the last byte, whether that was still awaited (${name})`, async () => {
    if (sees !== "") return;
    using edition = await editionOf(method);
    using fixture = relayOf(edition, { reject }, timeout);
    for (const length of LENGTHS) {
      const client = await fixture.accept();
      client.bring(await refusedBytes(method, length));
      await fixture.settle();
      await fixture.advance(2);
      client.bring(Uint8Array.of(1));
      await fixture.settle();
      client.end();
      await fixture.settle();
      await fixture.advance(0.045);
      assertEquals(client.closed, false, `${length} bytes`);
      await fixture.advance(0.06);
      assertEquals(client.closed, true, `${length} bytes`);
    }
  });

  Deno.test(`TCPRelay of shadowsocks to direct ends at the deadline whoever sends nothing (${name})`, async () => {
    using edition = await editionOf(method);
    using fixture = relayOf(edition, { reject }, timeout);
    const seen = await watch(fixture, []);
    assertEquals(seen, `${sees === "reset" ? "reset" : "end"} ${deadline}`);
  });
}

Deno.test("TCPRelay of shadowsocks to direct ends at the deadline whoever is refused behind a valid header", async () => {
  for (const [moment, end] of [[0, 60], [5, 60], [59, 60], [100, 160]]) {
    using fixture = new RelayFixture();
    const { local, client } = await serverFlow(fixture);
    await fixture.advance(moment!);
    local.bring(concat(client.seal(utf8("good")), new Uint8Array(64)));
    await fixture.settle();
    await fixture.advance(end! - moment! - 0.1);
    local.bring(new Uint8Array(10));
    await fixture.settle();
    assertEquals([local.closed, local.shutdowns], [false, 0]);
    await fixture.advance(0.2);
    assertEquals([local.closed, local.wasReset], [true, false]);
  }
});

Deno.test("TCPRelay of shadowsocks to direct says nothing about targets that a stream method may have named by chance", async () => {
  using edition = await editionOf(STREAM_METHOD);
  using fixture = relayOf(edition);
  fixture.poller.onConnect = (stream) => stream.fail("ECONNREFUSED");
  const flight = await flightOf(STREAM_METHOD);
  assertEquals(await watch(fixture, [flight], { after: 2 }), "end 60.0");
  assertEquals(fixture.ended[0]!.status, "dial_failed");
});

Deno.test("TCPRelay of shadowsocks to direct drains where it cannot reset, and never resets by unread bytes", async () => {
  using edition = await editionOf(NEW_METHOD);
  using fixture = relayOf(edition, { reject: "reset" });
  fixture.poller.resets = false;
  for (const length of LENGTHS) {
    const bytes = await refusedBytes(NEW_METHOD, length);
    assertEquals(await watch(fixture, [bytes]), "end 0.0, end 60.0");
  }
});

Deno.test("TCPRelay has the oldest stranger make room, whether it has sent something or not", async () => {
  for (const order of [[0, 400, 20], [400, 20, 0], [20, 0, 400]]) {
    using edition = await editionOf(AEAD_METHOD);
    using fixture = relayOf(edition);
    const clients: FakeStream[] = [];
    for (const length of order) {
      const client = await fixture.accept();
      if (length > 0) client.bring(seededBytes(length, 1));
      clients.push(client);
      await fixture.advance(1);
    }
    fixture.listener.acceptError = "EMFILE";
    fixture.listener.arrive();
    await fixture.settle();
    assertEquals(clients.map((each) => each.closed), [true, false, false]);
    assert(!clients[0]!.wasReset);
    fixture.listener.acceptError = "";
  }
});

Deno.test("TCPRelay of shadowsocks to direct serves who is authentic, whatever strangers are told", async () => {
  for (const reject of ["reset", "drain", "silent"] as const) {
    for (const method of [AEAD_METHOD, STREAM_METHOD, NEW_METHOD]) {
      using edition = await editionOf(method);
      using fixture = relayOf(edition, { reject });
      const client = await fixture.accept();
      client.bring(await flightOf(method));
      await fixture.settle();
      const [remote] = fixture.poller.connects;
      remote!.establish();
      await fixture.settle();
      assertEquals(text(remote!.sent), "hello");
      assertEquals([client.closed, client.shutdowns], [false, 0]);
    }
  }
});
