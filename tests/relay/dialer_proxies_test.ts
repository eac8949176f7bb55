/**
 * The handshake with proxies in front of a server or a target.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { type FakeStream } from "../../loop/fakes.ts";
import {
  type Outbound,
  type OutboundHandshake,
  Target,
} from "../../relay/mod.ts";
import { CONNECT_TIMEOUT, MEMBER_TIMEOUT } from "../../relay/constants.ts";
import {
  DirectOutbound,
  type ProxyHop,
  ProxyOutbound,
  Socks5ProxyHandshake,
} from "../../outbound/mod.ts";
import { ClassicEdition } from "../../shadowsocks/mod.ts";
import {
  CONNECTED,
  GREETING,
  GREETING_REPLY,
  opened,
  request,
  TARGET,
} from "./_flow_fixture.ts";
import { CipherPeer, header, RelayFixture } from "./_relay_fixture.ts";
import {
  server,
  SERVER_HOSTS,
  TestGroup,
  TestRouter,
  ToldOutbound,
} from "./_routes_fixture.ts";
import { concat, text, utf8 } from "../support/bytes.ts";

const FIRST_PROXY = Target.of("203.0.113.1", 1080);
const SECOND_PROXY = Target.of("proxy.example", 1081);

/** A SOCKS5 proxy on the way. */
function hop(target: Target, user?: string): ProxyHop {
  return {
    target,
    handshake: (next) =>
      new Socks5ProxyHandshake({ target: next, user, password: "secret" }),
  };
}

/** A local whose way leads through two proxies. */
class ChainFixture extends RelayFixture {
  readonly router: TestRouter;
  readonly way: ToldOutbound;

  constructor(make?: (inner: Outbound) => Outbound, fastOpen = false) {
    const router = new TestRouter();
    super({ isLocal: true, settings: { fastOpen }, relay: { router } });
    this.router = router;
    const edition = new ClassicEdition(this.suite, false);
    const inner = make?.(server(edition, SERVER_HOSTS[0]!)) ??
      server(edition, SERVER_HOSTS[0]!, fastOpen);
    this.way = new ToldOutbound(
      new ProxyOutbound(inner, [
        hop(FIRST_PROXY),
        hop(SECOND_PROXY, "somebody"),
      ]),
    );
    router.decide = () => ({ route: this.way, rule: "" });
  }

  /** An application asks; the first proxy is connected to. */
  async ask(
    payload = "",
  ): Promise<{ readonly app: FakeStream; readonly proxy: FakeStream }> {
    const app = await this.accept();
    app.bring(concat(GREETING, request(1), utf8(payload)));
    await this.settle();
    const proxy = this.poller.connects[0]!;
    assertEquals(`${proxy.remoteAddress}`, `${FIRST_PROXY}`);
    proxy.establish();
    await this.settle();
    return { app, proxy };
  }
}

const SUCCEEDED = Uint8Array.of(5, 0, 0, 1, 0, 0, 0, 0, 0, 0);

/** What both proxies say, and what we have said before each word. */
const TALK: readonly {
  readonly ours: Uint8Array;
  readonly theirs: Uint8Array;
}[] = [
  { ours: Uint8Array.of(5, 1, 0), theirs: Uint8Array.of(5, 0) },
  {
    ours: concat(
      Uint8Array.of(5, 1, 0),
      header({ host: SECOND_PROXY.host, port: SECOND_PROXY.port }),
    ),
    theirs: SUCCEEDED,
  },
  { ours: Uint8Array.of(5, 2, 0, 2), theirs: Uint8Array.of(5, 2) },
  {
    ours: concat(
      Uint8Array.of(1, 8),
      utf8("somebody"),
      Uint8Array.of(6),
      utf8("secret"),
    ),
    theirs: Uint8Array.of(1, 0),
  },
  {
    ours: concat(
      Uint8Array.of(5, 1, 0),
      header({ host: SERVER_HOSTS[0]!, port: 8388 }),
    ),
    theirs: SUCCEEDED,
  },
];

