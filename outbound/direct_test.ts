/**
 * Tests of the two ways without a server: direct, and to nowhere.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { Packet, Target } from "../relay/mod.ts";
import { RouterFixture } from "./_router_fixture.ts";
import { BlockOutbound } from "./block.ts";
import { DirectOutbound } from "./direct.ts";

const TARGET = Target.of("example.com", 443);

Deno.test("DirectOutbound.open() connects to the target itself", () => {
  using stream = new DirectOutbound().open(TARGET);
  assert(stream.destination === TARGET);
  assertEquals([stream.isDirect, stream.fastOpen], [true, false]);
  assertEquals([stream.codec, stream.handshake], [undefined, undefined]);
});

Deno.test("DirectOutbound.openPackets() sends and takes datagrams as they are", () => {
  using packets = new DirectOutbound().openPackets();
  assertEquals(packets.destination, undefined);
  const packet = new Packet();
  packet.bytes = new Uint8Array(600);
  [packet.start, packet.end, packet.head] = [300, 310, 293];
  assertEquals(packets.seal(packet, new Uint8Array(600)), -1);
  assertEquals(packets.open(packet, new Uint8Array(600)), true);
  assertEquals([packet.start, packet.end, packet.head], [300, 310, -1]);
});

Deno.test("DirectOutbound.pick() and BlockOutbound.pick() pick themselves once", () => {
  const session = new RouterFixture({ role: "client" }).session();
  const direct = new DirectOutbound();
  const block = new BlockOutbound();
  assert(direct.pick(session, []) === direct);
  assert(block.pick(session, [direct]) === block);
  assertEquals(direct.pick(session, [block, direct]), undefined);
  assertEquals(block.pick(session, [block]), undefined);
  assertEquals([direct.name, block.name], ["direct", "block"]);
});

Deno.test("BlockOutbound.open() connects to nobody", () => {
  using stream = new BlockOutbound().open();
  assertEquals([stream.destination, stream.isDirect], [undefined, false]);
  assertEquals(new BlockOutbound().openPackets().refused, "blocked");
});
