/**
 * The tunnel: connections and datagrams without a handshake.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import {
  Packet,
  PACKET_ROOM,
  type PacketInbound,
  Target,
} from "../relay/mod.ts";
import { CLIENT, openSession, ProxyClient } from "./_proxy_client_fixture.ts";
import { TunnelInbound, TunnelPackets } from "./mod.ts";
import { bytesOf } from "../tests/support/bytes.ts";

/** Targets and their address headers. */
const TARGETS: readonly (readonly [Target, Uint8Array])[] = [
  [
    Target.of("dns.example", 53),
    bytesOf(3, 11, "dns.example", 0, 53),
  ],
  [
    Target.of("l".repeat(255), 53),
    bytesOf(3, 255, "l".repeat(255), 0, 53),
  ],
  [Target.of("192.0.2.7", 53), bytesOf(1, 192, 0, 2, 7, 0, 53)],
  [
    Target.of("2001:db8::1", 25),
    bytesOf(4, 0x20, 1, 0xd, 0xb8, new Uint8Array(11), 1, 0, 25),
  ],
];

for (const [target, header] of TARGETS) {
  Deno.test(`TunnelInbound asks for ${target} without a byte`, () => {
    const client = new ProxyClient(new TunnelInbound(target));
    assertEquals(client.answer, { kind: "request", consumed: 0, target });
    const { stream } = client;
    assertEquals(stream.connected(), undefined);
    assertEquals(stream.codec, undefined);
    assertEquals(stream.failed({ status: "dial_failed", code: "X" }), {
      ending: "reset",
    });
    stream[Symbol.dispose]();
  });

  Deno.test(`TunnelPackets puts the header of ${target} in front`, () => {
    const packets = new TunnelPackets(target);
    const packet = new Packet();
    packet.bytes = new Uint8Array(PACKET_ROOM + 100);
    packet.bytes.set(bytesOf("query"), PACKET_ROOM);
    packet.start = PACKET_ROOM;
    packet.end = PACKET_ROOM + 5;
    const got = packets.open(packet, CLIENT);
    assertEquals(got, { key: CLIENT.key, user: "", state: undefined });
    assertEquals(packet.target, target);
    assertEquals([packet.start, packet.end], [PACKET_ROOM, PACKET_ROOM + 5]);
    assertEquals(
      packet.bytes.subarray(packet.head, packet.end),
      bytesOf(header, "query"),
    );
  });
}

Deno.test("TunnelPackets writes no header when there is no room", () => {
  const [target, header] = TARGETS[0]!;
  const packets = new TunnelPackets(target);
  const { length } = header;
  for (const [room, head] of [[length, 0], [length - 1, -1], [0, -1]]) {
    const packet = new Packet();
    packet.bytes = new Uint8Array(100);
    packet.start = room!;
    packet.end = 60;
    packet.head = 5;
    packets.open(packet, CLIENT);
    assertEquals(packet.head, head);
    assertEquals(packet.target, target);
  }
});

Deno.test("TunnelPackets.seal() gives the payload as it is", () => {
  const packets: PacketInbound = new TunnelPackets(TARGETS[0]![0]);
  const packet = new Packet();
  packet.bytes = bytesOf("head", "answer");
  packet.head = 0;
  packet.start = 4;
  packet.end = 10;
  const output = new Uint8Array(9);
  assertEquals(packets.seal(packet, undefined, output, openSession()), -1);
  assertEquals([packet.start, packet.end], [4, 10]);
  assertEquals(packets.needsAssociation, false);
});

Deno.test("TunnelPackets throws when its target has no header", () => {
  assertThrows(() => new TunnelPackets(Target.of("a b", 1)), RangeError);
});
