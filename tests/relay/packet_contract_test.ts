/**
 * The numbers that relay/ and shadowsocks/ each define, since neither may know
 * the other.
 *
 * @module
 */

import { assertEquals, assertStrictEquals } from "@std/assert";
import * as relay from "../../relay/mod.ts";
import * as shadowsocks from "../../shadowsocks/mod.ts";

Deno.test("NOT_SENDABLE, SEALED_IN_PLACE and PACKET_ROOM are the same in relay/ and shadowsocks/", () => {
  assertEquals(shadowsocks.NOT_SENDABLE, relay.NOT_SENDABLE);
  assertEquals(shadowsocks.SEALED_IN_PLACE, relay.SEALED_IN_PLACE);
  assertEquals(shadowsocks.PACKET_ROOM, relay.PACKET_ROOM);
});

Deno.test("sealedBytes() picks output, packet or nothing", () => {
  const packet = new relay.Packet();
  packet.bytes = Uint8Array.of(0, 1, 2, 3);
  packet.start = 1;
  packet.end = 3;
  const output = Uint8Array.of(7, 8, 9);
  const { NOT_SENDABLE, SEALED_IN_PLACE, sealedBytes } = relay;
  assertEquals(sealedBytes(packet, output, 2), Uint8Array.of(7, 8));
  assertEquals(sealedBytes(packet, output, 0), new Uint8Array(0));
  const inPlace = sealedBytes(packet, output, SEALED_IN_PLACE);
  assertEquals(inPlace, Uint8Array.of(1, 2));
  assertStrictEquals(inPlace?.buffer, packet.bytes.buffer);
  assertEquals(sealedBytes(packet, output, NOT_SENDABLE), undefined);
});
