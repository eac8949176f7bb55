/**
 * How sessions of UDP associations end: each exactly once, with the right
 * status and counts.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { SocketAddress } from "../../loop/mod.ts";
import { type FakeStream } from "../../loop/fakes.ts";
import { TCPRelay } from "../../relay/mod.ts";
import { IpNetworks } from "../../outbound/mod.ts";
import { GREETING, request, TARGET } from "./_flow_fixture.ts";
import { header } from "./_relay_fixture.ts";
import { TestGroup, TestRouter } from "./_routes_fixture.ts";
import { client, UdpFixture } from "./_udp_fixture.ts";
import { assertEnd } from "./_session_fixture.ts";
import { concat, utf8 } from "../support/bytes.ts";

Deno.test("Session of a UDP ASSOCIATE ends ok with its connection", async () => {
  for (const how of ["end", "reset"] as const) {
    using fixture = new UdpFixture({ isLocal: true });
    const tcp = new TCPRelay(
      fixture.relayOptions({ isLocal: true, udpRelay: fixture.relay }),
    );
    tcp.addToLoop(fixture.loop);
    const app = await associated(fixture);
    assertEquals(fixture.ended, []);
    const received = GREETING.length + request(3).length;
    if (how === "end") app.end();
    else app.fail("ECONNRESET");
    await fixture.settle();
    assertEnd(fixture, {
      status: how === "end" ? "ok" : "client_reset",
      received,
    });
    assertEquals(tcp.connections, 0);
    tcp.destroy();
  }
});

async function associated(fixture: UdpFixture): Promise<FakeStream> {
  const app = fixture.poller.listeners[0]!.arrive();
  app.bring(concat(GREETING, request(3)));
  await fixture.settle();
  return app;
}

const SOURCE = SocketAddress.parse("192.0.2.7", 80);

/** An association of the server that has sent 5 bytes and got 7. */
async function exchange(fixture: UdpFixture): Promise<number> {
  const packet = fixture.seal(TARGET, utf8("hello"));
  await fixture.fromClient(packet, client(1));
  fixture.outgoing[0]!.bring(utf8("welcome"), SOURCE);
  await fixture.settle();
  assertEquals(fixture.ended, []);
  return packet.length;
}

Deno.test("Session of an association ends ok when it was idle", async () => {
  using fixture = new UdpFixture({ settings: { timeout: 20 } });
  const received = await exchange(fixture);
  await fixture.advance(10);
  await fixture.advance(10);
  const session = assertEnd(fixture, {
    status: "ok",
    up: 5,
    down: 7,
    received,
  });
  assertEquals(session.network, "udp");
  assertEquals(
    `${session.target} ${session.client}`,
    "192.0.2.7:80 198.51.100.1:1",
  );
  assertEquals(session.outbound, "direct");
  fixture.relay.close();
  assertEquals(fixture.ended.length, 1);
});

Deno.test("Session of an association ends ok when it makes room", async () => {
  using fixture = new UdpFixture({ settings: { udpMaxAssociations: 1 } });
  const received = await exchange(fixture);
  await fixture.fromClient(fixture.seal(TARGET, utf8("x")), client(2));
  assertEquals(fixture.ended.map(({ id, status }) => [id, status]), [[
    1,
    "ok",
  ]]);
  assertEquals(fixture.ended[0]!.received, received);
});

for (const status of ["shutdown", "removed"] as const) {
  Deno.test(`Session of an association ends ${status} when its listener does`, async () => {
    using fixture = new UdpFixture();
    const received = await exchange(fixture);
    fixture.relay.close(status);
    fixture.relay.close("ok");
    assertEnd(fixture, { status, up: 5, down: 7, received });
  });
}

Deno.test("Session of an association ends ok with the connection that holds it", async () => {
  using fixture = new UdpFixture({ isLocal: true });
  const end = fixture.relay.associate(client(1).host, "");
  const data = concat(new Uint8Array(3), header(TARGET), utf8("hello"));
  await fixture.fromClient(data, client(1));
  end();
  const session = assertEnd(fixture, {
    status: "ok",
    up: 5,
    received: data.length,
  });
  assertEquals(session.listener.protocol, "mixed");
});

Deno.test("Session of an association ends blocked when nothing of it may be sent", async () => {
  using fixture = new UdpFixture({
    settings: { forbiddenIp: IpNetworks.of("192.0.2.0/24") },
  });
  const packet = fixture.seal(TARGET, utf8("hello"));
  await fixture.fromClient(packet, client(1));
  fixture.relay.close();
  assertEnd(fixture, { status: "blocked", up: 5, received: packet.length });
});

Deno.test("Session of an association ends name_failed when its only target has no address", async () => {
  using fixture = new UdpFixture();
  const packet = fixture.seal(
    { host: "gone.example", port: 53 },
    utf8("hello"),
  );
  await fixture.fromClient(packet, client(1));
  fixture.resolver.answer();
  fixture.relay.close();
  assertEnd(fixture, { status: "name_failed", up: 5, received: packet.length });
});

Deno.test("Session of an association ends ok when one of its targets was reached", async () => {
  using fixture = new UdpFixture();
  const gone = fixture.seal({ host: "gone.example", port: 53 }, utf8("x"));
  await fixture.fromClient(gone, client(1));
  fixture.resolver.answer();
  const good = fixture.seal(TARGET, utf8("x"));
  await fixture.fromClient(good, client(1));
  fixture.relay.close("ok");
  assertEnd(fixture, {
    status: "ok",
    up: 2,
    received: gone.length + good.length,
  });
});

Deno.test("Session of an association ends server_failed when there is no way", async () => {
  const router = new TestRouter(new TestGroup([]));
  using fixture = new UdpFixture({ relay: { router } });
  const packet = fixture.seal(TARGET, utf8("hello"));
  await fixture.fromClient(packet, client(1));
  fixture.relay.close();
  assertEnd(fixture, {
    status: "server_failed",
    up: 5,
    received: packet.length,
  });
});

Deno.test("A datagram that is refused makes no session", async () => {
  using fixture = new UdpFixture();
  const packet = fixture.seal(TARGET, utf8("x")).slice();
  await fixture.fromClient(packet.subarray(1), client(1));
  await fixture.fromClient(fixture.sealRaw(Uint8Array.of(9)), client(1));
  assertEquals(fixture.opened, []);
  await fixture.fromClient(packet, client(1));
  await fixture.fromClient(packet, client(2));
  assertEquals(fixture.opened.length, 1);
});
