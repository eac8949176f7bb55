/**
 * UDP to a shadowsocks server: SOCKS5 datagrams, UDP ASSOCIATE, the tunnel.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { SocketAddress } from "../../loop/mod.ts";
import { type FakeStream } from "../../loop/fakes.ts";
import { GREETING, request } from "./_flow_fixture.ts";
import { header, type TestSettings } from "./_relay_fixture.ts";
import { client, type Place, UdpFixture } from "./_udp_fixture.ts";
import { TCPRelay } from "../../relay/tcp_relay.ts";
import { concat, text, utf8 } from "../support/bytes.ts";

const TARGET = { host: "192.0.2.7", port: 53 };
const SERVER = SocketAddress.parse("192.0.2.1", 8388);

Deno.test("UDPRelay of SOCKS to shadowsocks seals a SOCKS5 datagram for the server", async () => {
  using fixture = newFixture();
  const name = { host: "dns.example", port: 53 };
  for (const target of [TARGET, name, { host: "2001:db8::1", port: 53 }]) {
    await fixture.fromClient(datagram(target, utf8("data")), client(1));
  }
  const [socket, ...others] = fixture.outgoing;
  assertEquals(others, []);
  const heads = socket!.sends.map(({ data, to }) => {
    assertEquals(`${to}`, `${SERVER}`);
    assertEquals(text(fixture.open(data).data), "data");
    return fixture.open(data).head;
  });
  assertEquals(heads[0], header(TARGET));
  assertEquals(heads[1], header(name), "names go on unresolved");
  assertEquals(fixture.resolver.asked.length, 0);
});

Deno.test("UDPRelay of SOCKS to shadowsocks opens an answer for the application", async () => {
  using fixture = newFixture();
  await fixture.fromClient(datagram(TARGET, utf8("?")), client(1));
  fixture.outgoing[0]!.bring(fixture.seal(TARGET, utf8("answer")), SERVER);
  await fixture.settle();
  const [{ data, to } = undefined!] = fixture.listener.sends;
  assertEquals(`${to}`, `${client(1)}`);
  assertEquals(data, datagram(TARGET, utf8("answer")));
});

Deno.test("UDPRelay of SOCKS to shadowsocks drops an answer when it is forged, or has no address", async () => {
  using fixture = newFixture();
  await fixture.fromClient(datagram(TARGET, utf8("?")), client(1));
  const [socket] = fixture.outgoing;
  for (let length = 0; length <= 120; length++) {
    socket!.bring(new Uint8Array(length), SERVER);
  }
  socket!.bring(fixture.sealRaw(Uint8Array.of(9, 9, 9)), SERVER);
  socket!.bring(fixture.sealRaw(new Uint8Array(0)), SERVER);
  await fixture.settle();
  assertEquals(fixture.listener.sends.length, 0);
  assertEquals(fixture.relay.associations, 1);
});

/** Datagrams that are dropped. */
const DROPPED: readonly (readonly [string, Uint8Array])[] = [
  ["nothing", new Uint8Array(0)],
  ["one byte", Uint8Array.of(0)],
  ["three bytes", new Uint8Array(3)],
  ["a fragment", concat(Uint8Array.of(0, 0, 1), header(TARGET), utf8("x"))],
  ["the last fragment", concat(Uint8Array.of(0, 0, 0x81), header(TARGET))],
  ["an address cut short", datagram(TARGET, utf8("")).subarray(0, 9)],
  ["an unknown type", Uint8Array.of(0, 0, 0, 2, 1, 2, 3, 4, 0, 53)],
  ["an empty name", Uint8Array.of(0, 0, 0, 3, 0, 0, 53)],
];
for (const [name, data] of DROPPED) {
  Deno.test(`UDPRelay of SOCKS to shadowsocks drops a datagram when it holds ${name}`, async () => {
    using fixture = newFixture();
    await fixture.fromClient(data, client(1));
    assertEquals(fixture.outgoing.length, 0);
    assertEquals(fixture.relay.associations, 0);
    assertEquals(fixture.listener.sends.length, 0);
  });
}

Deno.test("UDPRelay of SOCKS to shadowsocks keeps the data while the server's name is looked up", async () => {
  using fixture = newFixture({
    servers: [{ host: "ss.example", port: 8388 }],
  });
  await fixture.fromClient(datagram(TARGET, utf8("first!")), client(1));
  await fixture.fromClient(datagram(TARGET, utf8("second")), client(2));
  for (let i = 0; i < 2; i++) fixture.resolver.answer("192.0.2.1");
  assertEquals(
    fixture.outgoing.map(({ sends }) =>
      text(fixture.open(sends[0]!.data).data)
    ),
    ["first!", "second"],
  );
});

for (
  const tunnel of [
    { host: "dns.example", port: 53 },
    { host: `${"long.".repeat(40)}example`, port: 53 },
  ]
) {
  Deno.test(`UDPRelay of a tunnel to shadowsocks puts the target before every datagram when that has ${tunnel.host.length} characters`, async () => {
    using fixture = newFixture({ tunnel });
    await fixture.fromClient(utf8("query"), client(1));
    const [socket] = fixture.outgoing;
    const { head, data } = fixture.open(socket!.sends[0]!.data);
    assertEquals([head, text(data)], [header(tunnel), "query"]);
    socket!.bring(fixture.seal(TARGET, utf8("answer")), SERVER);
    await fixture.settle();
    assertEquals(text(fixture.listener.sends[0]!.data), "answer");
  });
}

