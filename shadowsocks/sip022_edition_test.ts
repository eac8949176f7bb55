/**
 * The 2022 edition against its format written out a second time, and what its
 * specification asks for beyond the contract of all editions.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { blake3 } from "@noble/hashes/blake3.js";
import { createCipheriv } from "node:crypto";
import { CipherError, deriveKey } from "../crypto/mod.ts";
import {
  Connection,
  Decoding,
  encode,
  Ends,
  newEdition,
  PROVIDERS,
  type Row,
  ROWS,
  Serving,
  TARGET,
} from "./_edition_fixture.ts";
import type { EditionClock } from "./clock.ts";
import type { Edition } from "./edition.ts";
import { openEdition } from "./open_edition.ts";
import { Sip022Edition } from "./sip022_edition.ts";
import { concat, seededBytes, utf8 } from "../tests/support/bytes.ts";
import { seal } from "../tests/support/aead.ts";

/** One row a method; the contract runs over all libraries. */
const METHOD_ROWS = ROWS.filter(({ is2022, method }, index) =>
  is2022 && ROWS.findIndex((row) => row.method === method) === index
);
const AES_ROWS = METHOD_ROWS.filter(({ method }) =>
  method.cipher !== "" &&
  method.cipher.startsWith("aes-")
);

const HELLO = utf8("hello");
const NONE = new Uint8Array(0);
/** `example.com:443` as an address header. */
const ADDRESS = concat(
  Uint8Array.of(3, 11),
  utf8("example.com"),
  Uint8Array.of(1, 187),
);
/** The password of the fixture. */
const PASSWORD = "correct horse";
/** Seconds since 1970. */
const NOW = 1_700_000_000;
/** Bytes of the fixed header of a request and its tag. */
const FIXED = 27;

/** Both clocks, in milliseconds. */
class TestClock implements EditionClock {
  unix = NOW * 1000;
  elapsed = 5000;

  time(): number {
    return this.unix;
  }

  passed(): number {
    return this.elapsed;
  }
}

function test2022(
  name: string,
  body: (row: Row, clock: TestClock) => void,
  rows: readonly Row[] = METHOD_ROWS,
): void {
  Deno.test(name, async (t) => {
    for (const row of rows) {
      await t.step(row.name, () => body(row, new TestClock()));
    }
  });
}

/** A direction of a connection, written out a second time. */
class Writer {
  readonly wire: Uint8Array[] = [];
  readonly #row: Row;
  readonly #key: Uint8Array;
  #counter = 0;

  constructor(row: Row, password: string, salt: Uint8Array) {
    this.#row = row;
    const psk = deriveKey(password, row.method.keyLength);
    const context = utf8("shadowsocks 2022 session subkey");
    this.#key = blake3(concat(psk, salt), { context })
      .subarray(0, psk.length);
    this.wire.push(salt);
  }

  /** Adds bytes as they are. */
  plain(bytes: Uint8Array): this {
    this.wire.push(bytes);
    return this;
  }

  seal(text: Uint8Array): this {
    const { provider, method } = this.#row;
    using cipher = provider.aead(method);
    using key = cipher.importKey(this.#key);
    const nonce = new Uint8Array(12);
    nonce[0] = this.#counter++;
    const sealed = new Uint8Array(text.length + 16);
    seal(key, nonce, text, sealed);
    this.wire.push(sealed);
    return this;
  }

  chunk(payload: Uint8Array): this {
    return this.seal(u16(payload.length)).seal(payload);
  }

  get bytes(): Uint8Array {
    return concat(...this.wire);
  }
}

function u16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value);
}

function u64(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes;
}

/** One identity header (SIP023): says the second password to the first. */
function identity(
  { method }: Row,
  [of, next]: readonly [string, string],
  salt: Uint8Array,
): Uint8Array {
  const psk = deriveKey(of, method.keyLength);
  const context = utf8("shadowsocks 2022 identity subkey");
  const subkey = blake3(concat(psk, salt), { context })
    .subarray(0, psk.length);
  const cipher = createCipheriv(`aes-${8 * psk.length}-ecb`, subkey, null);
  cipher.setAutoPadding(false);
  const hash = blake3(deriveKey(next, method.keyLength)).subarray(0, 16);
  return Uint8Array.from(cipher.update(hash));
}

/** What {@linkcode request} writes. */
interface Request {
  readonly seed?: number;
  readonly type?: number;
  readonly time?: number;
  /** Default: an address, no padding, "hello". */
  readonly variable?: Uint8Array;
  readonly password?: string;
  readonly identities?: readonly (readonly [string, string])[];
}

function request(row: Row, options: Request = {}): Writer {
  const { seed = 7, type = 0, time = NOW, password = PASSWORD } = options;
  const { variable = concat(ADDRESS, u16(0), HELLO) } = options;
  const salt = seededBytes(row.method.saltLength, seed);
  const writer = new Writer(row, password, salt);
  for (const pair of options.identities ?? []) {
    writer.plain(identity(row, pair, salt));
  }
  const fixed = concat(Uint8Array.of(type), u64(time), u16(variable.length));
  return writer.seal(fixed).seal(variable);
}

function serve(server: Edition, ...pieces: Uint8Array[]): Serving {
  return new Serving(server.newServerStream()).feed(...pieces);
}

