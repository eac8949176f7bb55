/**
 * What a shadowsocks server says and logs about the connections it gets.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import {
  AEAD_METHOD,
  decodeAll,
  encodeAll,
  NEW_KEY,
  NEW_METHOD,
  sealFlight,
  STREAM_METHOD,
  testEdition,
} from "../shadowsocks/fakes.ts";
import { Sessions } from "../relay/mod.ts";
import type { Endpoint } from "../socks5/mod.ts";
import { CLIENT, ProxyClient } from "./_proxy_client_fixture.ts";
import type { EditionClock } from "../shadowsocks/mod.ts";
import { ShadowsocksInbound } from "./mod.ts";
import { bytesOf } from "../tests/support/bytes.ts";
import { LogCapture } from "../tests/support/logs.ts";

const REFUSED =
  `error: can not parse header when handling connection from ${CLIENT}`;
const HEADER = bytesOf(1, 192, 0, 2, 7, 0, 80);
const OTHER_KEY = "EBESExQVFhcYGRobHB0eHw==";
const NAME: Endpoint = { domain: "example.com", port: 443 };

function handshakeLine(reason: string): string {
  return `warning: failed to handshake with ${CLIENT.host}: ${reason}`;
}

const TARGETS: readonly (readonly [Endpoint, string])[] = [
  [NAME, "example.com:443"],
  [{ bytes: bytesOf(192, 0, 2, 7), port: 80 }, "192.0.2.7:80"],
  [{ domain: "127.0.0.1", port: 80 }, "127.0.0.1:80"],
  [
    { bytes: bytesOf(0x20, 1, 0xd, 0xb8, new Uint8Array(11), 1), port: 1 },
    "[2001:db8::1]:1",
  ],
];
for (const method of [AEAD_METHOD, STREAM_METHOD]) {
  for (const [endpoint, name] of TARGETS) {
    Deno.test(`ShadowsocksInbound asks for ${name} (${method})`, async () => {
      using logs = new LogCapture();
      using edition = await testEdition({ method });
      using peer = await testEdition({ method });
      using stream = peer.newClientStream(endpoint);
      const client = new ProxyClient(new ShadowsocksInbound(edition));
      assertEquals(client.asked, "more");
      const flight = encodeAll(stream, bytesOf("hello"));
      for (const byte of flight.subarray(0, -1)) client.bring(bytesOf(byte));
      client.bring(flight.subarray(-1));
      assertEquals(client.asked, name);
      const { target } = client.session;
      assertEquals(target!.address === undefined, name.startsWith("example"));
      assertEquals(client.session.user, "");
      assertEquals(client.sent.length, 0);
      assertEquals(client.stream.connected(), undefined);
      const { codec } = client.stream;
      const up = encodeAll(stream, bytesOf(" world"));
      assertEquals(
        decodeAll(codec!, client.rest, up),
        // A stream cipher's header is known before its payload has come.
        bytesOf(method === AEAD_METHOD ? " world" : "hello world"),
      );
      const down = encodeAll(codec!, bytesOf("answer"));
      assertEquals(decodeAll(stream, down), bytesOf("answer"));
      assertEquals(logs.lines, []);
      client.stream[Symbol.dispose]();
    });
  }
}

Deno.test("ShadowsocksInbound gives the first payload with the request", async () => {
  using edition = await testEdition();
  using peer = await testEdition();
  using stream = peer.newClientStream(NAME);
  const inbound = new ShadowsocksInbound(edition).accept(
    new ProxyClient(new ShadowsocksInbound(edition)).session,
  );
  const flight = encodeAll(stream, bytesOf("hello"));
  const answer = inbound.receive(flight, new Uint8Array(1000));
  assert(answer.kind === "request");
  if (answer.kind !== "request") return;
  assertEquals(answer.payload, bytesOf("hello"));
  assertEquals(answer.consumed, flight.length);
  inbound[Symbol.dispose]();
});

const USERS = [
  { name: "alice", password: "what alice knows" },
  { name: "bob", password: "what bob knows" },
];

Deno.test("ShadowsocksInbound tells whose connection it is", async () => {
  using edition = await testEdition({ password: "", users: USERS });
  for (const { name, password } of USERS) {
    using peer = await testEdition({ password });
    using stream = peer.newClientStream(NAME);
    const client = new ProxyClient(new ShadowsocksInbound(edition));
    client.bring(encodeAll(stream, bytesOf("hello")));
    assertEquals(client.asked, "example.com:443");
    assertEquals(client.session.user, name);
    const answer = encodeAll(client.stream.codec!, bytesOf("answer"));
    assertEquals(decodeAll(stream, answer), bytesOf("answer"));
    client.stream[Symbol.dispose]();
  }
});

Deno.test("ShadowsocksInbound drains who is none of the users", async () => {
  using logs = new LogCapture();
  using edition = await testEdition({ password: "", users: USERS });
  using peer = await testEdition();
  using stream = peer.newClientStream(NAME);
  const client = new ProxyClient(new ShadowsocksInbound(edition));
  client.bring(encodeAll(stream, bytesOf("hello")));
  assertEquals(client.answer, {
    kind: "refuse",
    status: "auth_failed",
    ending: "silent",
  });
  assertEquals(client.session.user, "");
  assertEquals(logs.lines[1], handshakeLine("authentication error"));
});

Deno.test("ShadowsocksInbound.accept() asks for the client's address where users are told by it alone", async () => {
  using one = await testEdition();
  using many = await testEdition({ users: USERS });
  for (const [edition, expected] of [[one, 0], [many, 1]] as const) {
    let asked = 0;
    const client = {
      get remoteAddress() {
        asked++;
        return CLIENT;
      },
    };
    const listener = { protocol: "test", port: 1 };
    const options = { listener, network: "tcp", client } as const;
    const session = new Sessions().open(options, 0);
    new ShadowsocksInbound(edition).accept(session)[Symbol.dispose]();
    assertEquals(asked, expected);
  }
});

/** First flights that are refused, by the plaintext of a client with the key. */
const BAD: readonly {
  readonly plaintext: Uint8Array;
  readonly reason: string;
  readonly first: string;
  readonly status: string;
}[] = [
  {
    plaintext: bytesOf(2, 1, 2, 3, 4, 0, 80),
    reason: "invalid address type",
    first:
      "warning: unsupported addrtype 2, maybe wrong password or encryption method",
    status: "error",
  },
  {
    plaintext: bytesOf(3, 0, 0, 80),
    reason: "invalid address",
    first:
      "warning: unsupported addrtype 3, maybe wrong password or encryption method",
    status: "error",
  },
  {
    plaintext: bytesOf(0x11, HEADER.subarray(1), new Uint8Array(10)),
    reason: "one time auth failed",
    first: "warning: one time auth fail",
    status: "auth_failed",
  },
];
for (const { plaintext, reason, first, status } of BAD) {
  Deno.test(`ShadowsocksInbound drains a client and logs "${reason}"`, async () => {
    using logs = new LogCapture();
    using edition = await testEdition();
    using peer = await testEdition();
    const client = new ProxyClient(new ShadowsocksInbound(edition));
    client.bring(sealFlight(peer, plaintext));
    assertEquals(client.refused, `${status} silent`);
    assertEquals(logs.lines, [first, REFUSED, handshakeLine(reason)]);
    assertEquals(client.sent.length, 0);
  });
}

