/**
 * What editions with one memory of salts take, and what they refuse.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import {
  contentOf,
  encode,
  plainPacket,
  sealedPacket,
  Serving,
  TARGET,
} from "./_edition_fixture.ts";
import type { ClientPackets, Edition, ServerPackets } from "./edition.ts";
import { AEAD_METHOD, STREAM_METHOD, testEdition } from "./fakes.ts";
import { ReplayMemory } from "./replay_memory.ts";
import { utf8 } from "../tests/support/bytes.ts";

/** `192.0.2.7:53`. */
const HEAD = Uint8Array.of(1, 192, 0, 2, 7, 0, 53);
const OUTPUT = new Uint8Array(2000);
/** Fewer than are sealed in between. */
const PACKETS = 100;

function seal(
  packets: ClientPackets,
  text: string,
): Uint8Array {
  const packet = plainPacket(HEAD, utf8(text));
  return OUTPUT.slice(0, packets.seal(packet, OUTPUT));
}

function answer(packets: ServerPackets, text: string): Uint8Array {
  const packet = plainPacket(HEAD, utf8(text));
  return OUTPUT.slice(0, packets.seal(packet, undefined, OUTPUT));
}

function serve(packets: ServerPackets, sealed: Uint8Array): string {
  const opened = packets.open(sealedPacket(sealed), new Uint8Array(2000));
  return "refused" in opened ? opened.refused : "served";
}

function take(packets: ClientPackets, sealed: Uint8Array): string {
  const packet = sealedPacket(sealed);
  const refused = packets.open(packet, new Uint8Array(2000));
  return refused ?? new TextDecoder().decode(contentOf(packet).data);
}

function flight(edition: Edition): Uint8Array {
  using stream = edition.newClientStream(TARGET);
  return encode(stream, utf8("hello"));
}

function receive(edition: Edition, bytes: Uint8Array): string | undefined {
  using stream = edition.newServerStream();
  const { answer } = new Serving(stream).feed(bytes);
  return answer?.kind === "refuse" ? answer.status : answer?.kind;
}

for (const method of [AEAD_METHOD, STREAM_METHOD]) {
  Deno.test(`Editions with one key and one memory refuse what one of them has served (${method})`, async () => {
    const memory = ReplayMemory.inMemory();
    using client = await testEdition({ method });
    const bytes = flight(client);
    {
      using first = await testEdition({ method }, memory);
      assertEquals(receive(first, bytes), "request");
    }
    using other = await testEdition({ method }, memory);
    assertEquals(receive(other, bytes), "replay");
    assertEquals(receive(other, flight(client)), "request");
  });

  Deno.test(`A client and a server of one key may have one memory (${method})`, async () => {
    const memory = ReplayMemory.inMemory();
    using client = await testEdition({ method }, memory);
    using server = await testEdition({ method }, memory);
    assertEquals(receive(server, flight(client)), "request");
    using up = client.newClientPackets();
    using down = server.newServerPackets();
    assertEquals(serve(down, seal(up, "query")), "served");
    assertEquals(take(up, answer(down, "answer")), "answer");
  });

  Deno.test(`ClientPackets.open() refuses its own queries and what any association was given (${method})`, async () => {
    const memory = ReplayMemory.inMemory({ packets: PACKETS });
    using client = await testEdition({ method }, memory);
    // Another server of the configuration, with the same key.
    using second = await testEdition({ method }, memory);
    using server = await testEdition({ method });
    using one = client.newClientPackets();
    using other = client.newClientPackets();
    using third = second.newClientPackets();
    using down = server.newServerPackets();
    const query = seal(one, "query");
    const reply = answer(down, "answer");
    assertEquals(take(one, reply), "answer");
    // Sent meanwhile, which must not make what came forgotten.
    for (let n = 0; n < 5 * PACKETS; n++) seal(other, "more");
    const late = seal(one, "late");
    for (const packets of [one, other, third]) {
      assertEquals(take(packets, reply), "replay");
      assertEquals(take(packets, late), "replay");
    }
    assertEquals(serve(down, query), "served");
  });
}

Deno.test("ServerPackets.open() refuses a replay after any number of answers to strangers", async () => {
  const memory = ReplayMemory.inMemory({ packets: PACKETS });
  using edition = await testEdition({}, memory);
  using up = edition.newClientPackets();
  using down = edition.newServerPackets();
  const packet = seal(up, "query");
  assertEquals(serve(down, packet), "served");
  for (let n = 0; n < 5 * PACKETS; n++) answer(down, "a stranger's");
  assertEquals(serve(down, packet), "replay");
});
