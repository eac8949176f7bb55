/**
 * TCP from HTTP to the target: clients that send ahead, and end.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { HttpInbound } from "../../inbound/mod.ts";
import type { FakeStream } from "../../loop/fakes.ts";
import { RelayFixture } from "./_relay_fixture.ts";
import { text, utf8 } from "../support/bytes.ts";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

function get(path: string, fields = ""): string {
  return `GET http://192.0.2.7${path} HTTP/1.1\r\nHost: x\r\n${fields}\r\n`;
}

/** How many requests a text has. */
function requests(sent: Uint8Array): number {
  return text(sent).split("GET /").length - 1;
}

/** A proxy for `http://` without a server on the way. */
class HttpFixture extends RelayFixture {
  constructor() {
    super({ relay: { inbound: new HttpInbound(), protocol: "http" } });
  }

  /** A client that has sent `sent`, whose first target is connected. */
  async client(sent: string): Promise<FakeStream> {
    const client = await this.accept();
    client.bring(utf8(sent));
    await this.settle();
    await this.establish();
    return client;
  }

  /** The newest connection to the origin is made. */
  async establish(): Promise<FakeStream> {
    const origin = this.poller.connects.at(-1)!;
    origin.establish();
    await this.settle();
    return origin;
  }

  /** The statuses of the sessions that have ended. */
  get statuses(): readonly (string | undefined)[] {
    return this.ended.map(({ status }) => status);
  }
}

Deno.test("TCPRelay of HTTP to direct passes a client's end on while its next requests wait, and answers them", async () => {
  using fixture = new HttpFixture();
  const client = await fixture.client(get("/1") + get("/2") + get("/3"));
  const [first] = fixture.poller.connects;
  client.end();
  await fixture.settle();
  assertEquals([requests(first!.sent), first!.shutdowns], [1, 1]);
  first!.bring(utf8(OK));
  await fixture.settle();
  assertEquals([text(client.sent), first!.closed], [OK, true]);
  for (const path of ["/2", "/3"]) {
    const next = await fixture.establish();
    assertEquals(text(next.sent).startsWith(`GET ${path} `), true);
    assertEquals(next.shutdowns, 1);
    next.bring(utf8(OK));
    await fixture.settle();
    if (path === "/3") next.end();
    await fixture.settle();
  }
  assertEquals(text(client.sent), OK.repeat(3));
  assertEquals(client.closed, true);
  assertEquals(fixture.relay.connections, 0);
});

Deno.test("TCPRelay of HTTP to direct ends both sides when the origin gives a client up that has ended", async () => {
  using fixture = new HttpFixture();
  const client = await fixture.client(get("/1") + get("/2"));
  const [origin] = fixture.poller.connects;
  client.end();
  await fixture.settle();
  assertEquals([client.closed, origin!.shutdowns], [false, 1]);
  origin!.end();
  await fixture.settle();
  assertEquals([client.closed, origin!.closed], [true, true]);
  assertEquals(fixture.statuses, ["target_reset"]);
});

Deno.test("TCPRelay of HTTP to direct sees a client's reset while its next request waits", async () => {
  using fixture = new HttpFixture();
  const client = await fixture.client(get("/1") + get("/2"));
  client.fail("ECONNRESET");
  await fixture.settle();
  assertEquals([client.closed, fixture.poller.connects[0]!.wasReset], [
    true,
    true,
  ]);
  assertEquals(fixture.statuses, ["client_reset"]);
});

Deno.test("TCPRelay of HTTP to direct takes line ends behind a request for nothing", async () => {
  using fixture = new HttpFixture();
  const client = await fixture.client(`${get("/1")}\r\n\r\n`);
  const [origin] = fixture.poller.connects;
  client.end();
  await fixture.settle();
  assertEquals(origin!.shutdowns, 1);
  origin!.bring(utf8(OK));
  await fixture.settle();
  origin!.end();
  await fixture.settle();
  assertEquals([text(client.sent), client.closed], [OK, true]);
  assertEquals(fixture.statuses.includes("client_reset"), false);
});

