/**
 * The way through a shadowsocks server, with the server's own edition at the
 * other end.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { SocketAddress } from "../loop/mod.ts";
import {
  Packet,
  PACKET_ROOM,
  type Session,
  Sessions,
  Target,
} from "../relay/mod.ts";
import {
  AEAD_METHOD,
  decodeAll,
  encodeAll,
  STREAM_METHOD,
  testEdition,
} from "../shadowsocks/fakes.ts";
import type { Edition } from "../shadowsocks/mod.ts";
import { ShadowsocksOutbound } from "./mod.ts";
import { utf8 } from "../tests/support/bytes.ts";
import { LogCapture } from "../tests/support/logs.ts";

const SERVER = Target.of("192.0.2.1", 8388);
const REMOTE = SocketAddress.parse("192.0.2.1", 8388);
const TARGETS = [
  Target.of("example.com", 443),
  Target.of("192.0.2.7", 80),
  Target.of("2001:db8::1", 1),
];

function wayOf(edition: Edition, fastOpen?: boolean): ShadowsocksOutbound {
  return new ShadowsocksOutbound({
    name: "one",
    server: SERVER,
    edition,
    fastOpen,
  });
}

function openSession(): Session {
  const listener = { protocol: "test", port: 1080 };
  const client = SocketAddress.parse("198.51.100.1", 4000);
  return new Sessions().open({ listener, network: "tcp", client }, 0);
}

for (const method of [AEAD_METHOD, STREAM_METHOD]) {
  for (const oneTimeAuth of [false, true]) {
    const name = `${method}${oneTimeAuth ? ", one-time authentication" : ""}`;
    Deno.test(`ShadowsocksOutbound.open() asks the server for the target (${name})`, async () => {
      using edition = await testEdition({ method, oneTimeAuth });
      using other = await testEdition({ method, oneTimeAuth });
      for (const target of TARGETS) {
        using far = wayOf(edition).open(target);
        assertEquals([far.destination, far.isDirect], [SERVER, false]);
        assertEquals(far.handshake, undefined);
        const codec = far.codec!;
        assert(codec.headPending);
        using server = other.newServerStream();
        const flight = encodeAll(codec, utf8("hello"));
        const output = new Uint8Array(1000);
        const answer = server.receive(flight, output);
        if (answer.kind !== "request") throw new Error(answer.kind);
        const { address, bytes, payload } = answer;
        const host = address.domain !== ""
          ? Target.of(address.domain, address.port)
          : Target.ofAddress(
            address.type === 1
              ? SocketAddress.fromIpv4(bytes, address.hostOffset, address.port)
              : SocketAddress.fromIpv6(bytes, address.hostOffset, address.port),
          );
        assertEquals(`${host}`, `${target}`);
        assertEquals(payload, utf8("hello"));
        const down = encodeAll(server, utf8("answer"));
        assertEquals(decodeAll(codec, down), utf8("answer"));
      }
    });

    Deno.test(`ShadowsocksOutbound.openPackets() seals and opens (${name})`, async () => {
      using edition = await testEdition({ method, oneTimeAuth });
      using other = await testEdition({ method, oneTimeAuth });
      using far = wayOf(edition).openPackets();
      assertEquals(far.destination, SERVER);
      assertEquals(far.checksSource, method === STREAM_METHOD);
      using server = other.newServerPackets();
      for (const target of TARGETS) {
        const packet = packetOf(utf8("query"));
        packet.target = target;
        const output = new Uint8Array(2000);
        const length = far.seal(packet, output);
        const received = packetOf(output.slice(0, length));
        const plain = new Uint8Array(2000);
        const opened = server.open(received, plain);
        if ("refused" in opened) throw new Error(opened.reason);
        assertEquals(opened.address.port, target.port);
        assertEquals(opened.address.domain, target.domain);
        assertEquals(
          plain.slice(received.start, received.end),
          utf8("query"),
        );
        // Back with the same address as the source, as it stands.
        const sealed = server.seal(received, undefined, output);
        const answer = packetOf(output.slice(0, sealed));
        answer.source = REMOTE;
        assert(far.open(answer, new Uint8Array(2000)));
        assertEquals(
          answer.bytes.slice(answer.start, answer.end),
          utf8("query"),
        );
        assertEquals(
          `${answer.source}`,
          target.address === undefined ? "undefined" : `${target}`,
        );
      }
    });
  }
}

function packetOf(data: Uint8Array): Packet {
  const packet = new Packet();
  packet.bytes = new Uint8Array(PACKET_ROOM + data.length);
  packet.bytes.set(data, PACKET_ROOM);
  packet.start = PACKET_ROOM;
  packet.end = packet.bytes.length;
  return packet;
}

/** Targets that have no address header. */
const UNWRITABLE = ["n".repeat(256), "größe.example", "a b"];

