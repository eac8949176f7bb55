/**
 * The contract of connections over every edition, with and without one-time
 * authentication, with every library of this machine.
 *
 * @module
 */

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import {
  Connection,
  Decoding,
  encode,
  Ends,
  type Row,
  ROWS,
  Serving,
  TARGET,
} from "./_edition_fixture.ts";
import { Cryptor } from "./cryptor.ts";
import { DECRYPT_FAILED } from "./edition.ts";
import { concat, seededBytes, utf8 } from "../tests/support/bytes.ts";

const HELLO = utf8("hello");
/** `example.com:443` as an address header. */
const HEADER = concat(
  Uint8Array.of(3, 11),
  utf8("example.com"),
  Uint8Array.of(1, 187),
);
const NONE = new Uint8Array(0);
/** SIP022: the fixed header of a request and its tag. */
const FIXED = 11 + 16;

/** The 2022 edition takes its first bytes in one piece only. */
function takesPieces(row: Row): boolean {
  return !row.is2022;
}

/** Defines a test of every edition for which it makes sense. */
function contractTest(
  name: string,
  body: (row: Row, ends: Ends) => void,
  filter: (row: Row) => boolean = () => true,
): void {
  Deno.test(name, async (t) => {
    for (const row of ROWS.filter(filter)) {
      await t.step(row.name, () => {
        using ends = new Ends(row);
        body(row, ends);
      });
    }
  });
}

/** The first flight of a client, with a payload. */
function flightOf({ client }: Ends, payload: Uint8Array = HELLO): Uint8Array {
  using stream = client.newClientStream(TARGET);
  return encode(stream, payload);
}

function serve({ server }: Ends, ...pieces: Uint8Array[]): Serving {
  return new Serving(server.newServerStream()).feed(...pieces);
}

contractTest(
  "Edition carries payload both ways, at edge sizes",
  (row, ends) => {
    for (const size of [1, 2, 16_370, 16_383, 16_384, 40_000, 131_072]) {
      using connection = new Connection(ends, seededBytes(size, 1));
      const { serving, client, answers } = connection;
      assertEquals(serving.host, "example.com");
      assertEquals(serving.user, row.user ?? "");
      assertEquals(serving.payload, seededBytes(size, 1), `${size} up`);
      serving.feed(encode(client, seededBytes(size, 2)));
      assertEquals(
        serving.payload,
        concat(seededBytes(size, 1), seededBytes(size, 2)),
      );
      answers.feed(encode(serving.stream, seededBytes(size, 3)));
      answers.feed(encode(serving.stream, seededBytes(size, 4)));
      assertEquals(
        answers.payload,
        concat(seededBytes(size, 3), seededBytes(size, 4)),
      );
      assert(answers.atBoundary);
      assert(serving.decoding.atBoundary);
    }
  },
);

contractTest(
  "ClientStream.encode() sends the header with the first payload, or alone",
  (row, ends) => {
    const { saltLength } = row.method;
    using together = ends.client.newClientStream(TARGET);
    const flight = encode(together, HELLO);
    const frames = row.isAead ? 1 : 0;
    const tags = row.oneTimeAuth ? 10 + 12 : 0;
    const identity = row.user === undefined ? 0 : 16;
    const expected = saltLength + HEADER.length + tags + HELLO.length +
      frames * (2 + 16 + (row.is2022 ? FIXED + identity : 16));
    assertEquals(flight.length, expected, "one frame");
    using apart = ends.client.newClientStream(TARGET);
    const alone = encode(apart);
    const serving = serve(ends, alone);
    assertEquals(serving.host, "example.com");
    assertEquals(serving.payload, NONE);
    assert(serving.decoding.atBoundary);
    serving.feed(encode(apart, HELLO));
    assertEquals(serving.payload, HELLO);
    assertEquals(encode(apart).length, 0, "no empty chunk");
  },
);

