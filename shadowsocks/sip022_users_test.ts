/**
 * Identity headers and users of the 2022 edition (SIP023), and its keys.
 *
 * @module
 */

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { CipherError } from "../crypto/mod.ts";
import {
  contentOf,
  Decoding,
  encode,
  newEdition,
  plainPacket,
  PROVIDERS,
  sealedPacket,
  type Serving,
  TARGET,
} from "./_edition_fixture.ts";
import {
  AES_ROWS,
  FIXED,
  HELLO,
  identity,
  type Request,
  request,
  serve,
  test2022,
  verdict,
} from "./_sip022_fixture.ts";
import { type Edition, PACKET_ROOM, SEALED_IN_PLACE } from "./edition.ts";
import { openEdition } from "./open_edition.ts";
import { ReplayMemory } from "./replay_memory.ts";
import { Sip022Edition } from "./sip022_edition.ts";
import { concat, seededBytes, toBase64 } from "../tests/support/bytes.ts";

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
  const [main, alice, bob] = [1, 2, 3].map((seed) =>
    toBase64(seededBytes(16, seed))
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
  assertThrows(
    () =>
      server.setUsers([
        { name: "Alice", password: bob! },
        { name: "Bob", password: bob! },
      ]),
    CipherError,
    "have the same key",
  );
  assertEquals(ask(asAlice).answer?.kind, "request", "nothing has changed");
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
  const other = btoa("y".repeat(16));
  const third = btoa("z".repeat(16));
  const slashes = btoa("\xff".repeat(16));
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
      'Cannot use the key of user "Bob": it has 16 bytes; 2022-blake3-aes-256-gcm takes base64 of 32 bytes, such as `shadowsocks genkey 2022-blake3-aes-256-gcm` makes',
    ],
    ...([
      [["Bob", other], ["Bob", third], 'two have the name "Bob"'],
      [["Bob", other], ["Eve", other], '"Bob" and "Eve" have the same key'],
      // The same key in other letters.
      [
        ["Bob", slashes],
        ["Eve", slashes.replaceAll("/", "_").replace(/=+$/, "")],
        '"Bob" and "Eve" have the same key',
      ],
      [["Bob", other], ["", third], "one has no name"],
      [
        ["Bob", other],
        ["Eve", short],
        'the server and "Eve" have the same key',
      ],
    ] as const).map(([bob, eve, problem]) =>
      [
        {
          method: "2022-blake3-aes-128-gcm",
          password: short,
          users: [bob, eve].map(([name, password]) => ({ name, password })),
        },
        `Cannot serve users: ${problem}`,
      ] as const
    ),
  ] as const;
  for (const [options, message] of cases) {
    const error = await assertRejects(
      () => openEdition(options, { providers: PROVIDERS }),
      CipherError,
    );
    assertEquals([error.code, error.message], ["bad_key", message]);
  }
});

test2022(
  "ServerStream.receive() passes a request on to the server that it names",
  (row, clock) => {
    const next = { domain: "behind.example", port: 8388 };
    const users = ["Alice", "second"];
    const setup = { clock, password: "first", users };
    using relay = newEdition(row, { ...setup, next: { second: next } });
    using server = newEdition(row, {
      clock,
      password: "second",
      users: ["Bob"],
    });
    const identities = ["first", "second"];
    using client = newEdition(row, { clock, identities, password: "Bob" });
    using stream = client.newClientStream(TARGET);
    const flight = encode(stream, HELLO);
    const { answer } = serve(relay, flight);
    if (answer?.kind !== "request") throw new Error("refused");
    assertEquals(answer.passes, true);
    assertEquals(answer.user, "second");
    assertEquals(answer.consumed, flight.length);
    assertEquals([answer.address.domain, answer.address.port], [
      "behind.example",
      8388,
    ]);
    const serving = serve(server, answer.payload.slice());
    assertEquals(serving.host, "example.com");
    assertEquals(serving.payload, HELLO);
    const back = encode(serving.stream, HELLO);
    assertEquals(new Decoding(stream).feed(back).payload, HELLO);

    assertEquals(verdict(serve(relay, flight)), "replay: replay");
    const short = flight.slice(0, row.method.saltLength + 16 + FIXED - 1);
    assertEquals(verdict(serve(relay, short)), "auth_failed: too short");
    // Users of its own are served as ever.
    const own = {
      password: "Alice",
      identities: [["first", "Alice"]],
    } as const;
    const direct = serve(relay, request(row, own).bytes);
    assertEquals(direct.payload, HELLO);
    assertEquals(
      direct.answer?.kind === "request" && direct.answer.passes,
      undefined,
    );
  },
  AES_ROWS,
);