Deno.test("ShadowsocksInbound drains a client without the key", async () => {
  using logs = new LogCapture();
  using edition = await testEdition();
  const client = new ProxyClient(new ShadowsocksInbound(edition));
  client.bring(new Uint8Array(100).fill(7));
  assertEquals(client.refused, "auth_failed silent");
  assertEquals(logs.lines, [
    REFUSED,
    handshakeLine("authentication error"),
    "warning: what 198.51.100.1 sent cannot be read: another password or " +
    "method there than here, or not a shadowsocks client",
  ]);
});

Deno.test("ShadowsocksInbound drains a replay", async () => {
  using logs = new LogCapture();
  using edition = await testEdition();
  using peer = await testEdition();
  const flight = sealFlight(peer, HEADER);
  const inbound = new ShadowsocksInbound(edition);
  assertEquals(new ProxyClient(inbound).bring(flight).asked, "192.0.2.7:80");
  assertEquals(new ProxyClient(inbound).bring(flight).refused, "replay silent");
  assertEquals(logs.lines, [
    REFUSED,
    handshakeLine("replay"),
  ]);
});

Deno.test("ShadowsocksInbound drains a client without the one-time authentication that it requires", async () => {
  using logs = new LogCapture();
  using edition = await testEdition({ oneTimeAuth: true });
  using peer = await testEdition();
  const client = new ProxyClient(new ShadowsocksInbound(edition));
  client.bring(sealFlight(peer, HEADER));
  assertEquals(client.refused, "auth_failed silent");
  assertEquals(logs.lines, [
    "warning: client one time auth is required",
    REFUSED,
    handshakeLine("one time auth is required"),
  ]);
});

Deno.test("ShadowsocksInbound tells once who sends chunks that are not genuine", async () => {
  using logs = new LogCapture();
  using edition = await testEdition({ method: STREAM_METHOD });
  using peer = await testEdition({ method: STREAM_METHOD, oneTimeAuth: true });
  using stream = peer.newClientStream(NAME);
  const client = new ProxyClient(new ShadowsocksInbound(edition));
  client.bring(encodeAll(stream, bytesOf("first")));
  for (const text of ["second", "third"]) {
    const forged = encodeAll(stream, bytesOf(text));
    forged[forged.length - 1]! ^= 1;
    assertEquals(decodeAll(client.stream.codec!, forged), bytesOf());
  }
  assertEquals(logs.lines, [
    `warning: one time auth fail, drop chunk ! connection from ${CLIENT}`,
  ]);
});