contractTest(
  "SideCodec.headPending holds until the head is sent",
  (row, ends) => {
    using client = ends.client.newClientStream(TARGET);
    assert(client.headPending);
    const serving = serve(ends, encode(client));
    assert(!client.headPending);
    const { stream } = serving;
    const { saltLength } = row.method;
    assertEquals(stream.headPending, saltLength > 0);
    // An end without payload: the salt tells it from a cut.
    const salt = encode(stream);
    const head = row.is2022 ? FIXED + saltLength + 16 : 0;
    assertEquals(salt.length, saltLength + head);
    assert(!stream.headPending);
    const answers = new Decoding(client);
    if (saltLength > 0) assert(!answers.atBoundary);
    answers.feed(salt);
    assert(answers.atBoundary);
    answers.feed(encode(stream, HELLO));
    assertEquals(answers.payload, HELLO);
  },
);

contractTest(
  "ServerStream.receive() takes a flight cut in two anywhere",
  (_, ends) => {
    const { length } = flightOf(ends);
    for (let cut = 0; cut <= length; cut++) {
      const flight = flightOf(ends);
      const serving = serve(ends, flight.slice(0, cut), flight.slice(cut));
      assertEquals(serving.host, "example.com", `cut at ${cut}`);
      assertEquals(serving.payload, HELLO, `cut at ${cut}`);
      assert(serving.decoding.atBoundary);
      serving.stream[Symbol.dispose]();
    }
  },
  takesPieces,
);

contractTest(
  "ServerStream.receive() takes a flight byte by byte, in frames of one byte",
  (_, ends) => {
    using client = ends.client.newClientStream(TARGET);
    const serving = serve(ends);
    const pieces = [encode(client)];
    for (const byte of HELLO) pieces.push(encode(client, Uint8Array.of(byte)));
    for (const byte of concat(...pieces)) serving.feed(Uint8Array.of(byte));
    assertEquals(serving.host, "example.com");
    assertEquals(serving.payload, HELLO);
    assert(serving.decoding.atBoundary);
  },
  takesPieces,
);

contractTest(
  "ServerStream.receive() says nothing and remembers nothing before the header is whole",
  (row, ends) => {
    using client = ends.client.newClientStream(TARGET);
    const header = encode(client);
    for (let length = 0; length < header.length; length++) {
      const serving = serve(ends, header.slice(0, length));
      assertEquals(serving.answer!.kind, "more", `${length} of ${row.name}`);
      serving.stream[Symbol.dispose]();
    }
    assertEquals(serve(ends, header).host, "example.com");
  },
  takesPieces,
);

contractTest(
  "ServerStream.receive() refuses a flight with any byte flipped",
  (row, ends) => {
    const flight = flightOf(ends);
    // Without one-time authentication a stream cipher notices nothing.
    const proven = row.isAead
      ? flight.length
      : row.oneTimeAuth
      ? row.method.saltLength + HEADER.length + 10
      : 0;
    for (let at = 0; at < flight.length; at++) {
      // The 2022 edition knows a salt once the fixed header was genuine.
      const forged = row.is2022 ? flightOf(ends) : flight.slice();
      forged[at]! ^= 1;
      const serving = serve(ends, forged);
      const { answer, stream } = serving;
      if (at < proven) {
        assertNotEquals(answer!.kind, "request", `byte ${at}`);
        if (row.isAead) {
          assertEquals(answer, {
            kind: "refuse",
            status: "auth_failed",
            reason: "authentication error",
          });
          assert(stream.failed);
          assert(!stream.atBoundary(0));
          assertEquals(stream.receive(flight, new Uint8Array(500)), answer!);
          assertEquals(
            stream.decode(flight, new Uint8Array(500), flight.length),
            DECRYPT_FAILED,
          );
        }
      } else if (row.oneTimeAuth) {
        assertEquals(serving.payload, NONE, `byte ${at}`);
      }
      stream[Symbol.dispose]();
    }
    // No forgery has made the server know the salt.
    if (proven === flight.length) {
      assertEquals(
        serve(ends, flight).payload,
        HELLO,
      );
    }
  },
);

