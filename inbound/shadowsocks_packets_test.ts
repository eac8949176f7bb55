/**
 * What a shadowsocks server makes of the packets it gets.
 *
 * @module
 */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { SocketAddress } from "../loop/mod.ts";
import { NOT_SENDABLE, Packet, PACKET_ROOM } from "../relay/mod.ts";
import * as shadowsocks from "../shadowsocks/mod.ts";
import {
  AEAD_METHOD,
  STREAM_METHOD,
  testEdition,
} from "../shadowsocks/fakes.ts";
import { CLIENT } from "./_proxy_client_fixture.ts";
import { ShadowsocksPackets } from "./mod.ts";
import { bytesOf } from "../tests/support/bytes.ts";
import { LogCapture } from "../tests/support/logs.ts";

const HEADER = bytesOf(1, 192, 0, 2, 7, 0, 53);
const NAME = bytesOf(3, 11, "dns.example", 0, 53);
const REFUSED =
  `error: can not parse header when handling UDP packet from ${CLIENT}`;

function packetOf(data: Uint8Array, head = -1): Packet {
  const packet = new Packet();
  packet.bytes = new Uint8Array(PACKET_ROOM + data.length);
  packet.bytes.set(data, PACKET_ROOM);
  packet.start = PACKET_ROOM;
  packet.end = packet.bytes.length;
  packet.head = head;
  return packet;
}

/** Seals ADDR ‖ data as a client does. */
function seal(
  edition: shadowsocks.Edition,
  header: Uint8Array,
  text: string,
): Uint8Array {
  const packet = packetOf(bytesOf(text), PACKET_ROOM - header.length);
  packet.bytes.set(header, packet.head);
  const output = new Uint8Array(2000);
  using packets = edition.newClientPackets();
  return output.slice(0, packets.seal(packet, output));
}

Deno.test("PACKET_ROOM is the same in relay and shadowsocks", () => {
  assertEquals(shadowsocks.PACKET_ROOM, PACKET_ROOM);
});

for (const method of [AEAD_METHOD, STREAM_METHOD]) {
  for (const oneTimeAuth of [false, true]) {
    Deno.test(`ShadowsocksPackets opens packets and seals answers (${method}${oneTimeAuth ? ", one-time authentication" : ""})`, async () => {
      using logs = new LogCapture();
      using edition = await testEdition({ method, oneTimeAuth });
      using peer = await testEdition({ method, oneTimeAuth });
      using packets = new ShadowsocksPackets(edition);
      const output = new Uint8Array(2000);
      for (
        const [header, name] of [
          [HEADER, "192.0.2.7:53"],
          [NAME, "dns.example:53"],
        ] as const
      ) {
        const packet = packetOf(seal(peer, header, "query"));
        const opened = packets.open(packet, CLIENT, output);
        assertEquals([opened?.key, opened?.user], [CLIENT.key, ""]);
        assertStrictEquals(packet.bytes, output);
        assertEquals(`${packet.target}`, name);
        assertEquals(output.slice(packet.head, packet.start), header);
        assertEquals(output.slice(packet.start, packet.end), bytesOf("query"));
      }
      const answer = packetOf(bytesOf("answer"));
      answer.source = SocketAddress.parse("::ffff:192.0.2.7", 53);
      const length = packets.seal(answer, undefined, output);
      const sealed = packetOf(output.slice(0, length));
      using client = peer.newClientPackets();
      assertEquals(client.open(sealed, new Uint8Array(2000)), undefined);
      assertEquals(
        sealed.bytes.slice(sealed.head, sealed.end),
        bytesOf(HEADER, "answer"),
      );
      assertEquals(logs.lines, []);
    });
  }
}

const USERS = [
  { name: "alice", password: "what alice knows" },
  { name: "bob", password: "what bob knows" },
];

