/**
 * Many users on one port, with keys of real ciphers whose tries are counted.
 *
 * @module
 */

import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { CipherError } from "../crypto/mod.ts";
import {
  contentOf,
  Decoding,
  encode,
  plainPacket,
  PROVIDERS,
  sealedPacket,
  Serving,
  TARGET,
} from "./_edition_fixture.ts";
import {
  clientOf,
  flightOf,
  type Given,
  HEAD,
  HELLO,
  METHOD,
  newPort,
  OUTPUT,
  packetOf,
  Tries,
  usersOf,
} from "./_users_fixture.ts";
import { NOT_SENDABLE, PACKET_ROOM } from "./edition.ts";
import type { EditionUser } from "./open_edition.ts";
import { ReplayMemory } from "./replay_memory.ts";
import { CipherSuite } from "./suite.ts";
import { UsersEdition } from "./users_edition.ts";
import { concat, seededBytes, toBase64 } from "../tests/support/bytes.ts";

const WRONG_KEY = {
  kind: "refuse",
  status: "auth_failed",
  reason: "authentication error",
};

Deno.test("UsersEdition finds whose connection it is, and answers with the user's key", async () => {
  using port = await newPort();
  for (const name of "cabbac") {
    using client = await clientOf(name);
    using stream = client.newClientStream(TARGET);
    const serving = new Serving(port.server.newServerStream());
    serving.feed(encode(stream, HELLO));
    assertEquals([serving.user, serving.host], [name, "example.com"]);
    assertEquals(serving.payload, HELLO);
    serving.feed(encode(stream, seededBytes(40_000)));
    assertEquals(serving.payload, concat(HELLO, seededBytes(40_000)));
    const answer = encode(serving.stream, seededBytes(40_000));
    for (const other of "abc") {
      using reader = await clientOf(other);
      using another = reader.newClientStream(TARGET);
      const decoding = new Decoding(other === name ? stream : another);
      decoding.feed(answer);
      assertEquals(decoding.failed, other !== name);
      if (other === name) assertEquals(decoding.payload, seededBytes(40_000));
    }
    serving.stream[Symbol.dispose]();
  }
});

Deno.test("UsersEdition finds whose packet it is, and answers with the user's key", async () => {
  using port = await newPort();
  for (const name of "cabbac") {
    const opened = port.opened(await packetOf(name));
    assertEquals([opened.user, opened.key], [name, undefined]);
    // Between a packet and its answer come those of others.
    for (const other of "abc") port.send(await packetOf(other));
    const answer = plainPacket(HEAD, seededBytes(1200));
    const sealed = new Uint8Array(2000);
    const length = port.packets.seal(answer, opened.state, sealed);
    for (const other of "abc") {
      using reader = await clientOf(other);
      using packets = reader.newClientPackets();
      const packet = sealedPacket(sealed.slice(0, length));
      const refused = packets.open(packet, OUTPUT);
      assertEquals(refused, other === name ? undefined : "auth_failed");
      if (refused === undefined) {
        assertEquals(contentOf(packet).data, seededBytes(1200));
      }
    }
  }
  const answer = plainPacket(HEAD, HELLO);
  assertEquals(port.packets.seal(answer, undefined, OUTPUT), NOT_SENDABLE);
});

const MIXED: readonly EditionUser[] = [
  { name: "a", password: "password of a", method: "chacha20-ietf-poly1305" },
  { name: "b", password: "password of b", method: "AES-128-GCM" },
  { name: "c", password: "password of c", method: "aes-192-gcm" },
  { name: "d", password: "password of d" },
  // The same secret is another key with another method.
  { name: "e", password: "password of a" },
];

