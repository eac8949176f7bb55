/**
 * One-time authentication in the relays, on fakes: every byte that a peer
 * sends or gets is looked at.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { CipherSuite, type Cryptor } from "../../shadowsocks/mod.ts";
import { ADDRTYPE_AUTH } from "../../socks5/mod.ts";
import { type FakeStream } from "../../loop/fakes.ts";
import {
  CipherPeer,
  header,
  PROVIDERS,
  RelayFixture,
} from "./_relay_fixture.ts";
import { client, UdpFixture } from "./_udp_fixture.ts";
import { STAGE_DRAINING } from "../../relay/constants.ts";
import {
  authenticate,
  isAuthentic,
  ONETIMEAUTH_BYTES,
  OneTimeDecoder,
  OneTimeEncoder,
} from "../../shadowsocks/_ota.ts";
import { concat, text, utf8 } from "../support/bytes.ts";

const TARGET = { host: "192.0.2.7", port: 80 };
const NAME = { host: "example.com", port: 443 };
const REFUSED = "can not parse header when handling connection from";
const REQUIRED = "client one time auth is required";

/** Both warnings about a client: ours, and the line of shadowsocks-libev. */
function warnings(host: string, line: string, reason: string): string[] {
  return [line, `failed to handshake with ${host}: ${reason}`];
}

/** A client that authenticates: its header is sent with the first payload. */
class OneTimePeer implements Disposable {
  readonly iv: Uint8Array;
  readonly #cryptor: Cryptor;
  readonly #encoder: OneTimeEncoder;

