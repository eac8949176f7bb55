/**
 * Sessions of packets of the 2022 edition: what users can do to each other,
 * what outlives a session, and bodies that no client would send.
 *
 * @module
 */

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import {
  type AeadCipher,
  type CipherMethod,
  type CryptoProvider,
  deriveKey,
} from "../crypto/mod.ts";
import { newEdition, type Row, sealedPacket } from "./_edition_fixture.ts";
import { AES_ROWS, HELLO, NOW, test2022, u16, u64 } from "./_sip022_fixture.ts";
import {
  answerHello,
  HEAD,
  opened,
  type PacketFields,
  requestPacket,
  sealHello,
} from "./_sip022_packet_fixture.ts";
import { pskHash } from "./_sip022_keys.ts";
import type {
  ClientPackets,
  Edition,
  PacketOpened,
  ServerPackets,
} from "./edition.ts";
import { Sip022Edition } from "./sip022_edition.ts";
import { concat, seededBytes, toBase64 } from "../tests/support/bytes.ts";

const SESSION = seededBytes(8, 9);
const OUTPUT = new Uint8Array(70_000);

function open(packets: ServerPackets, sealed: Uint8Array): PacketOpened {
  const result = opened(packets, sealed);
  if ("refused" in result) throw new Error(result.reason);
  return result;
}

function verdict(packets: ServerPackets, sealed: Uint8Array): string {
  const result = opened(packets, sealed);
  return "refused" in result ? `${result.refused}: ${result.reason}` : "served";
}

function take(packets: ClientPackets, sealed: Uint8Array): string {
  return packets.open(sealedPacket(sealed), OUTPUT) ?? "served";
}

/** A packet of a user of the server with the key "main". */
function packetOf(row: Row, user: string, number: bigint): Uint8Array {
  return requestPacket(row, {
    session: SESSION,
    number,
    passwords: ["main", user],
  });
}

test2022(
  "ServerPackets.open() gives a user nothing who takes another's session ID",
  (row, clock) => {
    const users = ["Alice", "Bob"];
    using edition = newEdition(row, { clock, password: "main", users });
    using server = edition.newServerPackets();
    const alice = open(server, packetOf(row, "Alice", 0n));
    // Bob, who sees it, uses up numbers, and closes the window.
    for (const number of [1n, 2n, 100_000n]) {
      const bob = open(server, packetOf(row, "Bob", number));
      assertEquals(bob.user, "Bob");
      assertNotEquals(bob.key, alice.key);
      assertNotEquals(bob.state, alice.state);
    }
    for (const number of [1n, 2n]) {
      const again = open(server, packetOf(row, "Alice", number));
      assertEquals([again.user, again.key], ["Alice", alice.key]);
      assertEquals(again.state, alice.state);
    }
    // Nor when sessions are forgotten, while an association may live.
    clock.elapsed += 70_000;
    const passwords = ["main", "Alice"];
    open(
      server,
      requestPacket(row, { session: seededBytes(8, 77), passwords }),
    );
    const bob = open(server, packetOf(row, "Bob", 200_000n));
    assertNotEquals(bob.key, alice.key);
  },
  AES_ROWS,
);

test2022(
  "ServerPackets.open() has a user not use up another's packets by a header that is made for it",
  (row, clock) => {
    const hashOf = (name: string): Uint8Array =>
      pskHash(deriveKey(name, row.method.keyLength));
    const alice = hashOf("Alice");
    // Numbers have 53 bits, so that one in 2,048 users could do it.
    let n = 0;
    let difference: Uint8Array;
    do {
      const bob = hashOf(`Bob ${++n}`);
      difference = alice.map((byte, i) => byte ^ bob[i]!);
    } while (difference[8] !== 0 || difference[9]! >= 0x20);
    const users = ["Alice", `Bob ${n}`];
    using edition = newEdition(row, { clock, password: "main", users });
    using server = edition.newServerPackets();
    open(server, packetOf(row, "Alice", 0n));
    // Bob reads Alice's header and hash by the key of the server.
    const header = concat(SESSION, u64(1)).map((byte, i) =>
      byte ^ difference[i]!
    );
    const made = requestPacket(row, {
      session: header.slice(0, 8),
      number: new DataView(header.buffer).getBigUint64(8),
      passwords: ["main", `Bob ${n}`],
    });
    assertEquals(verdict(server, made), "served");
    assertEquals(verdict(server, packetOf(row, "Alice", 1n)), "served");
  },
  AES_ROWS,
);

test2022(
  "ServerPackets of a relay gives a user nothing who takes another's session ID",
  (row, clock) => {
    const next = { second: { domain: "behind.example", port: 8388 } };
    const users = ["Alice", "second"];
    using relay = newEdition(row, { clock, password: "main", users, next });
    using server = relay.newServerPackets();
    const packet = (number: bigint, user: string): Uint8Array =>
      requestPacket(row, {
        session: SESSION,
        number,
        passwords: ["main", "second", user],
      });
    assertEquals(open(server, packet(0n, "Bob")).key, undefined);
    assertEquals(verdict(server, packet(0n, "Bob")), "replay: replay");
    assertEquals(verdict(server, packet(2n ** 63n, "Eve")), "served");
    for (let number = 1n; number < 5n; number++) {
      assertEquals(verdict(server, packetOf(row, "Alice", number)), "served");
      assertEquals(verdict(server, packet(number, "Bob")), "served");
    }
  },
  AES_ROWS,
);