for (const how of ["byte by byte", "word by word"] as const) {
  Deno.test(`Dialer talks with two SOCKS5 proxies ${how}`, async () => {
    using fixture = new ChainFixture();
    const { app, proxy } = await fixture.ask("hello");
    let said = 0;
    for (const { ours, theirs } of TALK) {
      assertEquals(proxy.sent.subarray(said), ours);
      said += ours.length;
      assertEquals(app.sent, GREETING_REPLY);
      const pieces = how === "byte by byte"
        ? Array.from(theirs, (byte) => Uint8Array.of(byte))
        : [theirs];
      for (const piece of pieces) {
        assertEquals(proxy.sent.length, said, "one word at a time");
        proxy.bring(piece);
        await fixture.settle();
      }
    }
    assertEquals(app.sent, concat(GREETING_REPLY, CONNECTED));
    assertEquals(opened(fixture, proxy.sent.subarray(said)), "hello");
    using peer = new CipherPeer(fixture.suite);
    proxy.bring(peer.seal(utf8("welcome")));
    await fixture.settle();
    assert(text(app.sent).endsWith("welcome"));
    assertEquals(fixture.poller.connects.length, 1);
    await fixture.advance(CONNECT_TIMEOUT / 1000);
    assert(!app.closed, "the deadline of the proxies is over");
    assertEquals([fixture.opened[0]!.up, fixture.opened[0]!.down], [5, 7]);
    fixture.relay.destroy();
    assertEquals(fixture.way.streams, 0);
  });
}

Deno.test("Dialer passes on what comes right behind the last proxy's answer", async () => {
  using fixture = new ChainFixture();
  const { app, proxy } = await fixture.ask("hello");
  using peer = new CipherPeer(fixture.suite);
  const answers = TALK.map(({ theirs }) => theirs);
  proxy.bring(concat(...answers, peer.seal(utf8("server first"))));
  await fixture.settle();
  assert(text(app.sent).endsWith("server first"));
  proxy.bring(peer.seal(utf8(", more")));
  await fixture.settle();
  assert(text(app.sent).endsWith("server first, more"));
  assertEquals(fixture.opened[0]!.down, 18);
});

Deno.test("Dialer passes on what came behind the answer when the application is slow", async () => {
  using fixture = new ChainFixture();
  const { app, proxy } = await fixture.ask();
  app.room = 3;
  using peer = new CipherPeer(fixture.suite);
  const answers = TALK.map(({ theirs }) => theirs);
  proxy.bring(concat(...answers, peer.seal(utf8("server first"))));
  proxy.end();
  await fixture.settle();
  app.room = Infinity;
  await fixture.settle();
  assert(text(app.sent).endsWith("server first"));
  assertEquals([app.shutdowns, app.wasReset], [1, false]);
});

Deno.test("Dialer sends a word in pieces when a proxy is slow", async () => {
  using fixture = new ChainFixture();
  fixture.poller.onConnect = (stream) => stream.room = 1;
  const { app, proxy } = await fixture.ask("hello");
  assertEquals(proxy.sent, TALK[0]!.ours.subarray(0, 1));
  proxy.room = Infinity;
  await fixture.settle();
  assertEquals(proxy.sent, TALK[0]!.ours);
  for (const { theirs } of TALK) {
    proxy.room = 2;
    proxy.bring(theirs);
    await fixture.settle();
    proxy.room = Infinity;
    await fixture.settle();
  }
  const ours = concat(...TALK.map((word) => word.ours));
  assertEquals(proxy.sent.subarray(0, ours.length), ours);
  assertEquals(opened(fixture, proxy.sent.subarray(ours.length)), "hello");
  assertEquals(app.sent, concat(GREETING_REPLY, CONNECTED));
});