/** How a request ends, in two words. */
function verdict({ answer }: Serving): string {
  if (answer?.kind !== "refuse") return answer?.kind ?? "";
  return `${answer.status}: ${answer.reason}`;
}

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
  "ClientStream and ServerStream speak under identity headers, however many",
  (row, clock) => {
    const identities = ["first", "second"];
    using client = newEdition(row, { clock, identities, password: "Bob" });
    using stream = client.newClientStream(TARGET);
    const flight = encode(stream, HELLO);
    const { saltLength } = row.method;
    const salt = flight.slice(0, saltLength);
    assertEquals(
      flight.slice(saltLength, saltLength + 32),
      concat(
        identity(row, ["first", "second"], salt),
        identity(row, ["second", "Bob"], salt),
      ),
    );
    // The first server takes its header away.
    const onward = concat(salt, flight.slice(saltLength + 16));
    const users = ["Alice", "Bob"];
    using server = newEdition(row, { clock, password: "second", users });
    const serving = serve(server, onward);
    assertEquals(
      serving.answer?.kind === "request" && serving.answer.user,
      "Bob",
    );
    assertEquals(serving.payload, HELLO);
    const answers = new Decoding(stream).feed(encode(serving.stream, HELLO));
    assertEquals(answers.payload, HELLO);
  },
  AES_ROWS,
);

test2022(
  "ServerStream.receive() refuses every flipped bit of an identity header, and who is no user",
  (row, clock) => {
    const users = ["Alice", "Bob"];
    using server = newEdition(row, { clock, password: "main", users });
    const { saltLength } = row.method;
    const options = { password: "Bob", identities: [["main", "Bob"]] } as const;
    const flight = request(row, options).bytes;
    for (let bit = 0; bit < 128; bit++) {
      const forged = flight.slice();
      forged[saltLength + (bit >> 3)]! ^= 1 << (bit & 7);
      assertEquals(
        verdict(serve(server, forged)),
        "auth_failed: authentication error",
      );
    }
    for (let cut = 1; cut < saltLength + 16 + FIXED; cut++) {
      assertEquals(
        verdict(serve(server, flight.slice(0, cut))),
        "auth_failed: too short",
      );
    }
    const others: Request[] = [
      { password: "Eve", identities: [["main", "Eve"]] },
      { password: "Eve", identities: [["main", "Bob"]] },
      { password: "Bob", identities: [["other", "Bob"]] },
      { password: "Bob" },
      { password: "main" },
    ];
    for (const other of others) {
      assertEquals(
        verdict(serve(server, request(row, other).bytes)),
        "auth_failed: authentication error",
      );
    }
    assertEquals(verdict(serve(server, flight)), "request");
  },
  AES_ROWS,
);

Deno.test("Sip022Edition.setUsers() takes other users while connections live", async () => {
  const base64 = (bytes: Uint8Array): string =>
    btoa(String.fromCharCode(...bytes));
  const [main, alice, bob] = [1, 2, 3].map((seed) =>
    base64(seededBytes(16, seed))
  );
  const method = "2022-blake3-AES-128-gcm";
  const open = (
    password: string,
    users?: { name: string; password: string }[],
  ): Promise<Edition> =>
    openEdition({ method, password, users }, { providers: PROVIDERS });
  using server = await open(main!, [{ name: "Alice", password: alice! }]);
  if (!(server instanceof Sip022Edition)) throw new Error("another edition");
  using asAlice = await open(`${main}:${alice}`);
  using asBob = await open(`${main}:${bob}`);
  const ask = (client: Edition): Serving => {
    using stream = client.newClientStream(TARGET);
    return serve(server, encode(stream, HELLO));
  };
  assertEquals([ask(asAlice), ask(asBob)].map((each) => each.answer?.kind), [
    "request",
    "refuse",
  ]);
  using live = asAlice.newClientStream(TARGET);
  const serving = serve(server, encode(live, HELLO));
  server.setUsers([{ name: "Bob", password: bob! }]);
  assertEquals([ask(asAlice), ask(asBob)].map((each) => each.answer?.kind), [
    "refuse",
    "request",
  ]);
  serving.feed(encode(live, HELLO));
  assertEquals(serving.payload, concat(HELLO, HELLO));
  assertEquals(
    new Decoding(live).feed(encode(serving.stream, HELLO)).payload,
    HELLO,
  );
  server.setUsers([]);
  using plain = await open(main!);
  assertEquals([ask(asBob), ask(plain)].map((each) => each.answer?.kind), [
    "refuse",
    "refuse",
  ]);
});

Deno.test("openEdition() says what is wrong with a key, and never the key", async () => {
  const long = btoa("x".repeat(32));
  const short = btoa("x".repeat(16));
  const cases = [
    [
      { method: "2022-blake3-aes-128-gcm", password: long },
      "Cannot use a key of 2022-blake3-aes-128-gcm: it has 32 bytes; 2022-blake3-aes-128-gcm takes base64 of 16 bytes, such as `shadowsocks genkey 2022-blake3-aes-128-gcm` makes",
    ],
    [
      { method: "2022-blake3-chacha20-poly1305", password: `${long}:${long}` },
      "Cannot use a key of 2022-blake3-chacha20-poly1305: 2022-blake3-chacha20-poly1305 has no identity headers: give one key",
    ],
    [
      {
        method: "2022-blake3-chacha20-poly1305",
        password: long,
        users: [{ name: "Bob", password: long }],
      },
      "Cannot have users with 2022-blake3-chacha20-poly1305: it has no identity headers",
    ],
    [
      {
        method: "2022-blake3-aes-256-gcm",
        password: long,
        users: [{ name: "Bob", password: short }],
      },
      "Cannot use the key of user Bob: it has 16 bytes; 2022-blake3-aes-256-gcm takes base64 of 32 bytes, such as `shadowsocks genkey 2022-blake3-aes-256-gcm` makes",
    ],
  ] as const;
  for (const [options, message] of cases) {
    const error = await assertRejects(
      () => openEdition(options, { providers: PROVIDERS }),
      CipherError,
    );
    assertEquals([error.code, error.message], ["bad_key", message]);
  }
});