test2022(
  "ServerPackets.seal() answers by sessions that are forgotten",
  (row, clock) => {
    using edition = newEdition(row, { clock });
    using server = edition.newServerPackets();
    using peer = newEdition(row, { clock });
    const clients = [1, 2].map(() => peer.newClientPackets());
    const states = clients.map((client) =>
      open(server, sealHello(client)).state
    );
    for (let n = 0; n < 3; n++) {
      for (const [i, client] of clients.entries()) {
        const reply = answerHello(server, states[i]);
        assertEquals(take(client, reply), "served");
        assertEquals(take(client, reply), "replay");
      }
      clock.elapsed += 70_000;
      // Begins another, by which those are forgotten.
      using other = peer.newClientPackets();
      open(server, sealHello(other));
    }
    // They go on under new ones.
    for (const [i, client] of clients.entries()) {
      const { state, key } = open(server, sealHello(client));
      assertNotEquals(state, states[i]);
      assertEquals(key, (states[i] as { readonly text: string }).text);
      assertEquals(take(client, answerHello(server, state)), "served");
      client[Symbol.dispose]();
    }
  },
);

test2022(
  "ServerPackets.seal() keeps a session that is answered",
  (row, clock) => {
    using edition = newEdition(row, { clock });
    using server = edition.newServerPackets();
    using peer = newEdition(row, { clock });
    using client = peer.newClientPackets();
    const { state } = open(server, sealHello(client));
    for (let n = 0; n < 4; n++) {
      clock.elapsed += 40_000;
      assertEquals(take(client, answerHello(server, state)), "served");
      using other = peer.newClientPackets();
      open(server, sealHello(other));
    }
    assertEquals(open(server, sealHello(client)).state, state);
  },
);

/** A row whose AEAD keys are counted while they live. */
function counted(row: Row): { readonly row: Row; readonly keys: () => number } {
  let alive = 0;
  const { provider } = row;
  const aead = (method: CipherMethod): AeadCipher => {
    const cipher = provider.aead(method);
    return {
      sessionKey: (session) => cipher.sessionKey(session),
      sealOnce: (session, part) => cipher.sealOnce(session, part),
      openOnce: (session, part) => cipher.openOnce(session, part),
      importKey: (bytes) => {
        const key = cipher.importKey(bytes);
        alive++;
        return {
          sealPart: (nonce, part) => key.sealPart(nonce, part),
          openPart: (nonce, part) => key.openPart(nonce, part),
          [Symbol.dispose]: () => {
            alive--;
            key[Symbol.dispose]();
          },
        };
      },
      [Symbol.dispose]: () => cipher[Symbol.dispose](),
    };
  };
  // Editions ask for nothing else.
  const counting = { version: provider.version, aead } as CryptoProvider;
  return { row: { ...row, provider: counting }, keys: () => alive };
}

test2022(
  "ServerPackets and ClientPackets let go of the keys of what is over or refused",
  (plain, clock) => {
    const { row, keys } = counted(plain);
    using edition = newEdition(row, { clock });
    using peer = newEdition(plain, { clock });
    const server = edition.newServerPackets();
    const states: unknown[] = [];
    for (let n = 0; n < 50; n++) {
      using client = peer.newClientPackets();
      const sealed = sealHello(client);
      const forged = sealed.slice();
      forged[forged.length - 1]! ^= 1;
      const late = requestPacket(plain, { time: NOW - 31 });
      const odd = requestPacket(plain, { rest: u16(0) });
      const great = requestPacket(plain, { number: 2n ** 60n });
      for (const bytes of [forged, late, odd, great]) {
        assertNotEquals(verdict(server, bytes), "served");
      }
      states.push(open(server, sealed).state);
      for (const state of states.slice(-3)) answerHello(server, state);
      clock.elapsed += 70_000;
    }
    // Of one session that is kept two, and one of another.
    assert(keys() <= 3, `${keys()}`);
    server[Symbol.dispose]();
    assertEquals(keys(), 0);
    const client = edition.newClientPackets();
    for (let n = 0; n < 50; n++) {
      using other = peer.newServerPackets();
      const { state } = open(other, sealHello(client));
      const reply = answerHello(other, state);
      const forged = reply.slice();
      forged[0]! ^= 1;
      assertEquals(take(client, forged), "auth_failed");
      assertEquals(take(client, reply), "served");
      // The next server is taken, and one after it has to wait.
      for (const expected of ["served", "replay"]) {
        using next = peer.newServerPackets();
        const { state } = open(next, sealHello(client));
        assertEquals(take(client, answerHello(next, state)), expected);
      }
      clock.elapsed += 70_000;
    }
    assert(keys() <= 3, `${keys()}`);
    client[Symbol.dispose]();
    assertEquals(keys(), 0);
  },
  AES_ROWS,
);