Deno.test("ShadowsocksOutbound.open() has no destination when the target cannot be written", async () => {
  using edition = await testEdition();
  for (const host of UNWRITABLE) {
    using far = wayOf(edition).open(Target.of(host, 80));
    assertEquals([far.destination, far.codec], [undefined, undefined]);
  }
});

Deno.test("ShadowsocksOutbound.openPackets() tells when a datagram cannot be sent", async () => {
  using edition = await testEdition();
  using far = wayOf(edition).openPackets();
  const output = new Uint8Array(2000);
  assertEquals(far.seal(packetOf(utf8("x")), output), -2);
  for (const host of UNWRITABLE) {
    const packet = packetOf(utf8("x"));
    packet.target = Target.of(host, 53);
    assertEquals(far.seal(packet, output), -2);
  }
  const packet = packetOf(new Uint8Array(1990));
  packet.target = TARGETS[0];
  assertEquals(far.seal(packet, output), -2);
});

Deno.test("ShadowsocksOutbound logs an answer that it cannot decrypt", async () => {
  using logs = new LogCapture("info");
  using edition = await testEdition();
  const way = wayOf(edition);
  using far = way.open(TARGETS[0]!);
  assertEquals(decodeAll(far.codec!, new Uint8Array(100)), undefined);
  way.onCodecFailed(REMOTE);
  using packets = way.openPackets();
  const forged = packetOf(new Uint8Array(100));
  forged.source = REMOTE;
  assert(!packets.open(forged, new Uint8Array(1000)));
  assertEquals(logs.lines, [
    "error: cannot decrypt the answer of 192.0.2.1:8388: wrong password or method, or it was altered",
    "error: cannot decrypt a UDP answer from 192.0.2.1:8388: wrong password or method",
  ]);
});

Deno.test("ShadowsocksOutbound logs how far a server's clock is from ours", async () => {
  using logs = new LogCapture("info");
  using edition = await testEdition();
  wayOf(edition).onCodecFailed(REMOTE, -45);
  assertEquals(logs.lines, [
    "error: the clock of 192.0.2.1:8388 differs from ours by -45 s (below 0: it is behind), 30 are allowed: set both clocks, best by NTP",
  ]);
});

Deno.test("ShadowsocksOutbound.onUnanswered() suspects a server once when it answers nobody in a row", async () => {
  using logs = new LogCapture("info");
  using edition = await testEdition();
  const way = wayOf(edition);
  const end = (seconds: number, byFarSide: boolean): readonly string[] => {
    const session = openSession();
    session.target = TARGETS[0]!;
    session.end("ok", seconds * 1000);
    logs.clear();
    way.onUnanswered(session, byFarSide);
    return logs.lines;
  };
  const ended =
    "info: server one (192.0.2.1:8388) has ended the connection to example.com:443 from 198.51.100.1:4000 without an answer: it cannot reach the target, or refuses it";
  const silent =
    "warning: server one (192.0.2.1:8388) has answered nothing in 5 s to example.com:443 from 198.51.100.1:4000: wrong password or method there, or the target is silent";
  const suspect =
    "warning: server one (192.0.2.1:8388) can be reached, but has closed or left unanswered 3 connections in a row: wrong password or method, or not a shadowsocks server; or it reaches none of the targets";
  for (let i = 0; i < 9; i++) {
    assertEquals(end(0.9, false), [], "the client has left");
  }
  assertEquals(end(1, true), [ended]);
  assertEquals(end(5, false), [silent]);
  way.onAnswered();
  assertEquals(end(1, true), [ended]);
  assertEquals(end(1, true), [ended]);
  assertEquals(end(5, false), [silent, suspect]);
  assertEquals(end(1, true), [ended], "said once");
  way.onAnswered();
  assertEquals(end(1, false), [], "too short to be named");
  assertEquals(end(2, false), []);
  assertEquals(end(2, false), [suspect]);
});

Deno.test("ShadowsocksOutbound.open() says whether fast open is wanted", async () => {
  using edition = await testEdition();
  for (const fastOpen of [undefined, false, true]) {
    using far = wayOf(edition, fastOpen).open(TARGETS[0]!);
    assertEquals(far.fastOpen, fastOpen ?? false);
  }
});

Deno.test("ShadowsocksOutbound.pick() gives itself unless it was tried", async () => {
  using edition = await testEdition();
  const way = wayOf(edition);
  assertEquals(way.name, "one");
  const session = openSession();
  assertEquals(way.pick(session, []), way);
  assertEquals(way.pick(session, [wayOf(edition)]), way);
  assertEquals(way.pick(session, [way]), undefined);
});