test2022(
  "ServerStream.receive() passes no replay on, however old it is",
  (row, clock) => {
    const memory = ReplayMemory.inMemory({ passed: () => clock.elapsed });
    const next = { second: { domain: "behind.example", port: 8388 } };
    const users = ["Alice", "second"];
    const setup = { clock, memory, password: "first", users };
    using relay = newEdition(row, { ...setup, next });
    const flight = request(row, {
      password: "Bob",
      identities: [["first", "second"], ["second", "Bob"]],
    }).bytes;
    assertEquals(verdict(serve(relay, flight)), "request");
    for (let minute = 1; minute < 5; minute++) {
      clock.elapsed += 90_000;
      clock.unix += 90_000;
      const own = {
        seed: 1000 + minute,
        time: clock.unix / 1000,
        password: "Alice",
        identities: [["first", "Alice"]],
      } as const;
      assertEquals(verdict(serve(relay, request(row, own).bytes)), "request");
      // Nobody here can tell that its time is over.
      assertEquals(verdict(serve(relay, flight)), "replay: replay");
    }
  },
  AES_ROWS,
);

test2022(
  "ServerPackets of a relay passes packets on to the server behind it, and its answers back",
  (row, clock) => {
    const next = { second: { domain: "behind.example", port: 8388 } };
    const users = ["Alice", "second"];
    using relay = newEdition(row, { clock, password: "first", users, next });
    using middle = relay.newServerPackets();
    const identities = ["first", "second"];
    using near = newEdition(row, { clock, identities, password: "Bob" });
    using client = near.newClientPackets();
    using far = newEdition(row, {
      clock,
      password: "second",
      users: ["Bob", "Carol"],
    });
    using server = far.newServerPackets();
    const output = new Uint8Array(2000);
    const head = Uint8Array.of(1, 192, 0, 2, 7, 0, 80);
    const states: unknown[] = [];
    for (let n = 0; n < 3; n++) {
      const length = client.seal(plainPacket(head, HELLO), output);
      const sealed = output.slice(0, length);
      const packet = sealedPacket(sealed);
      const opened = middle.open(packet, output);
      if ("refused" in opened) throw new Error(opened.reason);
      const { address, user } = opened;
      assertEquals([user, address.domain, address.port], [
        "second",
        "behind.example",
        8388,
      ]);
      const onward = packet.bytes.slice(packet.start, packet.end);
      assertEquals(onward.length, sealed.length - 16);
      assertEquals(middle.open(sealedPacket(sealed), new Uint8Array(2000)), {
        refused: "replay",
        reason: "replay",
      });
      const passed = sealedPacket(onward);
      const served = server.open(passed, output);
      if ("refused" in served) throw new Error(served.reason);
      assertEquals(served.user, "Bob");
      assertEquals(contentOf(passed), { head, data: HELLO });
      states.push(opened.state, served.state);
    }
    const [relayed, serving] = states;
    const length = server.seal(plainPacket(head, HELLO), serving, output);
    const reply = sealedPacket(output.slice(0, length));
    assertEquals(middle.seal(reply, relayed, output), SEALED_IN_PLACE);
    assertEquals(client.open(reply, output), undefined);
    assertEquals(contentOf(reply), { head, data: HELLO });
    // Room for the name of the server behind, and for what it gets.
    const sealed = output.slice(
      0,
      client.seal(plainPacket(head, HELLO), output),
    );
    const refused = middle.open(
      sealedPacket(sealed),
      new Uint8Array(PACKET_ROOM + 40),
    );
    assertEquals({ ...refused }, { refused: "error", reason: "too long" });
  },
  AES_ROWS,
);