test2022(
  "ServerPackets goes on with sessions when users are replaced",
  (row, clock) => {
    const users = ["Alice", "Bob"];
    using made = newEdition(row, { clock, password: "main", users });
    if (!(made instanceof Sip022Edition)) throw new Error("another edition");
    const server: Sip022Edition = made;
    using packets = server.newServerPackets();
    const setUsers = (...names: readonly string[]): void => {
      server.setUsers(names.map((name) => ({ name, password: keyOf(name) })));
    };
    const keyOf = (name: string): string => keyText(row, name);
    const clientOf = (name: string): Edition =>
      newEdition(row, { clock, password: name, identities: ["main"] });
    using peer = clientOf("Alice");
    using client = peer.newClientPackets();
    using other = clientOf("Carol");
    using stranger = other.newClientPackets();
    const { state } = open(packets, sealHello(client));
    for (let n = 0; n < 3; n++) {
      setUsers("Alice", "Dave");
      assertEquals(open(packets, sealHello(client)).state, state);
      assertEquals(take(client, answerHello(packets, state)), "served");
      assertEquals(
        verdict(packets, sealHello(stranger)),
        "auth_failed: authentication error",
      );
    }
    setUsers("Carol");
    assertEquals(
      verdict(packets, sealHello(client)),
      "auth_failed: authentication error",
    );
    const carol = open(packets, sealHello(stranger));
    assertEquals(take(stranger, answerHello(packets, carol.state)), "served");
  },
  AES_ROWS,
);

/** Authentic bodies that mean nothing, and numbers. */
const SENSELESS: readonly (readonly [string, PacketFields, string])[] = [
  ["an answer's type", { type: 1 }, "auth_failed: invalid header"],
  ["another type", { type: 255 }, "auth_failed: invalid header"],
  ["no address", { rest: u16(0) }, "error: invalid address"],
  [
    "padding to the end",
    { rest: concat(u16(12), HEAD, HELLO) },
    "error: invalid address",
  ],
  [
    "padding beyond the end",
    { rest: concat(u16(13), HEAD, HELLO) },
    "error: invalid address",
  ],
  [
    "padding of 65,535 bytes",
    { rest: concat(u16(65_535), HEAD, HELLO) },
    "error: invalid address",
  ],
  [
    "a masked type of address",
    { rest: concat(u16(0), Uint8Array.of(0x11), HEAD.subarray(1)) },
    "error: invalid address",
  ],
  ["a number of 2⁵³", { number: 2n ** 53n }, "replay: replay"],
  ["the greatest number", { number: 2n ** 64n - 1n }, "replay: replay"],
  ["a time before 1970", { time: 0 }, "skew: clock skew"],
  ["a time far ahead", { time: 2 ** 50 }, "skew: clock skew"],
];

test2022(
  "ServerPackets.open() refuses bodies that mean nothing, and no more after them",
  (row, clock) => {
    using edition = newEdition(row, { clock });
    using server = edition.newServerPackets();
    for (const isKnown of [false, true]) {
      for (const [name, fields, expected] of SENSELESS) {
        const session = isKnown ? SESSION : seededBytes(8, 77);
        const packet = requestPacket(row, { number: 5n, session, ...fields });
        assertEquals(verdict(server, packet), expected, name);
      }
      // None has touched the window, nor a number.
      const number = isKnown ? 5n : 4n;
      const good = requestPacket(row, { session: SESSION, number });
      assertEquals(verdict(server, good), "served");
    }
    const session = seededBytes(8, 77);
    assertEquals(
      verdict(server, requestPacket(row, { number: 5n, session })),
      "served",
    );
    const great = { session: SESSION, number: 2n ** 53n - 1n };
    assertEquals(verdict(server, requestPacket(row, great)), "served");
    assertEquals(
      verdict(server, requestPacket(row, { session: SESSION, number: 6n })),
      "replay: replay",
    );
  },
);

test2022("ServerPackets.open() takes padding of any length", (row, clock) => {
  using edition = newEdition(row, { clock });
  using server = edition.newServerPackets();
  for (const [i, length] of [1, 900, 901, 60_000].entries()) {
    const padding = seededBytes(length);
    const rest = concat(u16(length), padding, HEAD, HELLO);
    const time = NOW + 10 * i - 30;
    const packet = requestPacket(row, { number: BigInt(i), time, rest });
    const open = sealedPacket(packet);
    const result = server.open(open, OUTPUT);
    assert("key" in result, `${length}`);
    assertEquals(open.bytes.slice(open.head, open.end), concat(HEAD, HELLO));
  }
});

/** The key of a test's user as a configuration has it. */
function keyText({ method }: Row, name: string): string {
  return toBase64(deriveKey(name, method.keyLength));
}
