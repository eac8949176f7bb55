/**
 * UDP relays that speak the 2022 edition: an association is a session of its
 * client, wherever that is, and clocks that differ are logged.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { findMethod } from "../../crypto/mod.ts";
import { FakeResolver } from "../../dns/fakes.ts";
import { ShadowsocksPackets } from "../../inbound/mod.ts";
import { SocketAddress } from "../../loop/mod.ts";
import {
  DirectOutbound,
  makeRouter,
  ShadowsocksOutbound,
} from "../../outbound/mod.ts";
import { Target } from "../../relay/mod.ts";
import {
  type ClientPackets,
  type Edition,
  type EditionClock,
  type EditionOptions,
  openEdition,
  PACKET_ROOM,
  type PacketBytes,
  type ServerPackets,
} from "../../shadowsocks/mod.ts";
import { NEW_KEY, NEW_METHOD } from "../../shadowsocks/fakes.ts";
import { header, PROVIDERS } from "./_relay_fixture.ts";
import { TestRouter } from "./_routes_fixture.ts";
import { client, UdpFixture, type UdpFixtureOptions } from "./_udp_fixture.ts";
import { concat, seededBytes, text, toBase64, utf8 } from "../support/bytes.ts";

const TARGET = { host: "192.0.2.7", port: 80 };
const SOURCE = SocketAddress.parse(TARGET.host, TARGET.port);
const SERVER = SocketAddress.parse("192.0.2.1", 8388);
const OUTPUT = new Uint8Array(2000);

await PROVIDERS.forMethod(findMethod(NEW_METHOD)!);

/** A clock that tests set. */
class TestClock implements EditionClock {
  unix = 1_700_000_000_000;
  time = (): number => this.unix;
  passed = (): number => 0;
}

function open(
  clock: EditionClock,
  options: Partial<EditionOptions> = {},
): Promise<Edition> {
  const whole = { method: NEW_METHOD, password: NEW_KEY, ...options };
  return openEdition(whole, { providers: PROVIDERS, clock });
}

function packetOf(bytes: Uint8Array, head = -1, start = 0): PacketBytes {
  return { bytes, head, start, end: bytes.length };
}

/** What a client sends to the target. */
function seal(packets: ClientPackets, data: string): Uint8Array {
  const head = header(TARGET);
  const bytes = concat(new Uint8Array(PACKET_ROOM), head, utf8(data));
  const packet = packetOf(bytes, PACKET_ROOM, PACKET_ROOM + head.length);
  return OUTPUT.slice(0, packets.seal(packet, OUTPUT));
}

/** What a client makes of an answer. */
function take(packets: ClientPackets, sealed: Uint8Array): string {
  const packet = packetOf(sealed);
  return packets.open(packet, OUTPUT) ??
    text(packet.bytes.subarray(packet.start, packet.end));
}

/** A server of the edition. */
function serverOf(
  edition: Edition,
  relay: UdpFixtureOptions["relay"] = {},
): UdpFixture {
  const inbound = new ShadowsocksPackets(edition);
  return new UdpFixture({ relay: { inbound, ...relay } });
}

/** A local of the edition. */
function localOf(edition: Edition): UdpFixture {
  const server = Target.of(SERVER.host, SERVER.port);
  const way = new ShadowsocksOutbound({ name: "way", server, edition });
  const routes = { default: way, direct: way };
  const resolver = new FakeResolver();
  const router = makeRouter({ role: "client", routes, resolver });
  return new UdpFixture({ isLocal: true, relay: { router } });
}

/** Who gets the next answer of the target. */
async function answered(fixture: UdpFixture): Promise<string> {
  fixture.outgoing[0]!.bring(utf8("answer"), SOURCE);
  await fixture.settle();
  return `${fixture.listener.sends.at(-1)?.to}`;
}

