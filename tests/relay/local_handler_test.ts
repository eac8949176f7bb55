/**
 * The client's side of a connection: SOCKS5 with the application, the first
 * bytes towards the server.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { POLL_IN } from "../../loop/mod.ts";
import { type FakeStream } from "../../loop/fakes.ts";
import {
  CONNECTED,
  GREETING,
  GREETING_REPLY,
  localFlow,
  request,
  TARGET,
} from "./_flow_fixture.ts";
import {
  CipherPeer,
  type FixtureOptions,
  header,
  RelayFixture,
  SALT_LENGTH,
  TAG_LENGTH,
} from "./_relay_fixture.ts";
import {
  FIRST_PAYLOAD_WAIT,
  HANDSHAKE_TIMEOUT,
  STAGE_CONNECTING,
  STAGE_DNS,
  STAGE_INIT,
  STAGE_STREAM,
} from "../../relay/constants.ts";
import { concat, text, utf8 } from "../support/bytes.ts";

const BEFORE = FIRST_PAYLOAD_WAIT / 1000 - 0.001;

Deno.test("LocalHandler goes through its stages in order when the server is a name", async () => {
  using fixture = newFixture({
    settings: { servers: [{ host: "ss.example", port: 8388 }] },
  });
  const app = await fixture.accept();
  const handler = fixture.handlerOf(app);
  const stages: number[] = [];
  const step = async (act: () => void): Promise<void> => {
    act();
    await fixture.settle();
    stages.push(handler.stage);
  };
  await step(() => {});
  await step(() => app.bring(GREETING));
  assertEquals(app.sent, GREETING_REPLY);
  await step(() => app.bring(request(1)));
  assertEquals(fixture.resolver.asked[0]!.hostname, "ss.example");
  await step(() => fixture.resolver.answer("192.0.2.50"));
  const [remote] = fixture.poller.connects;
  assertEquals(`${remote!.remoteAddress}`, "192.0.2.50:8388");
  assertEquals(app.sent, GREETING_REPLY, "no answer before it is connected");
  await step(() => remote!.establish());
  assertEquals(stages, [
    STAGE_INIT,
    // The greeting was answered; the request is still to come.
    STAGE_INIT,
    STAGE_DNS,
    STAGE_CONNECTING,
    STAGE_STREAM,
  ]);
  assertEquals(app.sent, concat(GREETING_REPLY, CONNECTED));
  assertEquals(handler.session.target?.toString(), "192.0.2.7:80");
});

Deno.test("LocalHandler sends salt, header and first payload in one write when payload comes in time", async () => {
  using fixture = newFixture();
  const { app, remote, server } = await localFlow(fixture);
  await fixture.advance(BEFORE);
  assertEquals(remote.sends.length, 0);
  app.bring(utf8("payload"));
  await fixture.settle();
  const plain = concat(header(TARGET), utf8("payload"));
  assertEquals(remote.sends.length, 1);
  assertEquals(server.open(remote.sent), plain);
  assertEquals(remote.sent.length, sealedLength(plain.length));
  await fixture.advance(1);
  assertEquals(remote.sends.length, 1);
});

Deno.test("LocalHandler sends the header alone when no payload came for FIRST_PAYLOAD_WAIT", async () => {
  using fixture = newFixture();
  const { app, remote, server } = await localFlow(fixture);
  await fixture.advance(BEFORE);
  assertEquals(remote.sends.length, 0);
  await fixture.advance(0.001);
  assertEquals(remote.sends.length, 1);
  assertEquals(server.open(remote.sent), header(TARGET));
  app.bring(utf8("later"));
  await fixture.settle();
  assertEquals(
    server.open(remote.sent),
    concat(header(TARGET), utf8("later")),
  );
});

Deno.test("LocalHandler sends header and payload at once when payload stands behind the request", async () => {
  using fixture = newFixture();
  const { remote, server } = await localFlow(fixture, { payload: utf8("GET") });
  assertEquals(remote.sends.length, 1);
  assertEquals(server.open(remote.sent), concat(header(TARGET), utf8("GET")));
});

Deno.test("LocalHandler sends the header before an end when the application sends nothing", async () => {
  using fixture = newFixture();
  const { app, remote, server } = await localFlow(fixture);
  app.end();
  await fixture.settle();
  assertEquals(server.open(remote.sent), header(TARGET));
  assert(server.atBoundary);
  assertEquals(remote.shutdowns, 1);
  await fixture.advance(1);
  assertEquals(remote.sends.length, 1);
});

Deno.test("LocalHandler sends nothing when it was destroyed before the first payload", async () => {
  using fixture = newFixture();
  const { remote, handler } = await localFlow(fixture);
  handler.destroy("ok");
  await fixture.advance(1);
  assertEquals(remote.sends.length, 0);
});

/** The whole conversation of an application, cut in many ways. */
const TALK = concat(GREETING, request(1), utf8("payload"));
for (let cut = 1; cut < TALK.length; cut++) {
  Deno.test(`LocalHandler serves an application that pipelines, cut at byte ${cut}`, async () => {
    using fixture = newFixture();
    await checkTalk(fixture, [TALK.subarray(0, cut), TALK.subarray(cut)]);
  });
}