contractTest(
  "ServerStream.receive() refuses a flight of another password",
  (row) => {
    using ends = new Ends(row, { serverPassword: "battery staple" });
    for (let round = 0; round < 20; round++) {
      const { answer, stream } = serve(ends, flightOf(ends));
      assertEquals(answer!.kind === "refuse" && answer!.status, "auth_failed");
      stream[Symbol.dispose]();
    }
  },
  (row) => row.isAead,
);

contractTest(
  "ServerStream.receive() refuses a replay, whole or in part",
  (_, ends) => {
    using client = ends.client.newClientStream(TARGET);
    const header = encode(client);
    const flight = concat(header, encode(client, HELLO));
    assertEquals(serve(ends, flight).payload, HELLO);
    for (const copy of [flight, header, flight]) {
      const { answer, stream } = serve(ends, copy);
      assertEquals(answer, {
        kind: "refuse",
        status: "replay",
        reason: "replay",
      });
      assert(stream.failed);
      assert(!stream.atBoundary(0));
    }
    assertEquals(serve(ends, flightOf(ends)).payload, HELLO);
  },
  (row) => row.remembers,
);

contractTest(
  "ServerStream.receive() refuses an answer of its own port",
  (row) => {
    using ends = new Ends(row, { required: false });
    using connection = new Connection(ends);
    // The answer's payload reads as a request.
    const reflected = encode(connection.serving.stream, concat(HEADER, HELLO));
    using other = new Ends(row, { required: false });
    // A port that has not sent it takes it: the memory alone refuses it.
    assertEquals(serve(other, reflected).payload, HELLO);
    const { answer } = serve(ends, reflected);
    assertEquals(answer!.kind === "refuse" && answer!.reason, "replay");
  },
  (row) => row.remembers && !row.is2022,
);

contractTest("ClientStream.decode() refuses its own words", (_, ends) => {
  using client = ends.client.newClientStream(TARGET);
  const answers = new Decoding(client);
  answers.feed(encode(client, HELLO));
  assert(answers.failed);
  assert(client.failed);
  assert(!client.atBoundary(0));
  assertEquals(answers.payload, NONE);
  assert(answers.feed(seededBytes(99)).failed);
}, (row) => row.remembers);

contractTest(
  "ClientStream.decode() refuses an answer under a salt that was seen before",
  (_, ends) => {
    using first = new Connection(ends, HELLO);
    const answer = encode(first.serving.stream, seededBytes(100));
    assertEquals(first.answers.feed(answer).payload, seededBytes(100));
    using second = new Connection(ends, HELLO);
    for (const byte of answer) second.answers.feed(Uint8Array.of(byte));
    assert(second.answers.failed);
    assert(second.client.failed);
    assertEquals(second.answers.payload, NONE);
    using third = new Connection(ends, HELLO);
    third.answers.feed(encode(third.serving.stream, HELLO));
    assertEquals(third.answers.payload, HELLO);
  },
  (row) => row.remembers,
);

contractTest(
  "SideCodec.decode() delivers what is right before a wrong byte",
  (_, ends) => {
    using connection = new Connection(ends, HELLO);
    const { serving, client, answers } = connection;
    const up = concat(
      encode(client, seededBytes(70)),
      encode(client, seededBytes(30)),
    );
    up[up.length - 1]! ^= 1;
    serving.feed(up);
    assertEquals(serving.payload, concat(HELLO, seededBytes(70)));
    assert(serving.stream.failed);
    assert(
      !serving.decoding.failed,
      "told with the bytes, or by the next call",
    );
    assert(serving.decoding.feed(NONE).failed);
    assert(!serving.decoding.atBoundary);
    const down = concat(
      encode(serving.stream, seededBytes(70)),
      encode(serving.stream, seededBytes(30)),
    );
    down[down.length - 1]! ^= 1;
    answers.feed(down);
    assertEquals(answers.payload, seededBytes(70));
    assert(client.failed);
    assert(answers.feed(NONE).failed);
    assert(!answers.atBoundary);
  },
  (row) => row.isAead,
);