Deno.test("ShadowsocksPackets keeps two users of one address apart", async () => {
  const [alice, bob] = USERS;
  using edition = await testEdition({ password: "both", users: USERS });
  using packets = new ShadowsocksPackets(edition);
  const output = new Uint8Array(2000);
  const cases = [
    { password: alice!.password, user: alice!.name },
    { password: bob!.password, user: bob!.name },
    { password: "both", user: "" },
  ];
  const keys = new Set<string>();
  for (const { password, user } of cases) {
    using peer = await testEdition({ password });
    using client = peer.newClientPackets();
    for (let round = 0; round < 2; round++) {
      const packet = packetOf(seal(peer, HEADER, "query"));
      const opened = packets.open(packet, CLIENT, output);
      assertEquals(opened?.user, user);
      keys.add(opened!.key);
      const answer = packetOf(bytesOf("answer"));
      answer.source = SocketAddress.parse("192.0.2.7", 53);
      const length = packets.seal(answer, opened!.state, output);
      const sealed = packetOf(output.slice(0, length));
      assertEquals(client.open(sealed, new Uint8Array(2000)), undefined);
    }
  }
  assertEquals(keys.size, 3);
  assert(keys.has(CLIENT.key));
});

Deno.test("ShadowsocksPackets does not accuse whom nobody has looked at", async () => {
  using logs = new LogCapture();
  using edition = await testEdition({ password: "", users: USERS });
  const refused = { refused: "error", reason: "too many strangers" } as const;
  const busy = Object.create(edition) as shadowsocks.Edition;
  busy.newServerPackets = () => ({
    open: () => refused,
    seal: () => NOT_SENDABLE,
    [Symbol.dispose]: () => {},
  });
  using packets = new ShadowsocksPackets(busy);
  const packet = packetOf(new Uint8Array(100));
  assertEquals(packets.open(packet, CLIENT, new Uint8Array(500)), undefined);
  assertEquals(logs.lines, [
    `warning: a UDP packet from ${CLIENT.host} was dropped: too many come ` +
    "from addresses that are not known to try each user's key for all",
  ]);
});

Deno.test("ShadowsocksPackets logs why a packet is dropped", async () => {
  using edition = await testEdition();
  using strict = await testEdition({ oneTimeAuth: true });
  using peer = await testEdition();
  const once = seal(peer, HEADER, "query");
  const cases = [
    {
      edition,
      data: new Uint8Array(60),
      reason: "authentication error",
      last:
        "warning: what 198.51.100.1 sent cannot be read: another password " +
        "or method there than here, or not a shadowsocks client",
    },
    {
      edition,
      data: seal(peer, bytesOf(2), "query"),
      reason: "invalid address",
    },
    {
      edition,
      data: seal(peer, bytesOf(0x11, HEADER.subarray(1)), "0123456789"),
      reason: "one time auth failed",
      first: "warning: UDP one time auth fail",
    },
    {
      edition,
      data: seal(peer, bytesOf(0x11, HEADER.subarray(1)), "short"),
      reason: "one time auth is too short",
      first: "warning: UDP one time auth header is too short",
    },
    {
      edition: strict,
      data: seal(peer, HEADER, "query"),
      reason: "one time auth is required",
      first: "warning: client one time auth is required",
    },
    { edition, data: once },
    { edition, data: once, reason: "replay" },
  ];
  for (const { edition, data, reason, first, last } of cases) {
    using logs = new LogCapture();
    using packets = new ShadowsocksPackets(edition);
    const packet = packetOf(data);
    const opened = packets.open(packet, CLIENT, new Uint8Array(2000));
    assertEquals(opened === undefined, reason !== undefined);
    if (reason === undefined) continue;
    assertEquals(packet.target, undefined);
    assertEquals(logs.lines, [
      ...(first === undefined ? [] : [first]),
      REFUSED,
      `warning: failed to handshake with ${CLIENT.host}: ${reason}`,
      ...(last === undefined ? [] : [last]),
    ]);
  }
});

Deno.test("ShadowsocksPackets.seal() tells when an answer cannot be sent", async () => {
  using edition = await testEdition();
  using packets = new ShadowsocksPackets(edition);
  const output = new Uint8Array(2000);
  assertEquals(packets.seal(packetOf(bytesOf("x")), undefined, output), -2);
  const packet = packetOf(bytesOf("answer"));
  packet.source = SocketAddress.parse("192.0.2.7", 53);
  assertEquals(packets.seal(packet, undefined, new Uint8Array(20)), -2);
  assert(packets.seal(packet, undefined, output) > 0);
  const tight = new Packet();
  tight.bytes = new Uint8Array(10);
  tight.end = 10;
  tight.source = packet.source;
  assertEquals(packets.seal(tight, undefined, output), -2);
});