Deno.test("LocalHandler serves an application that pipelines, byte by byte", async () => {
  using fixture = newFixture();
  await checkTalk(fixture, Array.from(TALK, (byte) => Uint8Array.of(byte)));
});

Deno.test("LocalHandler serves an application that sends all at once", async () => {
  using fixture = newFixture();
  await checkTalk(fixture, [TALK]);
});

Deno.test("LocalHandler sends names on unresolved", async () => {
  using fixture = newFixture();
  const target = { host: "example.com", port: 443 };
  const app = await fixture.accept();
  app.bring(concat(GREETING, request(1, target), utf8("x")));
  await fixture.settle();
  const [remote] = fixture.poller.connects;
  remote!.establish();
  await fixture.settle();
  const server = new CipherPeer(fixture.suite);
  assertEquals(server.open(remote!.sent), concat(header(target), utf8("x")));
  assertEquals(fixture.logs.of("info"), [
    `connecting example.com:443 from ${app.remoteAddress}`,
  ]);
});

/** Bytes of an application, what it is answered, and what is logged. */
const REFUSED: readonly {
  readonly name: string;
  readonly sent: Uint8Array;
  readonly answer: readonly number[];
  readonly log: string;
  readonly options?: FixtureOptions;
}[] = [
  {
    name: "BIND of SOCKS4",
    sent: Uint8Array.of(4, 2, 0, 80, 192, 0, 2, 7, 0),
    answer: [0, 91, 0, 0, 0, 0, 0, 0],
    log: "command 2",
  },
  {
    name: "HTTP",
    sent: utf8("GET / HTTP/1.1\r\n"),
    answer: [],
    log: "version 71",
  },
  { name: "TLS", sent: Uint8Array.of(22, 3, 1, 2, 0), answer: [], log: "TLS" },
  {
    name: "no method",
    sent: Uint8Array.of(5, 0),
    answer: [5, 255],
    log: "method",
  },
  {
    name: "no method without a password",
    sent: Uint8Array.of(5, 2, 1, 2),
    answer: [5, 255],
    log: "method",
  },
  {
    name: "BIND",
    sent: concat(GREETING, request(2)),
    answer: [5, 0, ...refusal(7)],
    log: "command 2",
  },
  {
    name: "an unknown command",
    sent: concat(GREETING, request(9)),
    answer: [5, 0, ...refusal(7)],
    log: "command 9",
  },
  {
    name: "an unknown address type",
    sent: concat(GREETING, Uint8Array.of(5, 1, 0, 2, 1, 2, 3, 4, 0, 80)),
    answer: [5, 0, ...refusal(8)],
    log: "address type 2",
  },
  {
    name: "an empty name",
    sent: concat(GREETING, Uint8Array.of(5, 1, 0, 3, 0, 0, 80)),
    answer: [5, 0, ...refusal(1)],
    log: "empty host name",
  },
  {
    name: "a request of another version",
    sent: concat(GREETING, Uint8Array.of(4, 1, 0, 1, 1, 2, 3, 4, 0, 80)),
    answer: [5, 0, ...refusal(1)],
    log: "version 4",
  },
  {
    name: "CONNECT with mode udp_only",
    sent: concat(GREETING, request(1)),
    answer: [5, 0, ...refusal(2)],
    log: "udp_only",
    options: { settings: { mode: "udp_only" } },
  },
  {
    name: "UDP ASSOCIATE with mode tcp_only",
    sent: concat(GREETING, request(3)),
    answer: [5, 0, ...refusal(7)],
    log: "tcp_only",
    options: { settings: { mode: "tcp_only" } },
  },
];
for (const { name, sent, answer, log, options } of REFUSED) {
  Deno.test(`LocalHandler refuses ${name}`, async () => {
    using fixture = newFixture(options);
    const app = await fixture.accept();
    app.bring(sent);
    await fixture.settle();
    assertEquals(app.sent, Uint8Array.from(answer));
    assertEquals([app.closed, app.wasReset], [true, false]);
    assertEquals(fixture.poller.connects.length, 0);
    assertEquals(fixture.relay.connections, 0);
    const [line, ...others] = fixture.logs.of("warning");
    assert(
      line?.includes(log) && line.includes(`${app.remoteAddress}`),
      line,
    );
    assertEquals([...others, ...fixture.logs.of("error")], []);
  });
}