/** How a proxy fails after so many of its words, and what comes of it. */
const PROXY_FAILURES: readonly {
  readonly name: string;
  readonly words: number;
  readonly act: (proxy: FakeStream) => void;
  readonly code: string;
}[] = [
  {
    name: "resets before its first word",
    words: 0,
    act: (proxy) => proxy.fail("ECONNRESET"),
    code: "ECONNRESET",
  },
  {
    name: "resets in the middle",
    words: 3,
    act: (proxy) => proxy.fail("ECONNRESET"),
    code: "ECONNRESET",
  },
  {
    name: "ends in the middle",
    words: 2,
    act: (proxy) => proxy.end(),
    code: "ECONNRESET",
  },
  {
    name: "does not speak SOCKS5",
    words: 0,
    act: (proxy) => proxy.bring(utf8("HTTP/1.1 400\r\n")),
    code: "proxy-answer",
  },
  {
    name: "does not take the password",
    words: 3,
    act: (proxy) => proxy.bring(Uint8Array.of(1, 1)),
    code: "proxy-auth",
  },
  {
    name: "cannot reach the next one",
    words: 1,
    act: (proxy) => proxy.bring(Uint8Array.of(5, 5, 0, 1, 0, 0, 0, 0, 0, 0)),
    code: "ECONNREFUSED",
  },
];
for (const { name, words, act, code } of PROXY_FAILURES) {
  Deno.test(`Dialer fails when a proxy ${name}`, async () => {
    using fixture = new ChainFixture();
    const { app, proxy } = await fixture.ask("hello");
    for (const { theirs } of TALK.slice(0, words)) {
      proxy.bring(theirs);
      await fixture.settle();
    }
    assert(!app.closed);
    act(proxy);
    await fixture.settle();
    assert(proxy.closed);
    assertEquals([app.closed, app.wasReset], [true, false]);
    assert(app.sent[3] !== 0 && app.sent.length === 12);
    assertEquals(fixture.ended.map(({ status }) => status), ["server_failed"]);
    assertEquals(fixture.way.told.at(-1), `server_failed ${code}`);
    assertEquals([fixture.way.streams, fixture.poller.watched], [0, 1]);
    assertEquals(fixture.logs.with("Unexpected"), []);
  });
}

Deno.test("Dialer fails when a proxy does not answer within CONNECT_TIMEOUT", async () => {
  using fixture = new ChainFixture();
  const { app, proxy } = await fixture.ask();
  proxy.bring(TALK[0]!.theirs);
  await fixture.settle();
  await fixture.advance((CONNECT_TIMEOUT - 1) / 1000);
  assert(!app.closed);
  await fixture.advance(0.001);
  assertEquals([proxy.closed, app.closed], [true, true]);
  assertEquals(fixture.way.told.at(-1), "server_failed ETIMEDOUT");
});

Deno.test("Dialer fails once when a proxy resets while a word waits for room", async () => {
  using fixture = new ChainFixture();
  fixture.poller.onConnect = (stream) => stream.room = 1;
  const { app, proxy } = await fixture.ask();
  proxy.room = 0;
  proxy.fail("ECONNRESET");
  await fixture.settle();
  assertEquals(fixture.logs.with("Unexpected"), []);
  assertEquals(fixture.way.told.at(-1), "server_failed ECONNRESET");
  assertEquals(fixture.ended.map(({ status }) => status), ["server_failed"]);
  assert(app.closed);
});

Deno.test("Dialer gives the proxies of a member MEMBER_TIMEOUT to answer", async () => {
  using fixture = new ChainFixture();
  const edition = new ClassicEdition(fixture.suite, false);
  const route = new TestGroup([fixture.way, server(edition, SERVER_HOSTS[1]!)]);
  fixture.router.decide = () => ({ route, rule: "" });
  await fixture.ask("hello");
  await fixture.advance((MEMBER_TIMEOUT - 1) / 1000);
  assertEquals(fixture.poller.connects.length, 1);
  await fixture.advance(0.001);
  assertEquals(fixture.poller.connects[1]!.remoteAddress.host, SERVER_HOSTS[1]);
  assertEquals(fixture.way.told.at(-1), "server_failed ETIMEDOUT");
});

/** Has a direct way lead through one proxy that is spoken with like that. */
function speak(fixture: ChainFixture, handshake: OutboundHandshake): void {
  const target = FIRST_PROXY;
  const way = new ToldOutbound(
    new ProxyOutbound(new DirectOutbound(), [
      { target, handshake: () => handshake },
    ]),
  );
  fixture.router.decide = () => ({ route: way, rule: "" });
}

Deno.test("Dialer sends a word behind the one that waits for room", async () => {
  using fixture = new ChainFixture();
  let lines = 0;
  speak(fixture, {
    start: () => utf8("first"),
    receive: () =>
      ++lines === 3
        ? { kind: "ready", consumed: 1 }
        : { kind: "more", consumed: 1, send: utf8(` word ${lines}`) },
  });
  fixture.poller.onConnect = (stream) => stream.room = 2;
  const { app, proxy } = await fixture.ask();
  proxy.bring(utf8("12"));
  await fixture.settle();
  proxy.room = Infinity;
  await fixture.settle();
  assertEquals(text(proxy.sent), "first word 1 word 2");
  proxy.bring(utf8("3"));
  await fixture.settle();
  assertEquals(app.sent, concat(GREETING_REPLY, CONNECTED));
});