Deno.test("ShadowsocksInbound.onCodecFailed() drains and logs that the client is not authentic", async () => {
  using logs = new LogCapture();
  using edition = await testEdition();
  const { stream } = new ProxyClient(new ShadowsocksInbound(edition));
  assertEquals(stream.onCodecFailed!(), {
    status: "auth_failed",
    ending: "silent",
  });
  assertEquals(logs.lines, [handshakeLine("authentication error")]);
});

Deno.test("ShadowsocksInbound.failed() resets the client", async () => {
  using edition = await testEdition();
  const { stream } = new ProxyClient(new ShadowsocksInbound(edition));
  const failure = { status: "dial_failed", code: "ECONNREFUSED" } as const;
  assertEquals(stream.failed(failure), { ending: "reset" });
});

Deno.test("ShadowsocksInbound serves users of the 2022 edition by name", async () => {
  using logs = new LogCapture();
  const method = NEW_METHOD;
  const users = [{ name: "Alice", password: OTHER_KEY }];
  using edition = await testEdition({ method, password: NEW_KEY, users });
  const password = `${NEW_KEY}:${OTHER_KEY}`;
  using peer = await testEdition({ method, password });
  using stream = peer.newClientStream(NAME);
  const client = new ProxyClient(new ShadowsocksInbound(edition));
  client.bring(encodeAll(stream, bytesOf("hello")));
  assertEquals(client.asked, "example.com:443");
  assertEquals(client.session.user, "Alice");
  assertEquals(logs.lines, []);
  client.stream[Symbol.dispose]();
});

Deno.test("ShadowsocksInbound logs how far clocks differ, and what to do", async () => {
  for (const skew of [-31, 3600]) {
    using logs = new LogCapture();
    const options = { method: NEW_METHOD, password: NEW_KEY };
    const clock = (seconds: number): EditionClock => ({
      time: () => (1_700_000_000 + seconds) * 1000,
      passed: () => 0,
    });
    using edition = await testEdition(options, undefined, clock(0));
    using peer = await testEdition(options, undefined, clock(skew));
    using stream = peer.newClientStream(NAME);
    const client = new ProxyClient(new ShadowsocksInbound(edition));
    client.bring(encodeAll(stream, bytesOf("hello")));
    assertEquals(client.refused?.split(" ")[0], "skew");
    assertEquals(logs.lines, [
      REFUSED,
      handshakeLine("clock skew"),
      `warning: the clock of ${CLIENT.host} differs from ours by ${skew} s (below 0: it is behind), 30 are allowed: set both clocks, best by NTP`,
    ]);
    client.stream[Symbol.dispose]();
  }
});

Deno.test("ShadowsocksInbound refuses a first segment of the 2022 edition that is short", async () => {
  using logs = new LogCapture();
  const options = { method: NEW_METHOD, password: NEW_KEY };
  using edition = await testEdition(options);
  using peer = await testEdition(options);
  using stream = peer.newClientStream(NAME);
  const client = new ProxyClient(new ShadowsocksInbound(edition));
  client.bring(encodeAll(stream, bytesOf("hello")).subarray(0, 42));
  assertEquals(client.refused?.split(" ")[0], "auth_failed");
  assertEquals(logs.lines.slice(0, 2), [REFUSED, handshakeLine("too short")]);
  client.stream[Symbol.dispose]();
});

Deno.test("ShadowsocksInbound passes a request on to the server that an identity header names", async () => {
  const method = NEW_METHOD;
  const next = { host: "behind.example", port: 8388 };
  const users = [{ name: "behind", password: OTHER_KEY, next }];
  using relay = await testEdition({ method, password: NEW_KEY, users });
  using server = await testEdition({ method, password: OTHER_KEY });
  const password = `${NEW_KEY}:${OTHER_KEY}`;
  using peer = await testEdition({ method, password });
  using stream = peer.newClientStream(NAME);
  const client = new ProxyClient(new ShadowsocksInbound(relay));
  assert(client.stream.codec !== undefined);
  client.bring(encodeAll(stream, bytesOf("hello")));
  assertEquals(client.asked, "behind.example:8388");
  assertEquals(client.session.user, "behind");
  assertEquals(client.stream.codec, undefined, "what follows is not ours");
  assertEquals(client.rest.length, 0);
  const inbound = new ProxyClient(new ShadowsocksInbound(server));
  const { answer } = client;
  if (answer.kind !== "request") throw new Error("refused");
  inbound.bring(answer.payload!.slice());
  assertEquals(inbound.asked, "example.com:443");
  inbound.stream[Symbol.dispose]();
  client.stream[Symbol.dispose]();
});
