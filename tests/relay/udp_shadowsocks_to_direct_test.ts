/**
 * UDP from shadowsocks to the targets: what makes an association, where it
 * sends to, what comes back, and when it ends.
 *
 * @module
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { IpNetworks } from "../../outbound/mod.ts";
import { POLL_ERR, POLL_IN, SocketAddress } from "../../loop/mod.ts";
import { header } from "./_relay_fixture.ts";
import { client, UdpFixture } from "./_udp_fixture.ts";
import { UDPRelay } from "../../relay/udp_relay.ts";
import { concat, text, utf8 } from "../support/bytes.ts";

const TARGET = { host: "192.0.2.7", port: 53 };
const OTHER = { host: "192.0.2.8", port: 123 };
const REFUSED = "can not parse header when handling UDP packet from";

Deno.test("UDPRelay of shadowsocks to direct sends to all targets of a client from one socket", async () => {
  using fixture = new UdpFixture();
  const from = client(1000);
  await fixture.fromClient(fixture.seal(TARGET, utf8("one")), from);
  await fixture.fromClient(fixture.seal(OTHER, utf8("two")), from);
  assertEquals(fixture.outgoing.length, 1);
  const [socket] = fixture.outgoing;
  assertEquals(
    socket!.sends.map(({ data, to }) => `${to} ${text(data)}`),
    ["192.0.2.7:53 one", "192.0.2.8:123 two"],
  );
  assertEquals(fixture.relay.associations, 1);
});

Deno.test("UDPRelay of shadowsocks to direct answers with the source whoever it is", async () => {
  using fixture = new UdpFixture();
  const from = client(1000);
  await fixture.fromClient(fixture.seal(TARGET, utf8("question")), from);
  const [socket] = fixture.outgoing;
  const sources = ["192.0.2.7", "203.0.113.9", "2001:db8::9"];
  for (const host of sources) {
    socket!.bring(utf8(host), SocketAddress.parse(host, 53));
  }
  await fixture.settle();
  assertEquals(fixture.listener.sends.length, sources.length);
  fixture.listener.sends.forEach(({ data, to }, i) => {
    const { head, data: plain } = fixture.open(data);
    assertEquals(to, from);
    assertEquals(head, header({ host: sources[i]!, port: 53 }));
    assertEquals(text(plain), sources[i]);
  });
});

Deno.test("UDPRelay of shadowsocks to direct answers from the address that was asked last", async () => {
  using fixture = new UdpFixture();
  const from = client(1000);
  assertEquals(fixture.listener.asked.tellsRecipient, true);
  for (const host of ["203.0.113.1", "203.0.113.2", undefined]) {
    const recipient = host === undefined
      ? undefined
      : { address: SocketAddress.parse(host, 0) };
    fixture.listener.bring(fixture.seal(TARGET, utf8("?")), from, recipient);
    await fixture.settle();
    fixture.outgoing[0]!.bring(utf8("!"), SocketAddress.parse("192.0.2.7", 53));
    await fixture.settle();
    assertEquals(fixture.listener.sends.at(-1)?.from, recipient);
  }
  const [socket] = fixture.outgoing;
  assertEquals(socket!.asked.tellsRecipient, undefined);
});

Deno.test("UDPRelay of shadowsocks to direct writes an IPv4-mapped source as IPv4", async () => {
  using fixture = new UdpFixture();
  await fixture.fromClient(fixture.seal(TARGET, utf8("?")), client(1000));
  fixture.outgoing[0]!.bring(
    utf8("!"),
    SocketAddress.parse("::ffff:192.0.2.7", 53),
  );
  await fixture.settle();
  const { head } = fixture.open(fixture.listener.sends[0]!.data);
  assertEquals(head, header(TARGET));
});

Deno.test("UDPRelay of shadowsocks to direct has a socket for each IP version when a client uses both", async () => {
  using fixture = new UdpFixture();
  const from = client(1000);
  const v6 = { host: "2001:db8::1", port: 53 };
  for (const target of [TARGET, v6, OTHER, v6]) {
    await fixture.fromClient(fixture.seal(target, utf8("x")), from);
  }
  assertEquals(fixture.outgoing.map((socket) => socket.sends.length), [2, 2]);
  assertEquals(
    fixture.outgoing.map((socket) => socket.localAddress.family),
    [4, 6],
  );
});

Deno.test("UDPRelay of shadowsocks to direct relays datagrams without data", async () => {
  using fixture = new UdpFixture();
  await fixture.fromClient(
    fixture.seal(TARGET, new Uint8Array(0)),
    client(1000),
  );
  assertEquals(fixture.outgoing[0]!.sends[0]!.data.length, 0);
  fixture.outgoing[0]!.bring(
    new Uint8Array(0),
    SocketAddress.parse("192.0.2.7", 53),
  );
  await fixture.settle();
  assertEquals(fixture.open(fixture.listener.sends[0]!.data).data.length, 0);
});

Deno.test("UDPRelay of shadowsocks to direct does nothing for packets of any length that are not authentic", async () => {
  using fixture = new UdpFixture();
  for (let length = 0; length <= 120; length++) {
    await fixture.fromClient(new Uint8Array(length).fill(length), client(1000));
  }
  const sealed = fixture.seal(TARGET, utf8("data"));
  for (let at = 0; at < sealed.length; at++) {
    const forged = sealed.slice();
    forged[at]! ^= 1;
    await fixture.fromClient(forged, client(1000));
    await fixture.fromClient(sealed.subarray(0, at), client(1000));
  }
  assertEquals(fixture.relay.associations, 0);
  assertEquals(fixture.outgoing.length, 0);
  assertEquals(fixture.listener.sends.length, 0);
  const lines = fixture.logs.with(REFUSED);
  assertEquals(lines.length, 121 + 2 * sealed.length);
  assertEquals(lines[0], `${REFUSED} 198.51.100.1:1000`);
  await fixture.fromClient(sealed, client(1000));
  assertEquals(fixture.outgoing.length, 1);
});

/** Authentic packets that mean nothing. */
const SENSELESS: readonly Uint8Array[] = [
  new Uint8Array(0),
  Uint8Array.of(0),
  Uint8Array.of(2, 1, 2, 3, 4, 0, 53),
  Uint8Array.of(0x11, 1, 2, 3, 4, 0, 53),
  Uint8Array.of(1, 192, 0, 2, 7, 0),
  Uint8Array.of(3),
  Uint8Array.of(3, 0, 0, 53),
  Uint8Array.of(3, 255, 97),
  Uint8Array.of(3, 1, 0, 0, 53),
  Uint8Array.of(3, 2, 10, 13, 0, 53),
  Uint8Array.of(3, 1, 255, 0, 53),
  header({ host: "2001:db8::1", port: 53 }).subarray(0, 18),
];
for (const plain of SENSELESS) {
  Deno.test(`UDPRelay of shadowsocks to direct refuses an authentic packet when its address is [${plain}]`, async () => {
    using fixture = new UdpFixture();
    await fixture.fromClient(fixture.sealRaw(plain), client(1000));
    assertEquals(fixture.relay.associations, 0);
    assertEquals(fixture.listener.sends.length, 0);
    assertEquals(fixture.resolver.asked.length, 0);
    assertEquals(fixture.logs.with(REFUSED).length, 1);
  });
}

