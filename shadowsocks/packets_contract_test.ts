/**
 * The contract of packets over every edition, with and without one-time
 * authentication, with every library of this machine.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import {
  contentOf,
  Ends,
  plainPacket,
  type Row,
  ROWS,
  sealedPacket,
} from "./_edition_fixture.ts";
import {
  NOT_SENDABLE,
  PACKET_ROOM,
  type PacketBytes,
  type PacketRefused,
} from "./edition.ts";
import { concat, seededBytes, utf8 } from "../tests/support/bytes.ts";

/** `192.0.2.7:53`. */
const HEAD = Uint8Array.of(1, 192, 0, 2, 7, 0, 53);
const NAME_HEAD = concat(
  Uint8Array.of(3, 11),
  utf8("example.com"),
  Uint8Array.of(0, 53),
);
const QUERY = utf8("query");
const LENGTH = 70_000;

/** Both ends of a row's packets. */
class PacketEnds implements Disposable {
  readonly ends: Ends;
  readonly client;
  readonly server;
  readonly #output = new Uint8Array(LENGTH);
  readonly #is2022: boolean;
  readonly #user: string;
  /** What the server knows of the client after its newest packet. */
  #state: unknown;

  constructor(row: Row, options?: { readonly required?: boolean }) {
    this.#is2022 = row.is2022;
    this.#user = row.user ?? "";
    this.ends = new Ends(row, options);
    this.client = this.ends.client.newClientPackets();
    this.server = this.ends.server.newServerPackets();
  }