Deno.test("LocalHandler closes only after the reply when the application is slow", async () => {
  using fixture = newFixture();
  const app = await fixture.accept();
  app.room = 5;
  app.bring(concat(GREETING, request(2)));
  await fixture.settle();
  assertEquals([app.sent.length, app.closed], [5, false]);
  app.bring(utf8("ignored"));
  const { reads } = app;
  await fixture.settle();
  assertEquals(app.reads, reads);
  app.room = Infinity;
  await fixture.settle();
  assertEquals(app.sent, Uint8Array.of(5, 0, ...refusal(7)));
  assertEquals([app.closed, app.wasReset], [true, false]);
  assertEquals(fixture.relay.connections, 0);
});

Deno.test("LocalHandler does not wait longer than HANDSHAKE_TIMEOUT for a refused application", async () => {
  using fixture = newFixture();
  const app = await fixture.accept();
  app.room = 5;
  app.bring(concat(GREETING, request(2)));
  await fixture.settle();
  await fixture.advance(HANDSHAKE_TIMEOUT + 0.001);
  assert(app.closed);
});

/** Why the server cannot be reached, and the reply for it. */
const FAILURES: readonly (readonly [code: string, reply: number])[] = [
  ["ECONNREFUSED", 5],
  ["ENETUNREACH", 3],
  ["EHOSTUNREACH", 4],
  ["ECONNRESET", 1],
];
for (const [code, reply] of FAILURES) {
  Deno.test(`LocalHandler replies ${reply} when the connect ends with ${code}`, async () => {
    using fixture = newFixture();
    const { app, remote } = await localFlow(fixture, { established: false });
    remote.fail(code);
    await fixture.settle();
    assertEquals(app.sent.subarray(2), Uint8Array.from(refusal(reply)));
    assertEquals([app.closed, app.wasReset], [true, false]);
    assert(fixture.logs.of("warning")[0]!.includes(code));
  });
}

Deno.test("LocalHandler replies 1 when there is no descriptor for the server", async () => {
  using fixture = newFixture();
  fixture.poller.connectErrors.push("EMFILE");
  const app = await fixture.accept();
  app.bring(concat(GREETING, request(1)));
  await fixture.settle();
  assertEquals(app.sent.subarray(2), Uint8Array.from(refusal(1)));
  assert(app.closed);
});

Deno.test("LocalHandler replies with a failure when the server's name does not exist", async () => {
  using fixture = newFixture({
    settings: { servers: [{ host: "ss.example", port: 1 }] },
  });
  const app = await fixture.accept();
  app.bring(concat(GREETING, request(1)));
  await fixture.settle();
  fixture.resolver.answer();
  assertEquals(app.sent.length, 12);
  assert(app.sent[3] !== 0);
  assert(app.closed);
});