for (
  const [what, kind, answer, code] of [
    ["has no end", "more", new Uint8Array(20_000), "proxy-too-long"],
    ["comes before we have asked", "ready", utf8("!"), "proxy-answer"],
  ] as const
) {
  Deno.test(`Dialer fails when the answer of a proxy ${what}`, async () => {
    using fixture = new ChainFixture();
    speak(fixture, {
      start: () => utf8("first"),
      receive: () => ({ kind, consumed: 0 }),
    });
    fixture.poller.onConnect = (stream) => stream.room = 2;
    const { app, proxy } = await fixture.ask();
    if (kind === "more") proxy.room = Infinity;
    await fixture.settle();
    proxy.bring(answer);
    await fixture.settle();
    assert(proxy.closed && app.closed);
    assertEquals(fixture.ended.map(({ status }) => status), ["server_failed"]);
    const [line] = fixture.logs.of("warning");
    assert(line!.endsWith(`: ${code}`), line);
  });
}

Deno.test("Dialer tries the next member of a group when a proxy fails", async () => {
  using fixture = new ChainFixture();
  const edition = new ClassicEdition(fixture.suite, false);
  const route = new TestGroup([fixture.way, server(edition, SERVER_HOSTS[1]!)]);
  fixture.router.decide = () => ({ route, rule: "" });
  const { app, proxy } = await fixture.ask("hello");
  proxy.bring(Uint8Array.of(5, 0, 9, 9));
  await fixture.settle();
  const [, remote] = fixture.poller.connects;
  assertEquals(remote!.remoteAddress.host, SERVER_HOSTS[1]);
  remote!.establish();
  await fixture.settle();
  assertEquals(app.sent, concat(GREETING_REPLY, CONNECTED));
  assertEquals(opened(fixture, remote!.sent), "hello", "nothing of the proxy");
  using peer = new CipherPeer(fixture.suite);
  remote!.bring(peer.seal(utf8("welcome")));
  await fixture.settle();
  assert(text(app.sent).endsWith("welcome"));
});

for (
  const [reply, status, answer] of [
    [5, "dial_failed", 5],
    [4, "dial_failed", 4],
    [1, "server_failed", 1],
  ] as const
) {
  Deno.test(`Dialer ends ${status} when the last proxy answers ${reply} for a target that is reached directly from there`, async () => {
    using fixture = new ChainFixture(() => new DirectOutbound());
    const { app, proxy } = await fixture.ask();
    for (const { theirs } of TALK.slice(0, 4)) {
      proxy.bring(theirs);
      await fixture.settle();
    }
    assert(text(proxy.sent).endsWith(text(header(TARGET))));
    proxy.bring(Uint8Array.of(5, reply, 0, 1, 0, 0, 0, 0, 0, 0));
    await fixture.settle();
    assertEquals(fixture.ended.map((session) => session.status), [status]);
    assertEquals(app.sent[3], answer);
  });
}

Deno.test("Dialer sends nothing with the SYN to a proxy", async () => {
  using fixture = new ChainFixture(undefined, true);
  fixture.poller.fastOpenRoom = Infinity;
  const { app, proxy } = await fixture.ask("hello");
  assertEquals(proxy.fastOpenData, undefined);
  assertEquals(app.sent, GREETING_REPLY);
});

Deno.test("Dialer leaves the proxy when the client resets meanwhile", async () => {
  using fixture = new ChainFixture();
  const { app, proxy } = await fixture.ask();
  app.fail("ECONNRESET");
  await fixture.settle();
  assert(proxy.closed);
  await fixture.advance(CONNECT_TIMEOUT / 1000 + 1);
  assertEquals(fixture.ended.map(({ status }) => status), ["client_reset"]);
  assertEquals(fixture.way.told.length, 1);
  assertEquals([fixture.way.streams, fixture.poller.watched], [0, 1]);
});