contractTest(
  "SideCodec.atBoundary() holds between frames alone",
  (row, ends) => {
    using client = ends.client.newClientStream(TARGET);
    const first = encode(client, HELLO);
    const flights = [
      first,
      encode(client, seededBytes(20)),
      encode(client, seededBytes(9)),
    ];
    const ends_ = new Set<number>();
    let at = 0;
    for (const { length } of flights) ends_.add(at += length);
    const serving = row.is2022 ? serve(ends, first) : serve(ends);
    for (const [index, byte] of concat(...flights).entries()) {
      if (index >= first.length || !row.is2022) {
        serving.feed(Uint8Array.of(byte));
      }
      if (index + 1 < first.length) continue;
      const expected = row.isAead || row.oneTimeAuth
        ? ends_.has(index + 1)
        : true;
      assertEquals(serving.decoding.atBoundary, expected, `after ${index + 1}`);
    }
  },
);

contractTest(
  "Edition forgets the salts of a connection once they are of no use",
  (row, ends) => {
    const { prototype } = Cryptor;
    const genuine = prototype.forgetSalts;
    const seen = new Set<Cryptor>();
    prototype.forgetSalts = function (): void {
      genuine.call(this);
      seen.add(this);
    };
    try {
      using connection = new Connection(ends, HELLO);
      connection.answers.feed(encode(connection.serving.stream, HELLO));
      assertEquals(seen.size, 2, row.name);
      for (const cryptor of seen) {
        assertEquals([cryptor.salt, cryptor.peerSalt], [undefined, undefined]);
      }
      // Of several users nobody knows whose key to take for the next.
      if (row.user !== undefined) return;
      // A peer that speaks before it has heard anything.
      using client = ends.client.newClientStream(TARGET);
      const answers = new Decoding(client);
      using server = ends.server.newServerStream();
      answers.feed(encode(server, HELLO));
      encode(client, HELLO);
      for (const cryptor of seen) {
        assertEquals([cryptor.salt, cryptor.peerSalt], [undefined, undefined]);
      }
      assertEquals(seen.size, 4);
    } finally {
      prototype.forgetSalts = genuine;
    }
  },
  (row) => !row.is2022,
);

contractTest("Edition keeps connections apart that take turns", (_, ends) => {
  const connections = [1, 2, 3].map((seed) =>
    new Connection(ends, seededBytes(20, seed))
  );
  for (let round = 0; round < 10; round++) {
    for (const [index, { client, serving, answers }] of connections.entries()) {
      serving.feed(encode(client, seededBytes(round, index)));
      answers.feed(encode(serving.stream, seededBytes(round, index + 10)));
    }
  }
  for (const [index, { serving, answers }] of connections.entries()) {
    const rounds = Array.from({ length: 10 }, (_, round) => round);
    assertEquals(
      serving.payload,
      concat(
        seededBytes(20, index + 1),
        ...rounds.map((n) => seededBytes(n, index)),
      ),
    );
    assertEquals(
      answers.payload,
      concat(...rounds.map((n) => seededBytes(n, index + 10))),
    );
  }
  for (const connection of connections) connection[Symbol.dispose]();
});

contractTest(
  "ServerStream.receive() never throws, whatever comes",
  (_, ends) => {
    for (let length = 0; length < 120; length++) {
      const serving = serve(ends, seededBytes(length, length + 1));
      serving.feed(seededBytes(60, length), NONE);
      serving.stream[Symbol.dispose]();
    }
  },
);

contractTest(
  "ClientStream.decode() never throws, whatever comes",
  (_, ends) => {
    for (let length = 0; length < 120; length++) {
      using client = ends.client.newClientStream(TARGET);
      new Decoding(client).feed(
        seededBytes(length, length + 1),
        seededBytes(60),
        NONE,
      );
    }
  },
);