Deno.test("LocalHandler replies host unreachable when the connect takes too long", async () => {
  using fixture = newFixture();
  const { app } = await localFlow(fixture, { established: false });
  await fixture.advance(10);
  assertEquals(app.sent.subarray(2), Uint8Array.from(refusal(4)));
});

Deno.test("LocalHandler ends an application that asks for nothing within HANDSHAKE_TIMEOUT", async () => {
  using fixture = newFixture();
  const [silent, greeted] = await fixture.acceptMany(2);
  greeted!.bring(GREETING);
  await fixture.settle();
  await fixture.advance(HANDSHAKE_TIMEOUT - 0.001);
  assertEquals([silent!.closed, greeted!.closed], [false, false]);
  await fixture.advance(0.002);
  assertEquals([silent!.closed, greeted!.closed], [true, true]);
});

Deno.test("LocalHandler resets the application when an answer is forged, after what came before", async () => {
  using fixture = newFixture();
  const { app, remote, server } = await localFlow(fixture);
  const good = server.seal(utf8("good"));
  remote.bring(concat(good, new Uint8Array(64)));
  await fixture.settle();
  assertEquals(text(app.sent.subarray(12)), "good");
  assertEquals([app.wasReset, remote.wasReset], [true, true]);
  assertEquals(fixture.logs.of("error").length, 1);
});

for (const cut of [0, 1, SALT_LENGTH - 1, SALT_LENGTH + 1, SALT_LENGTH + 30]) {
  Deno.test(`LocalHandler resets the application when the answer ends after ${cut} bytes`, async () => {
    using fixture = newFixture();
    const { app, remote, server } = await localFlow(fixture);
    remote.bring(server.seal(utf8("an answer")).subarray(0, cut));
    remote.end();
    await fixture.settle();
    assertEquals([app.wasReset, app.shutdowns], [true, 0]);
  });
}

Deno.test("LocalHandler passes an end on when the answer is a salt alone", async () => {
  using fixture = newFixture();
  const { app, remote, server } = await localFlow(fixture);
  remote.bring(server.seal());
  remote.end();
  await fixture.settle();
  assertEquals([app.shutdowns, app.closed], [1, false]);
});

Deno.test("LocalHandler picks every server of several when it may", async () => {
  const hosts = ["192.0.2.1", "192.0.2.2"];
  using fixture = newFixture({
    settings: { servers: hosts.map((host) => ({ host, port: 8388 })) },
  });
  const seen = new Set<string>();
  for (let i = 0; i < 64; i++) {
    const { remote } = await localFlow(fixture, { established: false });
    seen.add(remote.remoteAddress.host);
  }
  assertEquals([...seen].sort(), hosts);
});

function newFixture(options: FixtureOptions = {}): RelayFixture {
  return new RelayFixture({ ...options, isLocal: true });
}

/** A reply of failure. */
function refusal(code: number): number[] {
  return [5, code, 0, 1, 0, 0, 0, 0, 0, 0];
}

/** Salt, one chunk. */
function sealedLength(length: number): number {
  return SALT_LENGTH + 2 + TAG_LENGTH + length + TAG_LENGTH;
}

/** Brings pieces of TALK one after the other; all of it must be served. */
async function checkTalk(
  fixture: RelayFixture,
  pieces: readonly Uint8Array[],
): Promise<void> {
  const app = await fixture.accept();
  let remote: FakeStream | undefined;
  for (const piece of pieces) {
    app.bring(piece);
    await fixture.settle();
    remote ??= fixture.poller.connects[0];
  }
  assertEquals(fixture.poller.maskOf(app), 0, "not read while connecting");
  remote!.establish();
  await fixture.settle();
  await fixture.advance(FIRST_PAYLOAD_WAIT / 1000);
  assertEquals(app.sent, concat(GREETING_REPLY, CONNECTED));
  const server = new CipherPeer(fixture.suite);
  const plain = concat(header(TARGET), utf8("payload"));
  assertEquals(server.open(remote!.sent), plain);
  const [first] = remote!.sends;
  const alone = sealedLength(header(TARGET).length);
  assert(first!.length > alone, "payload in the first write");
  assertEquals(fixture.poller.maskOf(app), POLL_IN);
}