Deno.test("UsersEdition takes a method for each user", async () => {
  const tries = new Tries();
  using port = await newPort({ users: MIXED, tries });
  for (const { name, method, password } of [...MIXED, ...MIXED]) {
    const own = { method: method ?? METHOD, password };
    assertEquals(port.connect(await flightOf(name, own)), `user ${name}`);
    assertEquals(port.send(await packetOf(name, own)), `user ${name}`);
    // Byte by byte: none has to wait for more than its own flight.
    const serving = new Serving(port.server.newServerStream());
    for (const byte of await flightOf(name, own)) {
      serving.feed(Uint8Array.of(byte));
    }
    assertEquals([serving.user, serving.payload], [name, HELLO]);
    serving.stream[Symbol.dispose]();
  }
  const method = "aes-192-gcm";
  assertEquals(
    port.connect(await flightOf("a", { method })),
    "authentication error",
  );
  assertEquals(
    port.send(await packetOf("a", { method })),
    "authentication error",
  );
});

Deno.test("ServerStream.receive() tries no key before 50 bytes, whatever the users", async () => {
  for (const users of [usersOf("a"), usersOf("abcdefgh"), MIXED]) {
    const tries = new Tries();
    using port = await newPort({ users, tries });
    using stream = port.server.newServerStream();
    const serving = new Serving(stream);
    for (let length = 1; length < 50; length++) {
      serving.feed(seededBytes(1, length));
      assertEquals(serving.answer, { kind: "more", consumed: 0 });
    }
    assertEquals(tries.take(), 0);
    serving.feed(seededBytes(1));
    assertEquals(serving.answer, WRONG_KEY);
    assertEquals(tries.take(), users.length);
    assert(stream.failed);
    assert(!stream.atBoundary(0));
    assertEquals(stream.receive(seededBytes(100), OUTPUT), WRONG_KEY);
    assertEquals(stream.decode(seededBytes(100), OUTPUT, 100), -1);
    assertEquals(tries.take(), 0);
  }
});

Deno.test("ServerStream.receive() waits for no more than the shortest flight has", async () => {
  // The least that a client of aes-128-gcm can send: an empty first chunk.
  const user = { name: "b", password: "password of b", method: "aes-128-gcm" };
  using port = await newPort({ users: [...usersOf("a"), user] });
  const { method, password } = user;
  using suite = await CipherSuite.create(method, password, PROVIDERS);
  using cryptor = suite.newCryptor();
  const bytes = new Uint8Array(100);
  const length = cryptor.encrypt(Uint8Array.of(1), bytes);
  assertEquals(length, 51);
  using stream = port.server.newServerStream();
  const answer = stream.receive(bytes.slice(0, length), OUTPUT);
  assertEquals(answer, { kind: "more", consumed: length });
});

Deno.test("UsersEdition tries the keys last used from an address, then by recency", async () => {
  const tries = new Tries();
  using port = await newPort({ users: usersOf("abcdefgh"), tries });
  const come = async (name: string, from: string): Promise<number> => {
    assertEquals(port.connect(await flightOf(name), from), `user ${name}`);
    const connection = tries.take();
    assertEquals(port.send(await packetOf(name), from), `user ${name}`);
    assertEquals(tries.take(), 1, "a connection makes its key known");
    return connection;
  };
  assertEquals(await come("f", "192.0.2.1"), 6);
  assertEquals(await come("f", "192.0.2.1"), 1);
  assertEquals(await come("f", "192.0.2.2"), 1, "the newest of all");
  assertEquals(await come("d", "192.0.2.2"), 5);
  assertEquals(await come("f", "192.0.2.1"), 1);
  assertEquals(await come("d", "192.0.2.3"), 2);
  assertEquals(await come("f", "192.0.2.2"), 2);
  assertEquals(await come("h", "192.0.2.4"), 8);
  // A packet makes it known for connections too.
  assertEquals(port.send(await packetOf("g"), "192.0.2.5"), "user g");
  assertEquals(tries.take(), 8);
  assertEquals(await come("g", "192.0.2.5"), 1);
});