Deno.test("UDPRelay of shadowsocks to direct sends nothing to port 0", async () => {
  using fixture = new UdpFixture();
  await fixture.fromClient(
    fixture.seal({ host: "192.0.2.7", port: 0 }, utf8("x")),
    client(1000),
  );
  assertEquals(fixture.outgoing.length, 0);
});

Deno.test("UDPRelay of shadowsocks to direct checks the target of every packet when some are forbidden", async () => {
  using fixture = new UdpFixture({
    settings: { forbiddenIp: IpNetworks.of("127.0.0.0/8") },
  });
  const from = client(1000);
  const mapped = concat(
    Uint8Array.of(4),
    new Uint8Array(10),
    Uint8Array.of(255, 255, 127, 0, 0, 1, 0, 53),
  );
  const local = { host: "127.0.0.1", port: 53 };
  fixture.resolver.known.set("local.example", ["127.0.0.9"]);
  const forbidden = (): Uint8Array[] => [
    fixture.seal(local, utf8("x")),
    fixture.sealRaw(mapped),
    fixture.seal({ host: "local.example", port: 53 }, utf8("x")),
  ];
  for (const packet of forbidden()) await fixture.fromClient(packet, from);
  assertEquals(fixture.outgoing.length, 0, "not as the first packet");
  await fixture.fromClient(fixture.seal(TARGET, utf8("good")), from);
  for (const packet of forbidden()) await fixture.fromClient(packet, from);
  assertEquals(fixture.outgoing[0]!.sends.length, 1, "nor as a later one");
  assertEquals(
    fixture.logs.with("is in forbidden list").length,
    2 * forbidden().length,
  );
});

Deno.test("UDPRelay of shadowsocks to direct sends a packet once when it comes again", async () => {
  using fixture = new UdpFixture();
  const packet = fixture.seal(TARGET, utf8("once"));
  await fixture.fromClient(packet, client(1000));
  await fixture.fromClient(packet, client(1000));
  await fixture.fromClient(packet, client(2000));
  assertEquals(fixture.outgoing.length, 1);
  assertEquals(fixture.outgoing[0]!.sends.length, 1);
  assertEquals(fixture.logs.with(REFUSED).length, 2);
});