Deno.test("UDPRelay.associate() ends the associations of a client with its last connection", async () => {
  using fixture = newFixture();
  const endFirst = fixture.relay.associate("198.51.100.1", "");
  const endSecond = fixture.relay.associate("198.51.100.1", "");
  for (const from of [client(1), client(2), client(3, "198.51.100.2")]) {
    await fixture.fromClient(datagram(TARGET, utf8("x")), from);
  }
  endFirst();
  endFirst();
  assertEquals(fixture.relay.associations, 3);
  endSecond();
  assertEquals(
    fixture.outgoing.map((socket) => socket.closed),
    [true, true, false],
  );
  assert(!fixture.relay.isActive("198.51.100.1"));
  assert(fixture.relay.isActive("198.51.100.2"));
});

Deno.test("TCPRelay of SOCKS to shadowsocks answers UDP ASSOCIATE with the port of the relay", async () => {
  using fixture = newFixture();
  const { app } = await associate(fixture);
  const { port } = fixture.listener.localAddress;
  assertEquals(
    app.sent,
    Uint8Array.of(5, 0, 5, 0, 0, 1, 127, 0, 0, 1, port >> 8, port & 0xff),
  );
  assert(!app.closed);
});

for (const how of ["ends", "is reset"] as const) {
  Deno.test(`TCPRelay of SOCKS to shadowsocks ends the association when its connection ${how}`, async () => {
    using fixture = newFixture();
    const { app } = await associate(fixture);
    const from = client(7, app.remoteAddress.host);
    await fixture.fromClient(datagram(TARGET, utf8("x")), from);
    app.bring(utf8("ignored"));
    await fixture.settle();
    assertEquals(fixture.relay.associations, 1);
    if (how === "ends") app.end();
    else app.fail("ECONNRESET");
    await fixture.settle();
    assert(app.closed);
    assertEquals(fixture.relay.associations, 0);
    assert(fixture.outgoing[0]!.closed);
  });
}

Deno.test("TCPRelay of SOCKS to shadowsocks has no handshake deadline any more when it has an association", async () => {
  using fixture = newFixture();
  const { app } = await associate(fixture);
  await fixture.advance(61);
  assert(!app.closed);
});

for (const timeout of [5, 30]) {
  Deno.test(`TCPRelay of SOCKS to shadowsocks keeps an association as long as datagrams flow when the timeout is ${timeout} s`, async () => {
    using fixture = newFixture({ timeout });
    // Between two sweeps, where its last activity is a fresh one.
    await fixture.advance(2);
    const { app, tcp } = await associate(fixture, { timeout });
    const from = client(7, app.remoteAddress.host);
    for (let second = 0; second < 120; second++) {
      await fixture.fromClient(datagram(TARGET, utf8("x")), from);
      await fixture.advance(1);
      assert(!app.closed, `closed after ${second} s`);
    }
    // Without datagrams both end.
    for (let i = 0; i < timeout / 10 + 3; i++) await fixture.advance(10);
    assertEquals(fixture.relay.associations, 0);
    assert(app.closed);
    assertEquals(tcp.connections, 0);
  });
}

function newFixture(settings: Partial<TestSettings> = {}): UdpFixture {
  return new UdpFixture({ isLocal: true, settings });
}

/** RSV FRAG address data. */
function datagram(target: Place, data: Uint8Array): Uint8Array {
  return concat(new Uint8Array(3), header(target), data);
}

/** An application that has asked for UDP. */
async function associate(
  fixture: UdpFixture,
  settings: Partial<TestSettings> = {},
): Promise<{ readonly app: FakeStream; readonly tcp: TCPRelay }> {
  const tcp = new TCPRelay(fixture.relayOptions({
    isLocal: true,
    settings,
    udpRelay: fixture.relay,
  }));
  tcp.addToLoop(fixture.loop);
  const app = fixture.poller.listeners[0]!.arrive();
  app.bring(concat(GREETING, request(3, { host: "0.0.0.0", port: 0 })));
  await fixture.settle();
  return { app, tcp };
}

Deno.test("UDPRelay.associate() ends what came by it, not what began before it", async () => {
  using fixture = newFixture();
  const hosts = ["198.51.100.1", "198.51.100.2"];
  for (const host of hosts) {
    await fixture.fromClient(datagram(TARGET, utf8("x")), client(1, host));
  }
  const ends = hosts.map((host) => fixture.relay.associate(host, ""));
  await fixture.fromClient(datagram(TARGET, utf8("x")), client(2, hosts[1]));
  assertEquals(fixture.relay.associations, 3);
  ends[0]!();
  assertEquals(fixture.relay.associations, 3);
  ends[1]!();
  assertEquals(fixture.relay.associations, 2);
  assertEquals(hosts.map((host) => fixture.relay.isActive(host)), [true, true]);
});