Deno.test("UsersEdition learns nothing from who sends again what a user has sent", async () => {
  const tries = new Tries();
  using port = await newPort({ users: usersOf("abcdefgh"), tries });
  const packet = await packetOf("f");
  const flight = await flightOf("f");
  assertEquals(port.send(packet, "192.0.2.6"), "user f");
  assertEquals(port.connect(flight, "192.0.2.6"), "user f");
  assertEquals(port.send(await packetOf("h"), "192.0.2.8"), "user h");
  // More addresses than are remembered.
  for (let n = 0; n < 5000; n++) {
    assertEquals(port.send(packet, `replay ${n}`), "replay");
    if (n % 50 > 0) continue;
    assertEquals(port.connect(flight, `replay ${n}`), "replay");
  }
  tries.take();
  assertEquals(port.send(await packetOf("h"), "192.0.2.1"), "user h");
  assertEquals(tries.take(), 1, "h is the newest of all");
  assertEquals(port.send(await packetOf("f"), "192.0.2.6"), "user f");
  assertEquals(tries.take(), 1, "f is known from there");
});

Deno.test("UsersEdition refuses strangers alike, however many users there are", async () => {
  for (const count of [1, 2, 100]) {
    const tries = new Tries();
    const names = Array.from({ length: count }, (_, n) => `user ${n}`);
    const users = names.map((name) => ({ name, password: `of ${name}` }));
    using port = await newPort({ users, tries });
    for (const from of ["192.0.2.1", "192.0.2.1", undefined]) {
      const flight = await flightOf("nobody");
      assertEquals(port.connect(flight, from), "authentication error");
      assertEquals(tries.take(), count);
      const packet = await packetOf("nobody");
      assertEquals(port.send(packet, from), "authentication error");
      assertEquals(tries.take(), count);
    }
  }
});

Deno.test("UsersEdition serves who has the port's password under no name", async () => {
  using port = await newPort({ password: "password of the port" });
  assertEquals(port.connect(await flightOf("the port")), "user ");
  assertEquals(port.send(await packetOf("the port")), "user ");
  assertEquals(port.connect(await flightOf("b")), "user b");
  const password = "";
  using closed = await newPort();
  for (const own of [{ password }, {}]) {
    const flight = await flightOf("the port", own);
    assertEquals(closed.connect(flight), "authentication error");
  }
  using shared = await newPort({ password: "password of b" });
  assertEquals(shared.connect(await flightOf("b")), "user b");
});

Deno.test("UsersEdition refuses who is disabled, also where all are", async () => {
  const [a, b, c] = usersOf("abc");
  const disabled = true;
  using some = await newPort({ users: [a!, { ...b!, disabled }, c!] });
  using none = await newPort({
    users: [a!, b!, c!].map((user) => ({ ...user, disabled })),
  });
  const password = "";
  for (const name of "abc") {
    const expected = name === "b" ? "authentication error" : `user ${name}`;
    assertEquals(some.connect(await flightOf(name)), expected);
    assertEquals(some.send(await packetOf(name)), expected);
    for (const own of [{}, { password }]) {
      const flight = await flightOf(name, own);
      assertEquals(none.connect(flight), "authentication error");
      const packet = await packetOf(name, own);
      assertEquals(none.send(packet), "authentication error");
    }
  }
  // Who is disabled keeps the password from being the nameless user's.
  using shared = await newPort({
    users: [a!, { ...b!, disabled }],
    password: b!.password,
  });
  assertEquals(shared.connect(await flightOf("b")), "authentication error");
});

Deno.test("openEdition() serves nobody by the key of the headers alone where all users of 2022 are disabled", async () => {
  const method = "2022-blake3-aes-128-gcm";
  const keyOf = (byte: number): string =>
    toBase64(new Uint8Array(16).fill(byte));
  const [identity, own] = [keyOf(1), keyOf(2)];
  const user = { name: "a", password: own };
  for (const disabled of [false, true]) {
    using port = await newPort({
      method,
      password: identity,
      users: [{ ...user, disabled }, {
        name: "b",
        password: keyOf(3),
        disabled,
      }],
    });
    for (const password of [`${identity}:${own}`, identity]) {
      const flight = await flightOf("a", { method, password });
      const served = port.connect(flight) === "user a";
      assertEquals(served, !disabled && password !== identity);
    }
  }
});