Deno.test("UDPRelay of shadowsocks to direct refuses its own answer when it is sent back", async () => {
  using fixture = new UdpFixture();
  await fixture.fromClient(fixture.seal(TARGET, utf8("x")), client(1000));
  const [socket] = fixture.outgoing;
  socket!.bring(utf8("answer"), SocketAddress.parse("192.0.2.7", 53));
  await fixture.settle();
  const answer = fixture.listener.sends[0]!.data;
  await fixture.fromClient(answer, client(3000));
  assertEquals(fixture.outgoing.length, 1);
  assertEquals(socket!.sends.length, 1);
});

Deno.test("UDPRelay of shadowsocks to direct keeps the data while a name is looked up", async () => {
  using fixture = new UdpFixture();
  const from = client(1000);
  const name = { host: "dns.example", port: 53 };
  await fixture.fromClient(fixture.seal(name, utf8("for the name")), from);
  await fixture.fromClient(fixture.seal(TARGET, utf8("XXXXXXXXXXXX")), from);
  fixture.resolver.answer("192.0.2.99");
  const [socket] = fixture.outgoing;
  assertEquals(
    socket!.sends.map(({ data, to }) => `${to} ${text(data)}`),
    ["192.0.2.7:53 XXXXXXXXXXXX", "192.0.2.99:53 for the name"],
  );
});

Deno.test("UDPRelay of shadowsocks to direct logs when a name does not exist", async () => {
  using fixture = new UdpFixture();
  await fixture.fromClient(
    fixture.seal({ host: "gone.example", port: 53 }, utf8("x")),
    client(1000),
  );
  fixture.resolver.answer();
  assertEquals(fixture.outgoing.length, 0);
  assert(fixture.logs.of("error")[0]!.includes("gone.example"));
});

Deno.test("UDPRelay of shadowsocks to direct takes its questions back at close()", async () => {
  using fixture = new UdpFixture();
  await fixture.fromClient(
    fixture.seal({ host: "late.example", port: 53 }, utf8("x")),
    client(1000),
  );
  fixture.relay.close();
  assertEquals(fixture.resolver.asked, []);
  assertEquals(fixture.outgoing.length, 0);
  assertEquals(fixture.poller.watched, 0);
});

Deno.test("UDPRelay of shadowsocks to direct looks up a bounded number of names at once", async () => {
  using fixture = new UdpFixture();
  for (let i = 0; i < 300; i++) {
    const packet = fixture.seal({ host: `h${i}.example`, port: 1 }, utf8("x"));
    await fixture.fromClient(packet, client(1000));
  }
  assertEquals(fixture.resolver.asked.length, 256);
  fixture.resolver.answer("192.0.2.1");
  await fixture.fromClient(
    fixture.seal({ host: "again.example", port: 1 }, utf8("x")),
    client(1000),
  );
  assertEquals(fixture.resolver.asked.length, 256);
});

Deno.test("UDPRelay of shadowsocks to direct drops the least recently used association when there are too many", async () => {
  using fixture = new UdpFixture({ settings: { udpMaxAssociations: 3 } });
  const send = (port: number): Promise<void> =>
    fixture.fromClient(fixture.seal(TARGET, utf8("x")), client(port));
  for (const port of [1, 2, 3]) {
    await send(port);
    fixture.clock.advance(1000);
  }
  await send(1);
  fixture.clock.advance(1000);
  // What others send counts for nothing.
  fixture.outgoing[1]!.bring(utf8("y"), SocketAddress.parse("192.0.2.7", 53));
  await fixture.settle();
  await send(4);
  assertEquals(
    fixture.outgoing.map((socket) => socket.closed),
    [false, true, false, false],
  );
  assertEquals(fixture.relay.associations, 3);
  assertEquals(fixture.poller.watched, 4);
});

Deno.test("UDPRelay of shadowsocks to direct ends an association when it was idle for the timeout", async () => {
  using fixture = new UdpFixture({ settings: { timeout: 30 } });
  await fixture.fromClient(fixture.seal(TARGET, utf8("x")), client(1));
  await fixture.advance(20);
  await fixture.fromClient(fixture.seal(TARGET, utf8("x")), client(2));
  await fixture.advance(10);
  assertEquals(
    fixture.outgoing.map((socket) => socket.closed),
    [true, false],
  );
  await fixture.advance(10);
  assertEquals(fixture.relay.associations, 1);
  await fixture.advance(10);
  assertEquals(fixture.relay.associations, 0);
  assertEquals(fixture.poller.watched, 1);
});