  constructor(suite: CipherSuite, head: Uint8Array) {
    this.#cryptor = suite.newCryptor();
    this.iv = this.#cryptor.salt!;
    const { masterKey, method: { kind } } = suite;
    const headerLength = head.length;
    this.#encoder = new OneTimeEncoder({
      iv: this.iv,
      masterKey,
      headerLength,
      kind,
    });
  }

  /** Wraps plaintext; the first one begins with the address header. */
  wrap(...plaintext: readonly Uint8Array[]): Uint8Array {
    const whole = concat(...plaintext);
    const out = new Uint8Array(whole.length + 1000);
    return out.slice(0, this.#encoder.apply(whole, out));
  }

  /** Encrypts what was wrapped. */
  seal(wrapped: Uint8Array): Uint8Array {
    const out = new Uint8Array(this.#cryptor.encryptedLength(wrapped.length));
    return out.subarray(0, this.#cryptor.encrypt(wrapped, out));
  }

  [Symbol.dispose](): void {
    this.#cryptor[Symbol.dispose]();
  }
}

function newSuite(method: string): Promise<CipherSuite> {
  return CipherSuite.create(method, "a password of the tests", PROVIDERS);
}

/** What the server's target got, once it is connected. */
async function connected(fixture: RelayFixture): Promise<FakeStream> {
  const [remote] = fixture.poller.connects;
  remote!.establish();
  await fixture.settle();
  return remote!;
}

for (const method of ["aes-256-gcm", "rc4-md5"]) {
  Deno.test(`ServerHandler takes a flight with one-time authentication cut at every byte (${method})`, async () => {
    using suite = await newSuite(method);
    const settings = { suite, oneTimeAuth: true };
    using fixture = new RelayFixture({ settings });
    const head = header(TARGET);
    const length = 200;
    for (let cut = 1; cut < length; cut++) {
      using peer = new OneTimePeer(suite, head);
      const flight = concat(
        peer.seal(peer.wrap(head, utf8("hello, "))),
        peer.seal(peer.wrap(utf8("world"))),
      );
      assert(flight.length < length);
      const local = await fixture.accept();
      local.bring(flight.subarray(0, cut));
      await fixture.settle();
      const early = fixture.poller.connects.shift();
      early?.establish();
      await fixture.settle();
      if (cut < flight.length) local.bring(flight.subarray(cut));
      local.end();
      await fixture.settle();
      const remote = early ?? fixture.poller.connects.shift()!;
      remote.establish();
      await fixture.settle();
      assertEquals(text(remote.sent), "hello, world", `cut at ${cut}`);
      assertEquals(remote.shutdowns, 1);
      remote.end();
      await fixture.settle();
    }
    assertEquals(fixture.relay.connections, 0);
  });

  Deno.test(`ServerHandler drops an altered chunk, and what follows (${method})`, async () => {
    using suite = await newSuite(method);
    using fixture = new RelayFixture({ settings: { suite } });
    using peer = new OneTimePeer(suite, header(TARGET));
    const local = await fixture.accept();
    local.bring(peer.seal(peer.wrap(header(TARGET), utf8("first"))));
    await fixture.settle();
    const remote = await connected(fixture);
    const chunks = ["second", "third"].map((data) => peer.wrap(utf8(data)));
    chunks[0]![14]! ^= 1;
    for (const chunk of chunks) local.bring(peer.seal(chunk));
    await fixture.settle();
    assertEquals(text(remote.sent), "first");
    assertEquals([remote.closed, local.closed], [false, false]);
    assertEquals(
      fixture.logs.with("one time auth fail, drop chunk !").length,
      1,
    );
    assertEquals(remote.sends.length, 1, "nothing empty is sent");
  });

  Deno.test(`LocalHandler authenticates header and payload in one write (${method})`, async () => {
    using suite = await newSuite(method);
    const settings = { suite, oneTimeAuth: true };
    using fixture = new RelayFixture({ isLocal: true, settings });
    const app = await fixture.accept();
    app.bring(Uint8Array.of(5, 1, 0));
    app.bring(concat(Uint8Array.of(5, 1, 0), header(NAME)));
    await fixture.settle();
    const remote = await connected(fixture);
    app.bring(utf8("hello"));
    await fixture.settle();
    assertEquals(remote.sends.length, 1);
    app.bring(utf8(" world"));
    await fixture.settle();
    assertStream(suite, remote.sent, header(NAME), "hello world");
  });

  Deno.test(`LocalHandler authenticates the header alone when no payload comes (${method})`, async () => {
    using suite = await newSuite(method);
    const settings = { suite, oneTimeAuth: true };
    using fixture = new RelayFixture({ isLocal: true, settings });
    const app = await fixture.accept();
    app.bring(Uint8Array.of(5, 1, 0));
    app.bring(concat(Uint8Array.of(5, 1, 0), header(NAME)));
    await fixture.settle();
    const remote = await connected(fixture);
    await fixture.advance(1);
    assertStream(suite, remote.sent, header(NAME), "");
    app.bring(utf8("later"));
    await fixture.settle();
    assertStream(suite, remote.sent, header(NAME), "later");
  });
}

Deno.test("LocalHandler makes a chunk of payload that came with the request", async () => {
  using fixture = new RelayFixture({
    isLocal: true,
    settings: { oneTimeAuth: true },
  });
  const app = await fixture.accept();
  const request = concat(Uint8Array.of(5, 1, 0), header(NAME));
  app.bring(concat(Uint8Array.of(5, 1, 0), request, utf8("at once")));
  await fixture.settle();
  const remote = await connected(fixture);
  assertEquals(remote.sends.length, 1);
  assertStream(fixture.suite, remote.sent, header(NAME), "at once");
});

Deno.test("TunnelHandler authenticates the header without the payload", async () => {
  using fixture = new RelayFixture({
    isLocal: true,
    settings: { oneTimeAuth: true, tunnel: NAME },
  });
  const app = await fixture.accept();
  const remote = await connected(fixture);
  app.bring(utf8("query"));
  await fixture.settle();
  assertStream(fixture.suite, remote.sent, header(NAME), "query");
});

/** Checks a whole upstream: header, its tag, the payload in its chunks. */
function assertStream(
  suite: CipherSuite,
  sent: Uint8Array,
  head: Uint8Array,
  payload: string,
): void {
  using peer = new CipherPeer(suite);
  const plain = peer.open(sent);
  const iv = sent.slice(0, suite.method.saltLength);
  const marked = head.slice();
  marked[0]! |= ADDRTYPE_AUTH;
  const end = head.length + ONETIMEAUTH_BYTES;
  assertEquals(plain.slice(0, head.length), marked);
  const { masterKey } = suite;
  const tag = plain.subarray(head.length, end);
  assert(isAuthentic(marked, tag, { iv, masterKey }), "tag of the header");
  const decoder = new OneTimeDecoder({ iv, onDrop: () => assert(false) });
  const out = new Uint8Array(1000);
  const length = decoder.apply(plain.subarray(end), out);
  assertEquals(text(out.subarray(0, length)), payload);
  assert(decoder.atBoundary);
}

Deno.test("ServerHandler refuses a header whose tag has any bit flipped", async () => {
  using fixture = new RelayFixture();
  const head = header(TARGET);
  for (let bit = 8; bit < 8 * (head.length + ONETIMEAUTH_BYTES); bit += 7) {
    using peer = new OneTimePeer(fixture.suite, head);
    const wrapped = peer.wrap(head, utf8("payload"));
    wrapped[bit >> 3]! ^= 1 << (bit & 7);
    const local = await fixture.accept();
    fixture.logs.clear();
    local.bring(peer.seal(wrapped));
    await fixture.settle();
    assertEquals(fixture.handlerOf(local).stage, STAGE_DRAINING);
    assertEquals(fixture.poller.connects.length, 0);
    assertEquals(
      fixture.logs.of("warning"),
      warnings("127.0.0.1", "one time auth fail", "one time auth failed"),
    );
    assertEquals(fixture.logs.with(REFUSED), [
      `${REFUSED} ${local.remoteAddress}`,
    ]);
    assertEquals(local.sends.length, 0);
  }
});

Deno.test("ServerHandler refuses a plain header when it requires one-time authentication", async () => {
  using fixture = new RelayFixture({ settings: { oneTimeAuth: true } });
  using peer = new CipherPeer(fixture.suite);
  const local = await fixture.accept();
  local.bring(peer.seal(header(TARGET), utf8("payload")));
  await fixture.settle();
  assertEquals(fixture.handlerOf(local).stage, STAGE_DRAINING);
  assertEquals(fixture.poller.connects.length, 0);
  assertEquals(
    fixture.logs.of("warning"),
    warnings("127.0.0.1", REQUIRED, "one time auth is required"),
  );
  assertEquals([local.sends.length, local.closed], [0, false]);
});

Deno.test("ServerHandler resets the target when the client ends inside a chunk", async () => {
  using fixture = new RelayFixture();
  using peer = new OneTimePeer(fixture.suite, header(TARGET));
  const local = await fixture.accept();
  local.bring(peer.seal(peer.wrap(header(TARGET), utf8("whole"))));
  await fixture.settle();
  const remote = await connected(fixture);
  local.bring(peer.seal(peer.wrap(utf8("cut short")).subarray(0, -1)));
  local.end();
  await fixture.settle();
  assertEquals(text(remote.sent), "whole");
  assertEquals([remote.wasReset, remote.shutdowns], [true, 0]);
});

Deno.test("UDPLocalRelay ends a packet with its tag", async () => {
  for (const tunnel of [undefined, NAME]) {
    using fixture = new UdpFixture({
      isLocal: true,
      settings: { oneTimeAuth: true, tunnel },
    });
    const { suite } = fixture;
    const data = tunnel === undefined
      ? concat(new Uint8Array(3), header(NAME), utf8("query"))
      : utf8("query");
    await fixture.fromClient(data, client(1));
    const packet = fixture.outgoing[0]!.sends[0]!.data;
    const plain = new Uint8Array(packet.length);
    const end = suite.openPacket(packet, plain);
    const tagged = plain.subarray(0, end - ONETIMEAUTH_BYTES);
    const key = { iv: suite.packetSalt, masterKey: suite.masterKey };
    assert(isAuthentic(tagged, plain.subarray(tagged.length, end), key));
    const expected = concat(header(NAME), utf8("query"));
    expected[0]! |= ADDRTYPE_AUTH;
    assertEquals(tagged, expected);
  }
});

Deno.test("UDPServerRelay takes an authenticated packet, required or not", async () => {
  for (const oneTimeAuth of [false, true]) {
    using fixture = new UdpFixture({ settings: { oneTimeAuth } });
    for (const data of ["query", ""]) {
      await fixture.fromClient(tagged(fixture, utf8(data)), client(1));
      const sent = fixture.outgoing[0]!.sends.pop()!;
      assertEquals(text(sent.data), data);
      assertEquals(`${sent.to}`, "192.0.2.7:80");
    }
    assertEquals(fixture.logs.of("warning"), []);
  }
});

Deno.test("UDPServerRelay refuses packets that are not, or badly, authenticated", async () => {
  const failed = "UDP one time auth fail";
  const cases = [
    {
      oneTimeAuth: true,
      flip: -1,
      plain: true,
      warning: REQUIRED,
      reason: "one time auth is required",
    },
    {
      oneTimeAuth: false,
      flip: 5,
      warning: failed,
      reason: "one time auth failed",
    },
    {
      oneTimeAuth: false,
      flip: 9,
      warning: failed,
      reason: "one time auth failed",
    },
    {
      oneTimeAuth: false,
      flip: 17,
      warning: failed,
      reason: "one time auth failed",
    },
    {
      oneTimeAuth: false,
      cut: 8,
      warning: "UDP one time auth header is too short",
      reason: "one time auth is too short",
    },
  ];
  for (const { oneTimeAuth, flip, cut, plain, warning, reason } of cases) {
    using fixture = new UdpFixture({ settings: { oneTimeAuth } });
    const packet = plain === true
      ? fixture.seal(TARGET, utf8("query"))
      : tagged(fixture, utf8("query"), { flip, cut });
    await fixture.fromClient(packet, client(1));
    assertEquals(fixture.outgoing.length, 0);
    assertEquals(
      fixture.logs.of("warning"),
      warnings(client(1).host, warning, reason),
    );
    assertEquals(
      fixture.logs.with("can not parse header when handling UDP").length,
      1,
    );
  }
});

/** Seals an authenticated packet, with a flipped bit or cut if asked for. */
function tagged(
  { suite }: UdpFixture,
  data: Uint8Array,
  fault: {
    readonly flip?: number | undefined;
    readonly cut?: number | undefined;
  } = {},
): Uint8Array {
  const body = concat(header(TARGET), data);
  const plain = concat(body, new Uint8Array(ONETIMEAUTH_BYTES))
    .slice(0, body.length + ONETIMEAUTH_BYTES - (fault.cut ?? 0));
  const out = new Uint8Array(plain.length + suite.packetOverhead);
  const { masterKey } = suite;
  suite.sealPacket(plain, out, {
    onSalt: (iv) => {
      const tag = authenticate(body, { iv, masterKey });
      plain.set(concat(body, tag).subarray(0, plain.length));
      if (fault.flip !== undefined) plain[fault.flip]! ^= 1;
    },
  });
  return out;
}
