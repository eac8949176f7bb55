/**
 * TCP relays that speak the 2022 edition: what leaves in one write, what ends
 * a connection cleanly, and clocks that differ.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { findMethod } from "../../crypto/mod.ts";
import type { FakeStream } from "../../loop/fakes.ts";
import { FakeResolver } from "../../dns/fakes.ts";
import { ShadowsocksInbound, SocksInbound } from "../../inbound/mod.ts";
import { makeRouter, ShadowsocksOutbound } from "../../outbound/mod.ts";
import { FIRST_PAYLOAD_WAIT } from "../../relay/constants.ts";
import { Target } from "../../relay/mod.ts";
import {
  type Edition,
  type EditionClock,
  openEdition,
  type ServerStream,
} from "../../shadowsocks/mod.ts";
import { NEW_KEY, NEW_METHOD } from "../../shadowsocks/fakes.ts";
import { GREETING, request, TARGET } from "./_flow_fixture.ts";
import { PROVIDERS, RelayFixture } from "./_relay_fixture.ts";
import { text, utf8 } from "../support/bytes.ts";

/** Salt, fixed header, and what a variable one has beside its payload. */
const HEAD = 16 + 27 + 7 + 2 + 16;

await PROVIDERS.forMethod(findMethod(NEW_METHOD)!);

/** A clock that tests set. */
class TestClock implements EditionClock {
  unix = 1_700_000_000_000;
  time = (): number => this.unix;
  passed = (): number => 0;
}

function open(clock: EditionClock): Promise<Edition> {
  const options = { method: NEW_METHOD, password: NEW_KEY };
  return openEdition(options, { providers: PROVIDERS, clock });
}

/** A local of the edition. */
function localOf(edition: Edition): RelayFixture {
  const server = Target.of("192.0.2.1", 8388);
  const way = new ShadowsocksOutbound({ name: "way", server, edition });
  const routes = { default: way, direct: way };
  return new RelayFixture({
    isLocal: true,
    relay: {
      inbound: new SocksInbound(),
      router: makeRouter({
        role: "client",
        routes,
        resolver: new FakeResolver(),
      }),
    },
  });
}

/** An application that has asked for the target, and the way to the server. */
async function flowOf(fixture: RelayFixture): Promise<{
  readonly app: FakeStream;
  readonly remote: FakeStream;
}> {
  const app = await fixture.accept();
  app.bring(GREETING);
  await fixture.settle();
  app.bring(request(1));
  await fixture.settle();
  const remote = fixture.poller.connects.at(-1)!;
  remote.establish();
  await fixture.settle();
  return { app, remote };
}

/** What the server makes of a first flight. */
function served(stream: ServerStream, flight: Uint8Array): string {
  const answer = stream.receive(flight, new Uint8Array(70_000));
  return answer.kind === "request" ? text(answer.payload) : answer.kind;
}

function encoded(stream: ServerStream, payload: string): Uint8Array {
  const output = new Uint8Array(10_000);
  const input = utf8(payload);
  return output.slice(0, stream.encode(input, output, input.length));
}

Deno.test("TCPRelay of SOCKS to the 2022 edition sends salt, both headers and first payload in one write", async () => {
  const clock = new TestClock();
  using edition = await open(clock);
  using peer = await open(clock);
  using fixture = localOf(edition);
  const { app, remote } = await flowOf(fixture);
  app.bring(utf8("payload"));
  await fixture.settle();
  assertEquals(remote.sends.length, 1);
  assertEquals(remote.sent.length, HEAD + 7);
  using server = peer.newServerStream();
  assertEquals(served(server, remote.sent), "payload");
  remote.bring(encoded(server, "answer"));
  await fixture.settle();
  assert(text(app.sent).endsWith("answer"));
  assert(!app.wasReset);
});

Deno.test("TCPRelay of SOCKS to the 2022 edition sends the head with padding when no payload comes", async () => {
  const clock = new TestClock();
  using edition = await open(clock);
  using peer = await open(clock);
  using fixture = localOf(edition);
  const { remote } = await flowOf(fixture);
  assertEquals(remote.sends.length, 0);
  await fixture.advance(FIRST_PAYLOAD_WAIT / 1000);
  assertEquals(remote.sends.length, 1);
  assert(remote.sent.length > HEAD && remote.sent.length <= HEAD + 900);
  using server = peer.newServerStream();
  assertEquals(served(server, remote.sent), "");
});

Deno.test("TCPRelay of SOCKS to the 2022 edition logs how far the server's clock is, and resets", async () => {
  const clock = new TestClock();
  const theirs = new TestClock();
  using edition = await open(clock);
  using peer = await open(theirs);
  using fixture = localOf(edition);
  const { app, remote } = await flowOf(fixture);
  app.bring(utf8("payload"));
  await fixture.settle();
  using server = peer.newServerStream();
  assertEquals(served(server, remote.sent), "payload");
  theirs.unix += 31_000;
  fixture.logs.clear();
  remote.bring(encoded(server, "answer"));
  await fixture.settle();
  assert(app.wasReset);
  assertEquals(fixture.logs.of("error"), [
    "the clock of 192.0.2.1:8388 differs from ours by 31 s (below 0: it is behind), 30 are allowed: set both clocks, best by NTP",
  ]);
  assertEquals(fixture.ended[0]!.status, "server_failed");
});

Deno.test("TCPRelay of the 2022 edition to direct gives an empty answer a clean end, and waits for all of a head", async () => {
  const clock = new TestClock();
  using edition = await open(clock);
  using peer = await open(clock);
  using fixture = new RelayFixture({
    relay: { inbound: new ShadowsocksInbound(edition) },
  });
  using client = peer.newClientStream({
    bytes: Uint8Array.of(192, 0, 2, 7),
    port: TARGET.port,
  });
  const output = new Uint8Array(10_000);
  const flight = output.slice(0, client.encode(utf8("hello"), output, 5));
  const local = await fixture.accept();
  local.bring(flight.slice(0, 43));
  await fixture.settle();
  assertEquals(fixture.poller.connects.length, 0);
  local.bring(flight.slice(43));
  await fixture.settle();
  const remote = fixture.poller.connects[0]!;
  remote.establish();
  await fixture.settle();
  assertEquals(text(remote.sent), "hello");
  remote.end();
  await fixture.settle();
  assertEquals(client.decode(local.sent, output, local.sent.length), 0);
  assert(client.atBoundary(local.sent.length - client.consumed));
});
