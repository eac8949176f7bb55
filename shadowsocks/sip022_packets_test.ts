/**
 * Packets of the 2022 edition: sessions, numbers, clocks and users, beside what
 * the contract of packets asks for.
 *
 * @module
 */

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { blake3 } from "@noble/hashes/blake3.js";
import { createDecipheriv } from "node:crypto";
import { deriveKey } from "../crypto/mod.ts";
import {
  contentOf,
  type EditionSetup,
  newEdition,
  type Row,
  sealedPacket,
} from "./_edition_fixture.ts";
import { WINDOW } from "./_packet_window.ts";
import {
  AES_ROWS,
  HELLO,
  NOW,
  PASSWORD,
  test2022,
  type TestClock,
} from "./_sip022_fixture.ts";
import { answerHello, HEAD, sealHello } from "./_sip022_packet_fixture.ts";
import type {
  ClientPackets,
  Edition,
  PacketOpened,
  ServerPackets,
} from "./edition.ts";
import { ReplayMemory } from "./replay_memory.ts";
import { concat, seededBytes, utf8 } from "../tests/support/bytes.ts";

/** `192.0.2.7:53`. */
const DNS_HEAD = Uint8Array.of(1, 192, 0, 2, 7, 0, 53);
const OUTPUT = new Uint8Array(70_000);

function open(packets: ServerPackets, sealed: Uint8Array): PacketOpened {
  const opened = packets.open(sealedPacket(sealed), OUTPUT);
  if ("refused" in opened) throw new Error(opened.reason);
  return opened;
}

function refusal(packets: ServerPackets, sealed: Uint8Array): string {
  const opened = packets.open(sealedPacket(sealed), OUTPUT);
  return "refused" in opened ? `${opened.refused}: ${opened.reason}` : "served";
}

function take(packets: ClientPackets, sealed: Uint8Array): string {
  const packet = sealedPacket(sealed);
  const refused = packets.open(packet, OUTPUT);
  return refused ?? new TextDecoder().decode(contentOf(packet).data);
}

/** Both sides of an association. */
class Association implements Disposable {
  readonly client: ClientPackets;
  readonly server: ServerPackets;
  readonly #editions: readonly Edition[];

  constructor(
    row: Row,
    clock: TestClock,
    { client = {}, server = {} }: {
      readonly client?: EditionSetup;
      readonly server?: EditionSetup;
    } = {},
  ) {
    const near = newEdition(row, { clock, ...client });
    const far = newEdition(row, { clock, ...server });
    this.#editions = [near, far];
    this.client = near.newClientPackets();
    this.server = far.newServerPackets();
  }