Deno.test("UsersEdition refuses replays by user, also at another port", async () => {
  const memory = ReplayMemory.inMemory();
  using port = await newPort({ memory });
  using other = await newPort({ memory, users: usersOf("cxyz") });
  const flights = new Map<string, Uint8Array>();
  for (const name of "abc") flights.set(name, await flightOf(name));
  for (const [name, flight] of flights) {
    assertEquals(port.connect(flight), `user ${name}`);
    assertEquals(port.connect(flight), "replay");
  }
  assertEquals(other.connect(flights.get("c")!), "replay");
  const packet = await packetOf("c");
  assertEquals(other.send(packet), "user c");
  assertEquals(other.send(packet), "replay");
  assertEquals(port.send(packet), "replay");
  assertEquals(port.connect(await flightOf("c")), "user c");
});

Deno.test("UsersEdition refuses the answers of each of its users", async () => {
  using port = await newPort();
  for (const name of "abc") {
    const opened = port.opened(await packetOf(name));
    const length = port.packets.seal(
      plainPacket(HEAD, HELLO),
      opened.state,
      OUTPUT,
    );
    assertEquals(port.send(OUTPUT.slice(0, length)), "replay");
    using stream = port.server.newServerStream();
    new Serving(stream).feed(await flightOf(name));
    const reflected = encode(stream, concat(HEAD, HELLO));
    assertEquals(port.connect(reflected), "replay");
  }
});

Deno.test("ServerStream says nothing before its user is known", async () => {
  using port = await newPort();
  using stream = port.server.newServerStream();
  assertEquals(stream.encode(HELLO, OUTPUT, HELLO.length), 0);
  assertEquals(stream.cut?.(OUTPUT), 0);
  assertEquals(stream.decode(HELLO, OUTPUT, HELLO.length), -1);
  assertEquals([stream.headPending, stream.consumed], [false, 0]);
  assert(!stream.failed);
  const unused = port.server.newServerStream();
  unused[Symbol.dispose]();
  assertEquals(
    unused.receive(await flightOf("a"), OUTPUT),
    WRONG_KEY,
    "not after its end",
  );
});

Deno.test("ServerPackets.open() limits what strangers cost, and serves who is known", async () => {
  const tries = new Tries();
  const count = 1000;
  const users = Array.from({ length: count }, (_, n) => ({
    name: `${n}`,
    password: `password of ${n}`,
  }));
  const clock = { time: () => 0, passed: () => tries.now };
  using port = await newPort({ users, tries, clock });
  assertEquals(port.send(await packetOf("999"), "192.0.2.9"), "user 999");
  for (let n = 0; n < 20; n++) {
    const flight = await flightOf(`${n}`);
    assertEquals(port.connect(flight, "192.0.2.1"), `user ${n}`);
  }
  tries.take();
  const stranger = seededBytes(100);
  const seen: string[] = [];
  while (seen.at(-1) !== "too many strangers") {
    seen.push(port.send(stranger, `stranger ${seen.length}`));
    assert(seen.length < 110);
  }
  seen.pop();
  assert(seen.length >= 99, "one search was a user's");
  assertEquals(tries.take(), seen.length * count + 16);
  assertEquals(new Set(seen), new Set(["authentication error"]));
  // Who is known from the address, or of those who were there last.
  assertEquals(port.send(await packetOf("999"), "192.0.2.9"), "user 999");
  assertEquals(port.send(await packetOf("19"), "192.0.2.7"), "user 19");
  assertEquals(port.send(await packetOf("5"), "192.0.2.7"), "user 5");
  const other = await packetOf("500");
  assertEquals(port.send(other, "192.0.2.7"), "too many strangers");
  // A connection makes the address known.
  assertEquals(port.connect(await flightOf("500"), "192.0.2.7"), "user 500");
  assertEquals(port.send(other, "192.0.2.7"), "user 500");
  tries.now += 10;
  assertEquals(port.send(await packetOf("600"), "192.0.2.8"), "user 600");
});

