/**
 * Connections of the 2022 edition against their format written out a second
 * time, and what its specification asks for beyond the contract of all
 * editions.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import {
  Connection,
  Decoding,
  encode,
  Ends,
  newEdition,
  TARGET,
} from "./_edition_fixture.ts";
import {
  ADDRESS,
  FIXED,
  HELLO,
  NONE,
  NOW,
  PASSWORD,
  request,
  serve,
  test2022,
  TestClock,
  u16,
  u64,
  verdict,
  Writer,
} from "./_sip022_fixture.ts";
import { concat, seededBytes, utf8 } from "../tests/support/bytes.ts";

test2022(
  "ServerStream takes what SIP022 describes, and answers so",
  (row, clock) => {
    using server = newEdition(row, { clock });
    const big = seededBytes(0xffff, 3);
    const writer = request(row).chunk(big).chunk(HELLO);
    const serving = serve(server, writer.bytes);
    assertEquals(serving.host, "example.com");
    assertEquals(serving.payload, concat(HELLO, big, HELLO));
    assert(serving.decoding.atBoundary);
    assertEquals(serving.answer?.kind === "request" && serving.answer.user, "");

    const answer = encode(serving.stream, HELLO);
    const { saltLength } = row.method;
    const expected = new Writer(row, PASSWORD, answer.slice(0, saltLength))
      .seal(concat(
        Uint8Array.of(1),
        u64(NOW),
        seededBytes(saltLength, 7),
        u16(HELLO.length),
      ))
      .seal(HELLO)
      .chunk(utf8("more"));
    assertEquals(
      concat(answer, encode(serving.stream, utf8("more"))),
      expected.bytes,
    );
  },
);

test2022("ClientStream writes what SIP022 describes", (row, clock) => {
  using client = newEdition(row, { clock });
  using stream = client.newClientStream(TARGET);
  const flight = encode(stream, HELLO);
  const salt = flight.slice(0, row.method.saltLength);
  const variable = concat(ADDRESS, u16(0), HELLO);
  const expected = new Writer(row, PASSWORD, salt)
    .seal(concat(Uint8Array.of(0), u64(NOW), u16(variable.length)))
    .seal(variable)
    .chunk(utf8("more"));
  assertEquals(concat(flight, encode(stream, utf8("more"))), expected.bytes);
});

test2022(
  "ClientStream takes an answer in chunks of any length, cut anywhere",
  (row, clock) => {
    using client = newEdition(row, { clock });
    for (const first of [NONE, HELLO, seededBytes(0xffff, 5)]) {
      using stream = client.newClientStream(TARGET);
      const { saltLength } = row.method;
      const salt = encode(stream, HELLO).slice(0, saltLength);
      const wire = new Writer(
        row,
        PASSWORD,
        crypto.getRandomValues(new Uint8Array(saltLength)),
      )
        .seal(concat(Uint8Array.of(1), u64(NOW), salt, u16(first.length)))
        .seal(first)
        .chunk(HELLO)
        .bytes;
      const answers = new Decoding(stream);
      assert(!answers.atBoundary, "nothing has come");
      for (const byte of wire.subarray(0, 200)) {
        answers.feed(
          Uint8Array.of(byte),
        );
      }
      answers.feed(wire.slice(200));
      assertEquals(answers.payload, concat(first, HELLO));
      assert(answers.atBoundary);
    }
  },
);

test2022(
  "ClientStream.encode() pads a request without payload by 1 to 900 bytes",
  (row, clock) => {
    using client = newEdition(row, { clock });
    using server = newEdition(row, { clock });
    const { saltLength } = row.method;
    const least = saltLength + FIXED + ADDRESS.length + 2 + 16;
    const lengths = new Set<number>();
    for (let round = 0; round < 300; round++) {
      using stream = client.newClientStream(TARGET);
      const flight = encode(stream);
      lengths.add(flight.length - least);
      const serving = serve(server, flight);
      assertEquals(serving.host, "example.com");
      assertEquals(serving.payload, NONE);
      serving.stream[Symbol.dispose]();
    }
    assert(lengths.size > 150, `${lengths.size} lengths`);
    for (const length of lengths) {
      assert(length >= 1 && length <= 900, `${length}`);
    }
  },
);

test2022(
  "ServerStream.receive() refuses a header that does not end in its chunk, or is bare",
  (row, clock) => {
    using server = newEdition(row, { clock });
    const cases: [string, Uint8Array, string][] = [
      ["bare", concat(ADDRESS, u16(0)), "error: invalid header"],
      [
        "padding cut",
        concat(ADDRESS, u16(9), new Uint8Array(8)),
        "error: invalid header",
      ],
      ["no padding length", ADDRESS, "error: invalid header"],
      [
        "half of it",
        concat(ADDRESS, Uint8Array.of(0)),
        "error: invalid header",
      ],
      ["address cut", ADDRESS.slice(0, -1), "error: invalid header"],
      ["nothing", NONE, "error: invalid header"],
      [
        "no such type",
        concat(Uint8Array.of(2), HELLO),
        "error: invalid address type",
      ],
      [
        "one time auth",
        concat(Uint8Array.of(0x11, 1, 1, 1, 1, 0, 80), u16(0), HELLO),
        "error: invalid address type",
      ],
      ["padding alone", concat(ADDRESS, u16(1), new Uint8Array(1)), "request"],
      [
        "more than 900",
        concat(ADDRESS, u16(1000), new Uint8Array(1000), HELLO),
        "request",
      ],
    ];
    for (const [index, [name, variable, expected]] of cases.entries()) {
      const flight = request(row, { variable, seed: index + 1 }).bytes;
      assertEquals(verdict(serve(server, flight)), expected, name);
    }
    for (const type of [1, 2, 255]) {
      const flight = request(row, { type, seed: 100 + type }).bytes;
      assertEquals(
        verdict(serve(server, flight)),
        "auth_failed: invalid header",
      );
    }
  },
);

test2022(
  "ServerStream.receive() refuses first bytes that are too few, and waits for the others",
  (row, clock) => {
    using server = newEdition(row, { clock });
    using client = newEdition(row, { clock });
    const { saltLength } = row.method;
    const judged = saltLength + FIXED;
    const { length } = request(row).bytes;
    assertEquals(serve(server, NONE).answer, { kind: "more", consumed: 0 });
    for (let cut = 1; cut < length; cut++) {
      using stream = client.newClientStream(TARGET);
      const flight = encode(stream, HELLO);
      const serving = serve(server, flight.slice(0, cut));
      if (cut < judged) {
        assertEquals(verdict(serving), "auth_failed: too short", `${cut}`);
      } else {
        assertEquals(serving.answer, { kind: "more", consumed: judged });
        assert(!serving.stream.atBoundary(0), "amid a request");
        for (const byte of flight.subarray(cut)) {
          serving.feed(Uint8Array.of(byte));
        }
        assertEquals(serving.payload, HELLO, `${cut}`);
        assert(serving.decoding.atBoundary);
      }
      serving.stream[Symbol.dispose]();
    }
  },
);

test2022(
  "ServerStream.receive() refuses every flipped bit of a request in one way",
  (row, clock) => {
    using client = newEdition(row, { clock });
    using server = newEdition(row, { clock });
    const { length } = request(row).bytes;
    for (let bit = 0; bit < length * 8; bit++) {
      using stream = client.newClientStream(TARGET);
      const flight = encode(stream, HELLO);
      flight[bit >> 3]! ^= 1 << (bit & 7);
      const serving = serve(server, flight);
      assertEquals(
        verdict(serving),
        "auth_failed: authentication error",
        `${bit}`,
      );
      serving.stream[Symbol.dispose]();
    }
  },
);

test2022(
  "ClientStream.decode() refuses every flipped bit of an answer",
  (row) => {
    using ends = new Ends(row);
    const { saltLength } = row.method;
    const length = 2 * saltLength + FIXED + HELLO.length + 16;
    for (let bit = 0; bit < length * 8; bit++) {
      using connection = new Connection(ends, HELLO);
      const { serving, answers, client } = connection;
      const answer = encode(serving.stream, HELLO);
      assertEquals(answer.length, length);
      answer[bit >> 3]! ^= 1 << (bit & 7);
      answers.feed(answer);
      assertEquals(answers.payload, NONE, `${bit}`);
      assert(client.failed, `${bit}`);
      assert(!answers.atBoundary);
      assertEquals(client.skew, undefined);
    }
  },
);

test2022(
  "ServerStream.receive() takes clocks that differ by 30 seconds, and measures others",
  (row, clock) => {
    using server = newEdition(row, { clock });
    for (let skew = -31; skew <= 31; skew++) {
      const flight = request(row, { time: NOW + skew, seed: skew + 100 }).bytes;
      for (const milliseconds of [0, 999]) {
        clock.unix = NOW * 1000 + milliseconds;
        const { answer } = serve(server, flight);
        if (Math.abs(skew) > 30) {
          assertEquals(answer, {
            kind: "refuse",
            status: "skew",
            reason: "clock skew",
            skew,
          });
        } else if (milliseconds === 0) {
          assertEquals(answer?.kind, "request", `${skew}`);
        } else {
          assertEquals(answer?.kind === "refuse" && answer.status, "replay");
        }
      }
    }
    clock.unix = NOW * 1000;
    const flight = concat(
      request(row, { time: Number.MAX_SAFE_INTEGER, seed: 9 }).bytes,
    );
    const { answer } = serve(server, flight);
    assertEquals(
      answer?.kind === "refuse" && answer.skew,
      Number.MAX_SAFE_INTEGER - NOW,
    );
  },
);

test2022(
  "ClientStream.decode() takes clocks that differ by 30 seconds, and measures others",
  (row, clock) => {
    const theirs = new TestClock();
    using client = newEdition(row, { clock });
    using server = newEdition(row, { clock: theirs });
    for (let skew = -31; skew <= 31; skew++) {
      theirs.unix = clock.unix;
      using stream = client.newClientStream(TARGET);
      const serving = serve(server, encode(stream, HELLO));
      theirs.unix += skew * 1000;
      const answers = new Decoding(stream).feed(encode(serving.stream, HELLO));
      const isFine = Math.abs(skew) <= 30;
      assertEquals(stream.failed, !isFine, `${skew}`);
      assertEquals(stream.skew, isFine ? undefined : skew);
      assertEquals(answers.payload, isFine ? HELLO : NONE);
    }
  },
);

test2022(
  "ServerStream.receive() refuses a replay also when the clock was set back",
  (row, clock) => {
    using server = newEdition(row, { clock });
    const flight = request(row).bytes;
    assertEquals(verdict(serve(server, flight)), "request");
    // An hour later, and then an hour back.
    clock.unix += 3_600_000;
    assertEquals(verdict(serve(server, flight)), "skew: clock skew");
    clock.elapsed += 59_000;
    clock.unix = NOW * 1000;
    assertEquals(verdict(serve(server, flight)), "replay: replay");
    // What is refused for its time is not remembered.
    const early = request(row, { time: NOW + 60, seed: 8 }).bytes;
    assertEquals(verdict(serve(server, early)), "skew: clock skew");
    clock.unix += 60_000;
    assertEquals(verdict(serve(server, early)), "request");
  },
);

test2022(
  "ServerStream.receive() refuses a part of a replay as it does the whole",
  (row, clock) => {
    using server = newEdition(row, { clock });
    const flight = request(row).bytes;
    assertEquals(verdict(serve(server, flight)), "request");
    for (let end = row.method.saltLength + FIXED; end <= flight.length; end++) {
      assertEquals(
        verdict(serve(server, flight.slice(0, end))),
        "replay: replay",
      );
    }
  },
);

test2022(
  "ServerStream.receive() serves a flight though a part of it came before",
  (row, clock) => {
    const flight = request(row).bytes;
    for (let end = 1; end < row.method.saltLength + FIXED + 30; end++) {
      using server = newEdition(row, { clock });
      serve(server, flight.slice(0, end));
      assertEquals(verdict(serve(server, flight)), "request", `${end}`);
      assertEquals(verdict(serve(server, flight)), "replay: replay");
    }
  },
);

test2022("ServerStream.receive() refuses an answer of its own port", (row) => {
  using ends = new Ends(row);
  using connection = new Connection(ends);
  const reflected = encode(connection.serving.stream, concat(ADDRESS, HELLO));
  assertEquals(
    verdict(serve(ends.server, reflected)),
    "auth_failed: authentication error",
  );
});

test2022(
  "ClientStream.decode() refuses an answer to another request, of a type or a length that is none",
  (row, clock) => {
    using client = newEdition(row, { clock });
    const { saltLength } = row.method;
    const cases: [string, (salt: Uint8Array) => Uint8Array][] = [
      [
        "another salt",
        () =>
          concat(
            Uint8Array.of(1),
            u64(NOW),
            new Uint8Array(saltLength),
            u16(5),
          ),
      ],
      [
        "a request's type",
        (salt) => concat(Uint8Array.of(0), u64(NOW), salt, u16(5)),
      ],
      [
        "another length",
        (salt) => concat(Uint8Array.of(1), u64(NOW), salt, u16(4)),
      ],
    ];
    for (const [name, header] of cases) {
      using stream = client.newClientStream(TARGET);
      const salt = encode(stream, HELLO).slice(0, saltLength);
      const wire = new Writer(row, PASSWORD, seededBytes(saltLength, 1))
        .seal(header(salt)).seal(HELLO).bytes;
      const answers = new Decoding(stream).feed(wire);
      assert(stream.failed, name);
      assertEquals(answers.payload, NONE);
    }
  },
);

test2022(
  "ClientStream.decode() refuses an answer under a salt that was seen before",
  (row, clock) => {
    using client = newEdition(row, { clock });
    const { saltLength } = row.method;
    for (const isFirst of [true, false]) {
      using stream = client.newClientStream(TARGET);
      const salt = encode(stream, HELLO).slice(0, saltLength);
      const wire = new Writer(row, PASSWORD, seededBytes(saltLength, 1))
        .seal(concat(Uint8Array.of(1), u64(NOW), salt, u16(HELLO.length)))
        .seal(HELLO).bytes;
      const answers = new Decoding(stream).feed(wire);
      assertEquals(stream.failed, !isFirst);
      assertEquals(answers.payload, isFirst ? HELLO : NONE);
    }
  },
);