Deno.test("UDPRelay of the 2022 edition to direct answers where the last packet came from that passed everything", async () => {
  const clock = new TestClock();
  using edition = await open(clock);
  using peer = await open(clock);
  using fixture = serverOf(edition);
  using packets = peer.newClientPackets();
  const [first, second] = [client(1000), client(2000, "203.0.113.5")];
  const thief = client(3000, "203.0.113.66");
  await fixture.fromClient(seal(packets, "one"), first);
  assertEquals(await answered(fixture), `${first}`);
  const moved = seal(packets, "two");
  await fixture.fromClient(moved, second);
  assertEquals(await answered(fixture), `${second}`);
  const next = seal(packets, "three");
  const { unix } = clock;
  clock.unix -= 31_000;
  const late = seal(packets, "late");
  clock.unix = unix;
  const forged = [moved, late, next.subarray(0, -1)];
  for (let at = 0; at < next.length; at++) {
    const flipped = next.slice();
    flipped[at]! ^= 1;
    forged.push(flipped);
  }
  for (const bytes of forged) await fixture.fromClient(bytes, thief);
  assertEquals(await answered(fixture), `${second}`);
  await fixture.fromClient(next, first);
  assertEquals(await answered(fixture), `${first}`);
  assertEquals([fixture.relay.associations, fixture.opened.length], [1, 1]);
  assertEquals(
    fixture.outgoing.map(({ sends }) => sends.map(({ data }) => text(data))),
    [["one", "two", "three"]],
  );
  const answers = fixture.listener.sends.map(({ data }) => take(packets, data));
  assertEquals(answers, new Array(4).fill("answer"));
});

Deno.test("UDPRelay of the 2022 edition to direct drops the packets of a session that has moved to a refused address", async () => {
  const clock = new TestClock();
  using edition = await open(clock);
  using peer = await open(clock);
  const router = new TestRouter(new DirectOutbound());
  using fixture = serverOf(edition, { router });
  using packets = peer.newClientPackets();
  await fixture.fromClient(seal(packets, "one"), client(1000));
  router.refused = "black list";
  await fixture.fromClient(seal(packets, "two"), client(2000));
  await fixture.fromClient(seal(packets, "three"), client(1000));
  assertEquals(
    fixture.outgoing[0]!.sends.map(({ data }) => text(data)),
    ["one", "three"],
  );
  assertEquals(await answered(fixture), `${client(1000)}`);
});

Deno.test("UDPRelay of the 2022 edition to direct has an association for each session, also of one address", async () => {
  const clock = new TestClock();
  using edition = await open(clock);
  using peer = await open(clock);
  using fixture = serverOf(edition);
  // A client that was started again.
  using one = peer.newClientPackets();
  using two = peer.newClientPackets();
  for (const packets of [one, two, one]) {
    await fixture.fromClient(seal(packets, "x"), client(1000));
  }
  assertEquals(fixture.outgoing.map(({ sends }) => sends.length), [2, 1]);
  for (const socket of fixture.outgoing) socket.bring(utf8("!"), SOURCE);
  await fixture.settle();
  const answers = fixture.listener.sends.map(({ data }) => data);
  assertEquals([take(one, answers[0]!), take(two, answers[0]!)], [
    "!",
    "auth_failed",
  ]);
  assertEquals(take(two, answers[1]!), "!");
});

Deno.test("UDPRelay of the 2022 edition to direct has a user who begins many associations end none of another user", async () => {
  const clock = new TestClock();
  const keyOf = (seed: number): string =>
    btoa(String.fromCharCode(...seededBytes(atob(NEW_KEY).length, seed)));
  const users = ["alice", "bob"].map((name, i) => ({
    name,
    password: keyOf(i + 1),
  }));
  using edition = await open(clock, { users });
  using fixture = serverOf(edition, { maxAssociations: 4 });
  const peers = await Promise.all(
    users.map(({ password }) =>
      open(clock, { password: `${NEW_KEY}:${password}` })
    ),
  );
  using alice = peers[0]!;
  using bob = peers[1]!;
  using packets = alice.newClientPackets();
  await fixture.fromClient(seal(packets, "one"), client(1));
  for (let port = 2; port < 100; port++) {
    using others = bob.newClientPackets();
    await fixture.fromClient(seal(others, "x"), client(port));
  }
  await fixture.fromClient(seal(packets, "two"), client(1));
  assertEquals(fixture.outgoing[0]!.closed, false);
  assertEquals(
    fixture.outgoing[0]!.sends.map(({ data }) => text(data)),
    ["one", "two"],
  );
  assertEquals(fixture.relay.associations, 4);
});

Deno.test("UDPRelay of the 2022 edition to direct logs how far the client's clock is", async () => {
  const clock = new TestClock();
  const theirs = new TestClock();
  theirs.unix += 31_000;
  using edition = await open(clock);
  using peer = await open(theirs);
  using fixture = serverOf(edition);
  using packets = peer.newClientPackets();
  await fixture.fromClient(seal(packets, "x"), client(1000));
  assertEquals(fixture.relay.associations, 0);
  assertEquals(fixture.logs.with("clock"), [
    "failed to handshake with 198.51.100.1: clock skew",
    "the clock of 198.51.100.1 differs from ours by 31 s (below 0: it is behind), 30 are allowed: set both clocks, best by NTP",
  ]);
});