  [Symbol.dispose](): void {
    this.client[Symbol.dispose]();
    this.server[Symbol.dispose]();
    for (const edition of this.#editions) edition[Symbol.dispose]();
  }
}

test2022(
  "ServerPackets.open() takes packets in any order, each once",
  (row, clock) => {
    using ends = new Association(row, clock);
    const { client, server } = ends;
    const sealed = Array.from({ length: 1100 }, () => sealHello(client));
    // The newest first: 1,099 deep.
    for (const packet of sealed.toReversed()) {
      assertEquals(refusal(server, packet), "served");
    }
    for (const packet of sealed) {
      assertEquals(refusal(server, packet), "replay: replay");
    }
  },
);

test2022(
  "ServerPackets.open() refuses what is behind the window",
  (row, clock) => {
    using ends = new Association(row, clock);
    const { client, server } = ends;
    const late = sealHello(client);
    for (let n = 0; n < WINDOW; n++) sealHello(client);
    assertEquals(refusal(server, sealHello(client)), "served");
    assertEquals(refusal(server, late), "replay: replay");
  },
);

test2022(
  "ServerPackets.open() refuses a replay at another listener and after a restart",
  (row, clock) => {
    const memory = ReplayMemory.inMemory();
    using ends = new Association(row, clock, { server: { memory } });
    const { client, server } = ends;
    const packets = Array.from({ length: 20 }, () => sealHello(client));
    for (const packet of packets) open(server, packet);
    using again = newEdition(row, { clock, memory });
    using other = again.newServerPackets();
    for (const packet of packets) {
      assertEquals(refusal(other, packet), "replay: replay");
    }
    assertEquals(refusal(other, sealHello(client)), "served");
  },
);

test2022(
  "ServerPackets.open() refuses every flipped bit and counts none of it",
  (row, clock) => {
    using ends = new Association(row, clock);
    const { client, server } = ends;
    open(server, sealHello(client));
    const sealed = sealHello(client);
    for (let bit = 0; bit < 8 * sealed.length; bit++) {
      const forged = sealed.slice();
      forged[bit >> 3]! ^= 1 << (bit & 7);
      assertEquals(
        refusal(server, forged),
        "auth_failed: authentication error",
        `bit ${bit}`,
      );
    }
    assertEquals(refusal(server, sealed), "served");
  },
);

test2022(
  "ClientPackets.open() refuses every flipped bit and counts none of it",
  (row, clock) => {
    using ends = new Association(row, clock);
    const { client, server } = ends;
    const { state } = open(server, sealHello(client));
    assertEquals(take(client, answerHello(server, state)), "hello");
    const sealed = answerHello(server, state);
    for (let bit = 0; bit < 8 * sealed.length; bit++) {
      const forged = sealed.slice();
      forged[bit >> 3]! ^= 1 << (bit & 7);
      assertEquals(take(client, forged), "auth_failed", `bit ${bit}`);
    }
    assertEquals(take(client, sealed), "hello");
    assertEquals(take(client, sealed), "replay");
  },
);

test2022("Packets are taken within 30 seconds, either way", (row, clock) => {
  for (let skew = -31; skew <= 31; skew++) {
    using ends = new Association(row, clock);
    const { client, server } = ends;
    const isFine = Math.abs(skew) <= 30;
    clock.unix = (NOW + skew) * 1000;
    const early = sealHello(client);
    clock.unix = NOW * 1000;
    const opened = server.open(sealedPacket(early), OUTPUT);
    if (isFine) assert("key" in opened, `${skew}`);
    else {
      assertEquals({ ...opened }, {
        refused: "skew",
        reason: "clock skew",
        skew,
      });
    }
    const { state } = open(server, sealHello(client));
    clock.unix = (NOW + skew) * 1000;
    const reply = answerHello(server, state);
    clock.unix = NOW * 1000;
    assertEquals(take(client, reply), isFine ? "hello" : "skew", `${skew}`);
    assertEquals(client.skew, isFine ? undefined : skew);
  }
});

test2022(
  "Packets that came are not forgotten when a clock is set back",
  (row, clock) => {
    using ends = new Association(row, clock);
    const { client, server } = ends;
    const packet = sealHello(client);
    open(server, packet);
    clock.unix += 3_600_000;
    assertNotEquals(refusal(server, packet), "served");
    clock.unix -= 3_600_000;
    clock.elapsed += 120_000;
    // Another session is begun, by which those that are idle are forgotten.
    using other = new Association(row, clock);
    open(server, sealHello(other.client));
    assertEquals(refusal(server, packet), "replay: replay");
  },
);

test2022(
  "ClientPackets.open() takes a server that was started again, and not a third",
  (row, clock) => {
    using ends = new Association(row, clock);
    const { client } = ends;
    const started = (): { readonly reply: () => Uint8Array } & Disposable => {
      const edition = newEdition(row, { clock });
      const server = edition.newServerPackets();
      const { state } = open(server, sealHello(client));
      return {
        reply: () => answerHello(server, state),
        [Symbol.dispose]: () => {
          server[Symbol.dispose]();
          edition[Symbol.dispose]();
        },
      };
    };
    using first = started();
    using second = started();
    using third = started();
    assertEquals(take(client, first.reply()), "hello");
    assertEquals(take(client, second.reply()), "hello");
    // What was on its way.
    assertEquals(take(client, first.reply()), "hello");
    assertEquals(take(client, third.reply()), "replay");
    clock.elapsed += 61_000;
    assertEquals(take(client, third.reply()), "hello");
    assertEquals(take(client, second.reply()), "hello");
    assertEquals(take(client, first.reply()), "replay");
  },
);

test2022(
  "ClientPackets.open() takes answers of its own session alone",
  (row, clock) => {
    using ends = new Association(row, clock);
    using other = new Association(row, clock);
    const { state } = open(ends.server, sealHello(ends.client));
    const reply = answerHello(ends.server, state);
    assertEquals(take(other.client, reply), "auth_failed");
    assertEquals(take(ends.client, reply), "hello");
  },
);

test2022("ServerPackets keeps the sessions of clients apart", (row, clock) => {
  using edition = newEdition(row, { clock });
  using server = edition.newServerPackets();
  using one = new Association(row, clock);
  using two = new Association(row, clock);
  const first = open(server, sealHello(one.client));
  const second = open(server, sealHello(two.client));
  assertNotEquals(first.key, second.key);
  assertEquals(open(server, sealHello(one.client)).key, first.key);
  assertEquals(take(one.client, answerHello(server, first.state)), "hello");
  assertEquals(take(two.client, answerHello(server, second.state)), "hello");
});

test2022(
  "Packets to and from port 53 are padded, others are not",
  (row, clock) => {
    using ends = new Association(row, clock);
    const { client, server } = ends;
    const plain = new Set<number>();
    const padded = new Set<number>();
    for (let n = 0; n < 200; n++) {
      plain.add(sealHello(client).length);
      const sealed = sealHello(client, HELLO, DNS_HEAD);
      padded.add(sealed.length);
      assert(sealed.length <= 1232);
      const packet = sealedPacket(sealed);
      server.open(packet, OUTPUT);
      assertEquals(contentOf(packet), { head: DNS_HEAD, data: HELLO });
    }
    assertEquals(plain.size, 1);
    assert(padded.size > 100);
    assertEquals(
      sealHello(client, seededBytes(1400), DNS_HEAD).length > 1400,
      true,
    );
  },
);

test2022(
  "ServerPackets.open() tells users by their identity headers, and refuses others",
  (row, clock) => {
    const users = ["Alice", "Bob"];
    const setup = { server: { password: "main", users } };
    const clientOf = (password: string): EditionSetup => ({
      password,
      identities: ["main"],
    });
    using alice = new Association(row, clock, {
      client: clientOf("Alice"),
      ...setup,
    });
    using bob = new Association(row, clock, {
      client: clientOf("Bob"),
      ...setup,
    });
    using carol = new Association(row, clock, {
      client: clientOf("Carol"),
      ...setup,
    });
    using nobody = new Association(row, clock, {
      client: { password: "main" },
      ...setup,
    });
    const { server } = alice;
    for (const [name, client] of [["Alice", alice], ["Bob", bob]] as const) {
      const opened = open(server, sealHello(client.client));
      assertEquals(opened.user, name);
      assertEquals(
        take(client.client, answerHello(server, opened.state)),
        "hello",
      );
    }
    for (const { client } of [carol, nobody]) {
      assertEquals(
        refusal(server, sealHello(client)),
        "auth_failed: authentication error",
      );
    }
  },
  AES_ROWS,
);

test2022(
  "ClientPackets.seal() writes headers as SIP022 and SIP023 have them",
  (row, clock) => {
    using ends = new Association(row, clock, {
      client: { identities: ["first"], password: PASSWORD },
    });
    const sealed = sealHello(ends.client);
    const { keyLength } = row.method;
    const [outer, inner] = ["first", PASSWORD]
      .map((password) => deriveKey(password, keyLength));
    const block = (bytes: Uint8Array): Uint8Array => {
      const name = `aes-${8 * keyLength}-ecb`;
      const cipher = createDecipheriv(name, outer!, null);
      cipher.setAutoPadding(false);
      const plain = Uint8Array.from(cipher.update(bytes));
      cipher.final();
      return plain;
    };
    const header = block(sealed.subarray(0, 16));
    assertEquals(header.subarray(8), new Uint8Array(8), "the first packet");
    const hash = blake3(inner!).subarray(0, 16);
    assertEquals(
      block(sealed.subarray(16, 32)),
      hash.map((byte, i) => byte ^ header[i]!),
    );
    const context = utf8("shadowsocks 2022 session subkey");
    const subkey = blake3(concat(inner!, header.subarray(0, 8)), { context })
      .subarray(0, keyLength);
    const name = keyLength === 16 ? "aes-128-gcm" : "aes-256-gcm";
    const cipher = createDecipheriv(name, subkey, header.subarray(4));
    cipher.setAuthTag(sealed.subarray(-16));
    const body = Uint8Array.from(cipher.update(sealed.subarray(32, -16)));
    cipher.final();
    const time = new Uint8Array(8);
    new DataView(time.buffer).setBigUint64(0, BigInt(NOW));
    assertEquals(
      body,
      concat(Uint8Array.of(0), time, Uint8Array.of(0, 0), HEAD, HELLO),
    );
  },
  AES_ROWS,
);