  /** A packet as it travels. */
  request(head: Uint8Array, data: Uint8Array): Uint8Array {
    const length = this.client.seal(plainPacket(head, data), this.#output);
    assert(length > 0);
    return this.#output.slice(0, length);
  }

  answer(head: Uint8Array, data: Uint8Array): Uint8Array {
    const packet = plainPacket(head, data);
    const length = this.server.seal(packet, this.state, this.#output);
    assert(length > 0);
    return this.#output.slice(0, length);
  }

  /** What an answer is sealed with: some editions need a packet before. */
  get state(): unknown {
    if (this.#state === undefined) this.serve(this.request(HEAD, QUERY));
    return this.#state;
  }

  /** What the server makes of a packet: its payload, or the refusal. */
  serve(sealed: Uint8Array): Uint8Array | PacketRefused {
    const packet = sealedPacket(sealed);
    const before = { ...packet };
    const opened = this.server.open(packet, this.#output);
    if ("refused" in opened) {
      assertEquals({ ...packet }, before, "left as it was");
      return opened;
    }
    assertEquals([opened.key !== undefined, opened.user], [
      this.#is2022,
      this.#user,
    ]);
    this.#state = opened.state;
    return contentOf(packet).data;
  }

  /** What the client makes of a packet. */
  take(sealed: Uint8Array): Uint8Array | string {
    const packet = sealedPacket(sealed);
    const refused = this.client.open(packet, this.#output);
    return refused ?? contentOf(packet).data;
  }

  [Symbol.dispose](): void {
    this.client[Symbol.dispose]();
    this.server[Symbol.dispose]();
    this.ends[Symbol.dispose]();
  }
}

function contractTest(
  name: string,
  body: (ends: PacketEnds, row: Row) => void,
  filter: (row: Row) => boolean = () => true,
): void {
  Deno.test(name, async (t) => {
    for (const row of ROWS.filter(filter)) {
      await t.step(row.name, () => {
        using ends = new PacketEnds(row);
        body(ends, row);
      });
    }
  });
}

/** What a head in front of the room may use of it: nothing. */
function assertFree(output: Uint8Array, { is2022 }: Row): void {
  // The session, the type, the time, that session and the length of padding.
  const end = PACKET_ROOM - (is2022 ? 16 + 19 : 0);
  assert(output.subarray(0, end).every((byte) => byte === 0xa5));
}

const NO_REQUEST: PacketRefused = {
  refused: "auth_failed",
  reason: "invalid header",
};
const NOBODY: PacketRefused = {
  refused: "auth_failed",
  reason: "authentication error",
};
const REPLAY: PacketRefused = { refused: "replay", reason: "replay" };

contractTest(
  "ServerPackets.open() gives back what ClientPackets.seal() took",
  (ends, row) => {
    for (const head of [HEAD, NAME_HEAD]) {
      for (const size of [0, 1, 16, 1200, 65_000]) {
        const packet = sealedPacket(ends.request(head, seededBytes(size)));
        const output = new Uint8Array(LENGTH).fill(0xa5);
        const opened = ends.server.open(packet, output);
        if ("refused" in opened) throw new Error(opened.reason);
        const { address } = opened;
        assertEquals(address.port, 53);
        assertEquals(address.domain, head === HEAD ? "" : "example.com");
        const hostAt = head === HEAD ? 1 : 2;
        assert(packet.head >= PACKET_ROOM);
        assertEquals(address.hostOffset, packet.head + hostAt);
        assertEquals(packet.bytes, output);
        assertEquals([packet.start, packet.end], [
          packet.head + head.length,
          packet.head + head.length + size,
        ]);
        assertEquals(contentOf(packet), { head, data: seededBytes(size) });
        assertFree(output, row);
      }
    }
  },
);

contractTest(
  "ClientPackets.open() gives back what ServerPackets.seal() took",
  (ends, row) => {
    for (const head of [HEAD, NAME_HEAD]) {
      for (const size of [0, 1, 16, 1200, 65_000]) {
        const packet = sealedPacket(ends.answer(head, seededBytes(size)));
        const output = new Uint8Array(LENGTH).fill(0xa5);
        assertEquals(ends.client.open(packet, output), undefined);
        assertEquals(packet.bytes, output);
        assert(packet.head >= PACKET_ROOM);
        assertEquals(contentOf(packet), { head, data: seededBytes(size) });
        assertFree(output, row);
      }
    }
  },
);

contractTest("ClientPackets.seal() leaves the packet as it is", (ends) => {
  const packet = plainPacket(HEAD, QUERY);
  const bytes = packet.bytes.slice();
  const before = { ...packet };
  ends.client.seal(packet, new Uint8Array(LENGTH));
  assertEquals({ ...packet }, before);
  assertEquals(packet.bytes, bytes);
});

contractTest(
  "ServerPackets.open() refuses a packet cut anywhere",
  (ends, row) => {
    const sealed = ends.request(HEAD, QUERY);
    for (let length = 0; length < sealed.length; length++) {
      const result = ends.serve(sealed.slice(0, length));
      if (row.isAead) {
        assertEquals(result, {
          refused: "auth_failed",
          reason: "authentication error",
        });
      } else if (row.oneTimeAuth || length < sealed.length - QUERY.length) {
        assert("refused" in result, `${length}`);
      }
    }
  },
  (row) => row.isAead || row.oneTimeAuth,
);

contractTest(
  "ServerPackets.open() refuses a packet with any byte flipped",
  (ends) => {
    const sealed = ends.request(HEAD, QUERY);
    for (let at = 0; at < sealed.length; at++) {
      sealed[at]! ^= 1;
      const result = ends.serve(sealed);
      assert("refused" in result, `byte ${at}`);
      sealed[at]! ^= 1;
    }
    assertEquals(ends.serve(sealed), QUERY, "no forgery made its salt known");
  },
  (row) => row.isAead || row.oneTimeAuth,
);

contractTest(
  "ClientPackets.open() refuses an answer cut or flipped anywhere",
  (ends) => {
    const sealed = ends.answer(HEAD, QUERY);
    for (let at = 0; at < sealed.length; at++) {
      assertEquals(ends.take(sealed.slice(0, at)), "auth_failed");
      sealed[at]! ^= 1;
      assertEquals(ends.take(sealed), "auth_failed", `byte ${at}`);
      sealed[at]! ^= 1;
    }
    assertEquals(ends.take(sealed), QUERY);
  },
  (row) => row.isAead,
);

contractTest("ServerPackets.open() refuses a replay", (ends) => {
  const sealed = ends.request(HEAD, QUERY);
  assertEquals(ends.serve(sealed), QUERY);
  assertEquals(ends.serve(sealed), REPLAY);
  assertEquals(ends.serve(ends.request(HEAD, QUERY)), QUERY);
}, (row) => row.remembers);

contractTest("ClientPackets.open() refuses a replay", (ends) => {
  const sealed = ends.answer(HEAD, QUERY);
  assertEquals(ends.take(sealed), QUERY);
  assertEquals(ends.take(sealed), "replay");
  assertEquals(ends.take(ends.answer(HEAD, QUERY)), QUERY);
}, (row) => row.remembers);

contractTest(
  "ServerPackets.open() refuses an answer of its own port",
  (_, row) => {
    using ends = new PacketEnds(row, { required: false });
    const refused = ends.serve(ends.answer(HEAD, QUERY));
    // It has no identity header, and so is a packet of nobody.
    if (row.is2022 && row.user !== undefined) assertEquals(refused, NOBODY);
    else assertEquals(refused, row.is2022 ? NO_REQUEST : REPLAY);
  },
  (row) => row.remembers,
);

contractTest("ClientPackets.open() refuses its own words", (ends, row) => {
  const sealed = ends.request(HEAD, QUERY);
  // An answer's address is never marked for one-time authentication.
  const expected = row.oneTimeAuth ? "error" : "replay";
  assertEquals(ends.take(sealed), row.is2022 ? "auth_failed" : expected);
}, (row) => row.remembers);

contractTest(
  "ClientPackets.seal() and open() tell when there is no room",
  (ends) => {
    const packet = plainPacket(HEAD, seededBytes(100));
    const sealed = ends.request(HEAD, seededBytes(100));
    const { client, server } = ends;
    for (const room of [0, 10, 100]) {
      assertEquals(client.seal(packet, new Uint8Array(room)), NOT_SENDABLE);
    }
    const length = client.seal(packet, new Uint8Array(sealed.length));
    assert(length > 0 && length <= sealed.length);
    const { state } = ends;
    assertEquals(server.seal(packet, state, new Uint8Array(99)), NOT_SENDABLE);
    const headless: PacketBytes = { ...packet, head: -1 };
    const output = new Uint8Array(LENGTH);
    assertEquals(client.seal(headless, output), NOT_SENDABLE);
    assertEquals(server.seal(headless, state, output), NOT_SENDABLE);
    const small = new Uint8Array(PACKET_ROOM + 20);
    const refused = server.open(sealedPacket(sealed), small);
    assertEquals({ ...refused }, { refused: "error", reason: "too long" });
    assertEquals(client.open(sealedPacket(sealed), small), "error");
  },
);

contractTest(
  "ServerPackets.open() and ClientPackets.open() never throw, whatever comes",
  (ends) => {
    for (let length = 0; length < 150; length++) {
      ends.serve(seededBytes(length, length + 1));
      ends.take(seededBytes(length, length + 1));
    }
  },
);