Deno.test("ServerPackets.open() tells what is wrong with a packet that opens", async () => {
  using port = await newPort({ users: MIXED });
  using client = await clientOf("d");
  using packets = client.newClientPackets();
  const bad = plainPacket(Uint8Array.of(9), HELLO);
  const sealed = OUTPUT.slice(0, packets.seal(bad, OUTPUT));
  assertEquals(port.send(sealed), "invalid address");
  const fine = await packetOf("d");
  const small = new Uint8Array(PACKET_ROOM + 3);
  const opened = port.packets.open(sealedPacket(fine), small);
  assertEquals("refused" in opened && opened.reason, "too long");
  // Room for this user's payload, and for none under a shorter salt, which is
  // tried first.
  const shorter = await packetOf("b", { method: "aes-128-gcm" });
  assertEquals(port.send(shorter), "user b");
  const exact = new Uint8Array(PACKET_ROOM + HEAD.length + HELLO.length);
  const found = port.packets.open(sealedPacket(fine), exact);
  assertEquals("user" in found && found.user, "d");
  for (let length = 0; length < 100; length++) {
    assertEquals(port.send(seededBytes(length)), "authentication error");
  }
});

Deno.test("UsersEdition is no client", async () => {
  using port = await newPort();
  assertThrows(() => port.server.newClientStream(TARGET), TypeError);
  assertThrows(() => port.server.newClientPackets(), TypeError);
});

Deno.test("UsersEdition[Symbol.dispose]() wipes every key", async () => {
  const first = await CipherSuite.create(METHOD, "first", PROVIDERS);
  const suites = [first, new CipherSuite(first.method, "second", first)];
  const users = suites.map((suite, n) => ({ name: `${n}`, suite }));
  const edition = new UsersEdition(users);
  assertEquals(edition.method, first.method);
  assertEquals(edition.providerVersion, first.providerVersion);
  assert(edition.authenticates && edition.usesAddress);
  assert(suites.every(({ masterKey }) => masterKey.some((byte) => byte !== 0)));
  edition[Symbol.dispose]();
  assertEquals(suites.map(({ masterKey }) => masterKey), [
    new Uint8Array(32),
    new Uint8Array(32),
  ]);
});

const REFUSED: readonly (readonly [Given, string])[] = [
  [
    { method: "aes-256-cfb" },
    "Cannot serve users with method aes-256-cfb of the port: it has no authentication, so that nothing tells whose bytes they are; take an AEAD method",
  ],
  [
    { users: [{ name: "a", password: "secret", method: "rc4-md5" }] },
    'Cannot serve users with method rc4-md5 of user "a": it has no authentication, so that nothing tells whose bytes they are; take an AEAD method',
  ],
  [
    {
      users: [{
        name: "a",
        password: "secret",
        method: "2022-blake3-aes-128-gcm",
      }],
    },
    'Cannot serve users with method 2022-blake3-aes-128-gcm of user "a" beside methods of 2017: give it a port of its own',
  ],
  [
    { users: [{ name: "a", password: "secret", method: "rot13" }] },
    'Cannot use method "rot13": there is no such method',
  ],
  [
    { users: [...usersOf("ab"), { name: "a", password: "secret" }] },
    'Cannot serve users: two have the name "a"',
  ],
  [
    {
      users: [
        { name: "a", password: "secret" },
        { name: "b", password: "secret", method: `sodium:${METHOD}` },
      ],
    },
    'Cannot serve users: "a" and "b" have the same password',
  ],
  [
    { users: [{ name: "", password: "secret" }] },
    "Cannot serve users: one has no name",
  ],
  [
    { users: [{ name: "a", password: "" }] },
    'Cannot serve users: "a" has no password',
  ],
];
for (const [given, message] of REFUSED) {
  Deno.test(`openEdition() says: ${message}`, async () => {
    const error = await assertRejects(() => newPort(given), CipherError);
    assertEquals(error.message, message);
    assert(!error.message.includes("secret"));
  });
}

Deno.test("openEdition() does not mind the port's method where each user has one", async () => {
  const users = MIXED.filter(({ method }) => method !== undefined);
  using port = await newPort({ method: "aes-256-cfb", users });
  const method = "aes-128-gcm";
  assertEquals(port.connect(await flightOf("b", { method })), "user b");
  const password = "password of the port";
  const error = await assertRejects(
    () => newPort({ method: "aes-256-cfb", users, password }),
    CipherError,
  );
  assertStringIncludes(error.message, "aes-256-cfb of the port");
});