Deno.test("UDPRelay of shadowsocks to direct warns once a minute that clients are more than udp_max_associations", async () => {
  using fixture = new UdpFixture({ settings: { udpMaxAssociations: 2 } });
  const send = (port: number): Promise<void> =>
    fixture.fromClient(fixture.seal(TARGET, utf8("x")), client(port));
  const warnings = (): string[] => fixture.logs.of("warning");
  await send(1);
  await send(2);
  await send(1);
  assertEquals(warnings(), []);
  for (let port = 3; port < 50; port++) await send(port);
  assertEquals(warnings(), [
    `2 UDP clients at once on port ${fixture.relay.listenPort}: the one idle ` +
    `for longest makes room for ${client(3)}; raise udp_max_associations`,
  ]);
  fixture.clock.advance(59_000);
  await send(50);
  assertEquals(warnings().length, 1);
  fixture.clock.advance(1000);
  await send(51);
  assertEquals(warnings().length, 2);
});

Deno.test("UDPRelay of shadowsocks to direct makes room when descriptors run out", async () => {
  using fixture = new UdpFixture();
  for (const port of [1, 2]) {
    await fixture.fromClient(fixture.seal(TARGET, utf8("x")), client(port));
    fixture.clock.advance(1000);
  }
  fixture.poller.bindErrors.push("EMFILE");
  await fixture.fromClient(fixture.seal(TARGET, utf8("y")), client(3));
  assertEquals(
    fixture.outgoing.map((socket) => socket.closed),
    [true, false, false],
  );
  assertEquals(fixture.outgoing[2]!.sends.length, 1);
});

Deno.test("UDPRelay of shadowsocks to direct loses the datagram when no descriptor can be had", async () => {
  using fixture = new UdpFixture();
  fixture.poller.bindErrors.push("EMFILE");
  await fixture.fromClient(fixture.seal(TARGET, utf8("x")), client(1));
  assertEquals(fixture.outgoing.length, 0);
  const [line] = fixture.logs.of("error");
  assert(line!.includes(`${client(1)}`));
  assert(line!.endsWith("raise the descriptor limit (ulimit -n)"));
  fixture.poller.bindErrors.push("EMFILE");
  await fixture.fromClient(fixture.seal(TARGET, utf8("x")), client(1));
  assertEquals(fixture.logs.of("error"), [line!], "once a second");
  await fixture.fromClient(fixture.seal(TARGET, utf8("x")), client(1));
  assertEquals(fixture.outgoing.length, 1, "tried again");
});

Deno.test("UDPRelay of shadowsocks to direct goes on when a socket reports an ICMP error", async () => {
  using fixture = new UdpFixture();
  await fixture.fromClient(fixture.seal(TARGET, utf8("x")), client(1));
  const [socket] = fixture.outgoing;
  socket!.error = "ECONNREFUSED";
  socket!.bring(utf8("y"), SocketAddress.parse("192.0.2.7", 53));
  await fixture.settle();
  assertEquals(fixture.listener.sends.length, 1);
  assertEquals(fixture.relay.associations, 1);
});

Deno.test("UDPRelay of shadowsocks to direct tells observers of every datagram", async () => {
  using fixture = new UdpFixture();
  const packet = fixture.seal(TARGET, utf8("x"));
  await fixture.fromClient(packet, client(1));
  fixture.outgoing[0]!.bring(utf8("abc"), SocketAddress.parse("192.0.2.7", 53));
  await fixture.settle();
  const port = fixture.relay.listenPort;
  assertEquals(fixture.stats, [[port, packet.length], [port, 3]]);
});

Deno.test("UDPRelay.addToLoop() throws when it was added before, or closed", () => {
  using fixture = new UdpFixture();
  const add = (relay: UDPRelay): void => relay.addToLoop(fixture.loop);
  assertThrows(() => add(fixture.relay), Error, "already add to loop");
  const other = new UDPRelay(fixture.udpRelayOptions());
  assertThrows(() => other.loop, Error, "not added to loop");
  other.close();
  assertThrows(() => add(other), Error, "already closed");
});

Deno.test("UDPRelay.handleEvent() ignores sockets that it does not know", async () => {
  using fixture = new UdpFixture();
  await fixture.fromClient(fixture.seal(TARGET, utf8("x")), client(1));
  const stranger = fixture.poller.bindUdp(client(0));
  stranger.bring(utf8("x"), client(2));
  fixture.relay.handleEvent(stranger, stranger.fd, POLL_IN | POLL_ERR);
  assertEquals(fixture.listener.sends.length, 0);
});
