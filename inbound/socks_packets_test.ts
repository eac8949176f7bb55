/**
 * The datagrams of a SOCKS5 proxy: what is taken, dropped and answered.
 *
 * @module
 */

import { assertEquals, assertStrictEquals } from "@std/assert";
import { SocketAddress } from "../loop/mod.ts";
import { Packet, PACKET_ROOM, type PacketInbound } from "../relay/mod.ts";
import { CLIENT, openSession } from "./_proxy_client_fixture.ts";
import { SocksPackets } from "./mod.ts";
import { bytesOf } from "../tests/support/bytes.ts";
import { LogCapture } from "../tests/support/logs.ts";

const IPV4 = bytesOf(1, 192, 0, 2, 7, 0, 53);
const IPV6 = bytesOf(4, 0x20, 1, 0xd, 0xb8, new Uint8Array(11), 1, 0, 53);
const NAME = bytesOf(3, 11, "dns.example", 0, 53);
const HEADERS: readonly (readonly [Uint8Array, string])[] = [
  [IPV4, "192.0.2.7:53"],
  [IPV6, "[2001:db8::1]:53"],
  [NAME, "dns.example:53"],
  [bytesOf(3, 255, "d".repeat(255), 0, 53), `${"d".repeat(255)}:53`],
  [bytesOf(3, 9, "127.0.0.1", 0, 53), "127.0.0.1:53"],
];
const NO_OUTPUT = new Uint8Array(0);

/** A packet that holds `data` behind `room` bytes of dirt. */
function packetOf(data: Uint8Array, room = PACKET_ROOM): Packet {
  const packet = new Packet();
  packet.bytes = new Uint8Array(room + data.length + 20).fill(0xdd);
  packet.bytes.set(data, room);
  packet.start = room;
  packet.end = room + data.length;
  return packet;
}

for (const [header, name] of HEADERS) {
  Deno.test(`SocksPackets.open() finds the payload for ${name} without a copy`, () => {
    for (const payload of ["", "x", "data".repeat(300)]) {
      const packet = packetOf(bytesOf(0, 0, 0, header, payload));
      const { bytes, end } = packet;
      const before = bytes.slice();
      const got = new SocksPackets().open(packet, CLIENT);
      assertEquals(got, { key: CLIENT.key, user: "", state: undefined });
      assertStrictEquals(packet.bytes, bytes);
      assertEquals(bytes, before);
      assertEquals(`${packet.target}`, name);
      assertEquals(bytes.subarray(packet.head, packet.start), header);
      assertEquals(bytes.subarray(packet.start, packet.end), bytesOf(payload));
      assertEquals(packet.end, end);
    }
  });
}

/** Datagrams that are dropped. */
const DROPPED: readonly (readonly [string, Uint8Array])[] = [
  ["nothing", bytesOf()],
  ["one byte", bytesOf(0)],
  ["three bytes", bytesOf(0, 0, 0)],
  ["a fragment", bytesOf(0, 0, 1, IPV4, "x")],
  ["the last fragment", bytesOf(0, 0, 0x81, IPV4)],
  ["an address cut short", bytesOf(0, 0, 0, IPV4).subarray(0, 9)],
  ["an unknown type", bytesOf(0, 0, 0, 2, 1, 2, 3, 4, 0, 53)],
  ["an empty name", bytesOf(0, 0, 0, 3, 0, 0, 53)],
  ["a name with a line end", bytesOf(0, 0, 0, 3, 2, "a\n", 0, 53)],
];
for (const [name, data] of DROPPED) {
  Deno.test(`SocksPackets.open() drops a datagram when it holds ${name}`, () => {
    using logs = new LogCapture();
    const got = new SocksPackets().open(packetOf(data), CLIENT);
    assertEquals(got, undefined);
    assertEquals(logs.lines, [
      `debug: drop a UDP packet without a valid header from ${CLIENT}`,
    ]);
  });
}

Deno.test("SocksPackets.seal() puts three zeros before the address in place", () => {
  for (const [header] of HEADERS) {
    const packet = packetOf(bytesOf(header, "answer"));
    const { end } = packet;
    packet.head = packet.start;
    packet.start += header.length;
    assertEquals(seal(packet), -1);
    assertEquals(packet.end, end);
    assertEquals(
      packet.bytes.subarray(packet.start, packet.end),
      bytesOf(0, 0, 0, header, "answer"),
    );
  }
});

/** Who may send an answer, and the header of it. */
const SOURCES: readonly (readonly [SocketAddress, Uint8Array])[] = [
  [SocketAddress.parse("192.0.2.7", 53), IPV4],
  [SocketAddress.parse("2001:db8::1", 53), IPV6],
  [SocketAddress.parse("::ffff:192.0.2.7", 53), IPV4],
];
for (const [source, header] of SOURCES) {
  Deno.test(`SocksPackets.seal() writes the address of ${source} when none is there`, () => {
    const packet = packetOf(bytesOf("answer"));
    packet.source = source;
    assertEquals(seal(packet), -1);
    assertEquals(
      packet.bytes.subarray(packet.start, packet.end),
      bytesOf(0, 0, 0, header, "answer"),
    );
  });

  Deno.test(`SocksPackets.seal() writes the answer of ${source} anew when there is no room in front`, () => {
    const length = 3 + header.length + 6;
    for (let room = 0; room < 3 + header.length; room++) {
      const packet = packetOf(bytesOf("answer"), room);
      packet.source = source;
      const output = new Uint8Array(length).fill(0xcc);
      assertEquals(seal(packet, output), length);
      assertEquals(output, bytesOf(0, 0, 0, header, "answer"));
      assertEquals(seal(packet, output.subarray(1)), -2);
    }
  });
}

Deno.test("SocksPackets.seal() writes a headed answer anew when there is no room in front", () => {
  for (let room = 0; room < 3; room++) {
    const packet = packetOf(bytesOf(NAME, "answer"), room);
    packet.head = packet.start;
    packet.start += NAME.length;
    const output = new Uint8Array(3 + NAME.length + 6).fill(0xcc);
    assertEquals(seal(packet, output), output.length);
    assertEquals(output, bytesOf(0, 0, 0, NAME, "answer"));
    assertEquals(seal(packet, output.subarray(1)), -2);
  }
});

Deno.test("SocksPackets.seal() sends nothing when nobody knows the source", () => {
  assertEquals(seal(packetOf(bytesOf("answer"))), -2);
});

Deno.test("SocksPackets needs an association when there are users", () => {
  assertEquals(new SocksPackets().needsAssociation, false);
  assertEquals(new SocksPackets({ hasUsers: true }).needsAssociation, true);
});

function seal(packet: Packet, output = NO_OUTPUT): number {
  const packets: PacketInbound = new SocksPackets();
  return packets.seal(packet, undefined, output, openSession());
}