Deno.test("TCPRelay of HTTP to direct resets when a client ends behind bytes of a protocol that was not switched to", async () => {
  using fixture = new HttpFixture();
  const upgrade = "Connection: Upgrade\r\nUpgrade: x\r\n";
  const client = await fixture.client(`${get("/1", upgrade)}\r\nRAW`);
  client.end();
  await fixture.settle();
  assertEquals([client.wasReset, fixture.poller.connects[0]!.wasReset], [
    true,
    true,
  ]);
  assertEquals(fixture.statuses, ["client_reset"]);
});

Deno.test("TCPRelay of HTTP to direct reads no more than 64 KiB ahead of an answer", async () => {
  using fixture = new HttpFixture();
  const one = get("/2");
  const count = Math.ceil(65_536 / one.length) + 1;
  const client = await fixture.client(get("/1"));
  const [origin] = fixture.poller.connects;
  for (let i = 0; i < count; i++) client.bring(utf8(one));
  await fixture.settle();
  const { reads } = client;
  client.bring(utf8(one));
  client.end();
  await fixture.settle();
  assertEquals([client.reads, requests(origin!.sent)], [reads, 1]);
  assertEquals(origin!.shutdowns, 0);
  let answered = 0;
  for (; fixture.relay.connections > 0 && answered < count + 2; answered++) {
    const last = fixture.poller.connects.at(-1)!;
    if (!last.connected) await fixture.establish();
    last.bring(utf8(OK));
    await fixture.settle();
    if (answered === count + 1) last.end();
    await fixture.settle();
  }
  assertEquals([answered, client.closed], [count + 2, true]);
  assertEquals(text(client.sent), OK.repeat(count + 2));
});

Deno.test("TCPRelay of HTTP to direct says 502 when the far side fails before the answer", async () => {
  const interim = "HTTP/1.1 103 Early Hints\r\n\r\n";
  for (const room of [0, interim.length, interim.length + 9, Infinity]) {
    const isFull = room < Infinity;
    using fixture = new HttpFixture();
    const client = await fixture.client(get("/1"));
    const [origin] = fixture.poller.connects;
    client.room = room;
    origin!.bring(utf8(interim));
    await fixture.settle();
    origin!.fail("ECONNRESET");
    await fixture.settle();
    assertEquals([origin!.closed, client.closed], [
      room >= interim.length,
      !isFull,
    ]);
    client.room = Infinity;
    await fixture.settle();
    assertEquals(client.closed, true);
    assertEquals(
      text(client.sent).startsWith(`${interim}HTTP/1.1 502 Bad Gateway\r\n`),
      true,
    );
    assertEquals(fixture.statuses, ["target_reset"]);
    // An exception of a handler does not end the loop, but is logged.
    assertEquals(fixture.logs.of("error"), []);
  }
});

Deno.test("TCPRelay of HTTP to direct resets the client when the far side fails amid the answer", async () => {
  for (const head of [OK.slice(0, -1), "HTTP/1.1 200 OK\r\n\r\nabc"]) {
    using fixture = new HttpFixture();
    const client = await fixture.client(get("/1"));
    const [origin] = fixture.poller.connects;
    origin!.bring(utf8(head));
    await fixture.settle();
    origin!.fail("ECONNRESET");
    await fixture.settle();
    assertEquals([client.wasReset, fixture.statuses], [true, ["target_reset"]]);
  }
});

for (const answered of [true, false]) {
  Deno.test(`TCPRelay of HTTP to direct ${answered ? "closes" : "resets"} a client that times out ${answered ? "between two requests" : "while an answer is owed"}`, async () => {
    using fixture = new HttpFixture();
    const client = await fixture.client(get("/1"));
    const [origin] = fixture.poller.connects;
    origin!.bring(utf8(answered ? OK : OK.slice(0, -1)));
    await fixture.settle();
    await fixture.advance(400);
    assertEquals([client.closed, client.wasReset], [true, !answered]);
  });
}