/** What a server makes of a packet. */
function stateOf(packets: ServerPackets, sealed: Uint8Array): unknown {
  const opened = packets.open(packetOf(sealed), OUTPUT);
  if ("refused" in opened) throw new Error(opened.reason);
  return opened.state;
}

/** An answer of the target. */
function answer(packets: ServerPackets, state: unknown): Uint8Array {
  const head = header(TARGET);
  const bytes = concat(new Uint8Array(PACKET_ROOM), head, utf8("answer"));
  const packet = packetOf(bytes, PACKET_ROOM, PACKET_ROOM + head.length);
  return OUTPUT.slice(0, packets.seal(packet, state, OUTPUT));
}

/** What an application asks SOCKS5 for. */
const ASKED = concat(new Uint8Array(3), header(TARGET), utf8("?"));

Deno.test("UDPRelay of SOCKS to the 2022 edition goes on when its server is started again", async () => {
  const clock = new TestClock();
  using edition = await open(clock);
  using fixture = localOf(edition);
  for (let start = 0; start < 2; start++) {
    using peer = await open(clock);
    using packets = peer.newServerPackets();
    await fixture.fromClient(ASKED, client(1));
    const [socket] = fixture.outgoing;
    const state = stateOf(packets, socket!.sends.at(-1)!.data);
    for (let n = 0; n < 2; n++) socket!.bring(answer(packets, state), SERVER);
    await fixture.settle();
  }
  assertEquals([fixture.outgoing.length, fixture.relay.associations], [1, 1]);
  assertEquals(fixture.listener.sends.length, 4);
  for (const { data } of fixture.listener.sends) {
    assertEquals(text(data).slice(-6), "answer");
  }
});

Deno.test("UDPRelay of SOCKS to the 2022 edition logs once how far the server's clock is", async () => {
  const clock = new TestClock();
  const theirs = new TestClock();
  using edition = await open(clock);
  using peer = await open(theirs);
  using fixture = localOf(edition);
  using packets = peer.newServerPackets();
  await fixture.fromClient(ASKED, client(1));
  const [socket] = fixture.outgoing;
  const state = stateOf(packets, socket!.sends[0]!.data);
  theirs.unix -= 31_000;
  for (let n = 0; n < 3; n++) socket!.bring(answer(packets, state), SERVER);
  await fixture.settle();
  assertEquals(fixture.listener.sends.length, 0);
  assertEquals(fixture.logs.of("error"), [
    "the clock of 192.0.2.1:8388 differs from ours by -31 s (below 0: it is behind), 30 are allowed: set both clocks, best by NTP",
  ]);
});

Deno.test("UDPRelay of the 2022 edition passes packets on to the server behind it, by the address they come from", async () => {
  const clock = new TestClock();
  const key = (seed: number): string => toBase64(seededBytes(16, seed));
  const [first, second, bob] = [key(1), key(2), key(3)];
  using edition = await open(clock, {
    password: first,
    users: [{
      ...{ name: "behind", password: second },
      next: { host: SERVER.host, port: SERVER.port },
    }],
  });
  using far = await open(clock, {
    password: second,
    users: [{ name: "bob", password: bob }],
  });
  using peer = await open(clock, { password: `${first}:${second}:${bob}` });
  using fixture = serverOf(edition);
  using server = far.newServerPackets();
  using packets = peer.newClientPackets();
  const places = [client(1000), client(2000)];
  const sealed = places.map(() => seal(packets, "hello"));
  for (const [i, place] of places.entries()) {
    for (let n = 0; n < 2; n++) await fixture.fromClient(sealed[i]!, place);
  }
  // A replay goes nowhere.
  assertEquals(fixture.outgoing.map(({ sends }) => sends.length), [1, 1]);
  assertEquals(fixture.opened.map(({ user }) => user), ["behind", "behind"]);
  for (const [i, place] of places.entries()) {
    const socket = fixture.outgoing[i]!;
    assertEquals(`${socket.sends[0]!.to}`, `${SERVER}`);
    const state = stateOf(server, socket.sends[0]!.data);
    // What nobody here can tell from an answer, but who has sent it.
    const strangers = [SOURCE, SocketAddress.parse(SERVER.host, 8389)];
    for (const each of strangers) socket.bring(new Uint8Array(99), each);
    socket.bring(answer(server, state), SERVER);
    await fixture.settle();
    assertEquals(fixture.listener.sends.length, i + 1);
    const { data, to } = fixture.listener.sends[i]!;
    assertEquals(`${to}`, `${place}`);
    assertEquals(take(packets, data), "answer");
  }
});
