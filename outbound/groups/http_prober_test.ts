/**
 * Tests of probes by HTTP, on the fake network, through the real ciphers.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { DnsError, type Resolver } from "../../dns/mod.ts";
import { FakeNet, type FakeStream } from "../../loop/fakes.ts";
import { parseIp, SocketAddress } from "../../loop/mod.ts";
import {
  type HandshakeAnswer,
  type Outbound,
  type OutboundHandshake,
  type OutboundStream,
  type Session,
  Target,
} from "../../relay/mod.ts";
import { testEdition } from "../../shadowsocks/fakes.ts";
import type { Edition } from "../../shadowsocks/mod.ts";
import { HttpProber } from "./http_prober.ts";
import type { ProbeResult } from "./prober.ts";
import { concat, utf8 } from "../../tests/support/bytes.ts";

const URL_OK = "http://page.example:8080/a/b?c=d";
const NO_CONTENT = "HTTP/1.1 204 No Content\r\n\r\n";

function edition(password: string): Promise<Edition> {
  return testEdition({ password });
}

/** How a test's way differs from a server at 192.0.2.1. */
interface WayOptions {
  readonly edition?: Edition;
  readonly destination?: Target | undefined;
  readonly handshake?: OutboundHandshake;
  readonly throws?: boolean;
}

/** A prober on fakes. */
class ProberFixture implements Disposable {
  readonly net: FakeNet = new FakeNet();
  readonly prober: HttpProber;
  readonly results: ProbeResult[] = [];
  /** The sessions that the ways were opened for. */
  readonly sessions: Session[] = [];
  /** Ways opened and not disposed of. */
  open = 0;

  constructor() {
    const resolver: Resolver = {
      resolve(hostname, done): void {
        const error = hostname === "no.example"
          ? new DnsError("not-found", "no")
          : undefined;
        const addresses = error === undefined ? [parseIp("192.0.2.9")!] : [];
        done({ hostname, addresses, error });
      },
      removeCallback(): void {},
      close(): void {},
      [Symbol.dispose](): void {},
    };
    this.prober = new HttpProber({ loop: this.net.loop, resolver });
  }

  /** A way. */
  way(options: WayOptions = {}): Outbound {
    const opened = (target: Target, session: Session): OutboundStream => {
      if (options.throws) throw new RangeError("a bug");
      this.sessions.push(session);
      this.open++;
      const codec = options.edition?.newClientStream({
        domain: target.domain,
        port: target.port,
      });
      return {
        destination: "destination" in options
          ? options.destination
          : Target.of("192.0.2.1", 8388),
        isDirect: false,
        fastOpen: true,
        handshake: options.handshake,
        codec,
        [Symbol.dispose]: (): void => {
          this.open--;
          codec?.[Symbol.dispose]();
        },
      };
    };
    const way: Outbound = {
      name: "w",
      pick: () => way,
      open: opened,
      openPackets: () => ({ refused: "server_failed", reason: "fake" }),
    };
    return way;
  }

  /** Sends a probe. */
  probe(way: Outbound, url: string = URL_OK, timeout?: number): () => void {
    return this.prober.probe(
      way,
      { url, timeout },
      (result) => void this.results.push(result),
    );
  }

  /** What was connected to, the last first. */
  get socket(): FakeStream {
    return this.net.poller.connects.at(-1)!;
  }

  /** Whether nothing is left of the probes. */
  get isClean(): boolean {
    const { poller, loop } = this.net;
    return this.open === 0 && poller.open.length === 0 &&
      poller.watched === 0 && loop.size === 0 &&
      this.sessions.every(({ status }) => status !== undefined);
  }

  [Symbol.dispose](): void {
    assert(this.isClean, "something is left open");
  }
}

/** Text as bytes. */

/** What a client asked a server for, and an answer that it can read. */
function serve(
  { sent }: FakeStream,
  server: Edition,
  answer: string,
): { readonly asked: string; readonly answer: Uint8Array } {
  using stream = server.newServerStream();
  const output = new Uint8Array(16_384);
  const request = stream.receive(sent, output);
  if (request.kind !== "request") throw new Error(request.kind);
  const asked = new TextDecoder().decode(request.payload);
  const bytes = utf8(answer);
  const count = stream.encode(bytes, output, bytes.length);
  return { asked, answer: output.slice(0, count) };
}

Deno.test("HttpProber.probe() measures until the status line when the server has our key", async () => {
  using server = await edition("right");
  using client = await edition("right");
  using fixture = new ProberFixture();
  fixture.probe(fixture.way({ edition: client }));
  assertEquals(fixture.socket.remoteAddress.toString(), "192.0.2.1:8388");
  assertEquals(fixture.socket.fastOpenData, undefined);
  await fixture.net.advance(40);
  fixture.socket.establish();
  await fixture.net.settle();
  const { asked, answer } = serve(fixture.socket, server, NO_CONTENT);
  assertEquals(
    asked,
    "GET /a/b?c=d HTTP/1.1\r\nHost: page.example:8080\r\n" +
      "Connection: close\r\n\r\n",
  );
  await fixture.net.advance(60);
  const first = fixture.socket;
  const cancel = fixture.probe(fixture.way({ edition: client }));
  fixture.socket.establish();
  // Byte by byte: neither a frame nor a line comes whole, and the bytes of
  // another probe come between.
  for (let i = 0; i < answer.length; i++) {
    assertEquals(fixture.results, []);
    first.bring(answer.subarray(i, i + 1));
    await fixture.net.settle();
    // Fewer than a salt and a length, which would be found wrong.
    if (i < 30) fixture.socket.bring(Uint8Array.of(i));
    await fixture.net.settle();
  }
  assertEquals(fixture.results, [{ ok: true, milliseconds: 100 }]);
  cancel();
  const [session] = fixture.sessions;
  assertEquals(session?.listener, { protocol: "probe", port: 0 });
  assertEquals(`${session?.target}`, "page.example:8080");
  assertEquals(session?.status, "ok");
});

Deno.test("HttpProber.probe() fails when the password is wrong", async () => {
  using server = await edition("right");
  using client = await edition("wrong");
  using fixture = new ProberFixture();
  // A server that says nothing, as ours does.
  fixture.probe(fixture.way({ edition: client }));
  fixture.socket.establish();
  await fixture.net.settle();
  await fixture.net.advance(4999);
  assertEquals(fixture.results, []);
  await fixture.net.advance(1);
  // One that closes.
  fixture.probe(fixture.way({ edition: client }));
  fixture.socket.establish();
  fixture.socket.end();
  await fixture.net.settle();
  // One that answers with bytes of another key.
  fixture.probe(fixture.way({ edition: client }));
  fixture.socket.establish();
  await fixture.net.settle();
  using stream = server.newServerStream();
  const noise = new Uint8Array(200);
  stream.encode(new Uint8Array(100), noise, 100);
  fixture.socket.bring(noise);
  await fixture.net.settle();
  assertEquals(fixture.results, [
    { ok: false, code: "timeout", reached: true },
    { ok: false, code: "closed", reached: true },
    { ok: false, code: "not-authentic", reached: true },
  ]);
});

Deno.test("HttpProber.probe() says that the server was not reached when it was not", async () => {
  using fixture = new ProberFixture();
  fixture.probe(fixture.way());
  fixture.socket.fail("ECONNREFUSED");
  await fixture.net.settle();
  fixture.net.poller.connectErrors.push("ENETUNREACH");
  fixture.probe(fixture.way());
  fixture.probe(fixture.way({ destination: Target.of("no.example", 1) }));
  fixture.probe(fixture.way(), URL_OK, 70);
  await fixture.net.advance(70);
  fixture.probe(fixture.way({ destination: undefined }));
  fixture.probe(fixture.way({ throws: true }));
  assertEquals(fixture.results, [
    { ok: false, code: "ECONNREFUSED", reached: false },
    { ok: false, code: "ENETUNREACH", reached: false },
    { ok: false, code: "not-found", reached: false },
    { ok: false, code: "timeout", reached: false },
    { ok: false, code: "blocked", reached: false },
    { ok: false, code: "error", reached: false },
  ]);
  // The session of the way that threw has ended with it.
  assert(fixture.sessions.every(({ status }) => status === "server_failed"));
});

const ANSWERS: readonly {
  readonly answer: string;
  readonly result: string;
}[] = [
  { answer: "HTTP/1.1 200 OK\r\n", result: "ok" },
  { answer: "HTTP/1.0 200\r\n", result: "ok" },
  { answer: "HTTP/1.1 204 \n", result: "ok" },
  { answer: "HTTP/1.1 302 Found\r\nLocation: /\r\n", result: "ok" },
  { answer: "HTTP/1.1 404 Not Found\r\n", result: "status 404" },
  { answer: "HTTP/1.1 502 Bad Gateway\r\n", result: "status 502" },
  { answer: "HTTP/1.1 100 Continue\r\n", result: "status 100" },
  { answer: "SSH-2.0-OpenSSH\r\n", result: "bad-answer" },
  { answer: "HTTP/1.1 999 No\r\n", result: "bad-answer" },
  { answer: "\n", result: "bad-answer" },
  { answer: "HTTP/1.1 200 " + "a".repeat(100_000), result: "ok" },
  { answer: "x".repeat(100_000), result: "bad-answer" },
];

for (const { answer, result } of ANSWERS) {
  Deno.test(`HttpProber.probe() says "${result}" when the answer is ${JSON.stringify(answer.slice(0, 30))}`, async () => {
    using fixture = new ProberFixture();
    fixture.probe(
      fixture.way({ destination: Target.of("direct.example", 8080) }),
    );
    fixture.socket.establish();
    await fixture.net.settle();
    assertStringIncludes(
      new TextDecoder().decode(fixture.socket.sent),
      "Host: page.example:8080\r\n",
    );
    fixture.socket.bring(utf8(answer));
    await fixture.net.settle();
    const [got] = fixture.results;
    assertEquals(got?.ok === true ? "ok" : got?.code, result);
  });
}

Deno.test("HttpProber.probe() talks with the proxies first when there are some", async () => {
  using server = await edition("right");
  using client = await edition("right");
  using fixture = new ProberFixture();
  let step = 0;
  const handshake: OutboundHandshake = {
    start: () => utf8("hello"),
    receive(data): HandshakeAnswer {
      // Two lines, of which the second is the last.
      const end = data.indexOf(10) + 1;
      if (end === 0) return { kind: "more", consumed: 0 };
      if (++step === 2) return { kind: "ready", consumed: end };
      return { kind: "more", consumed: end, send: utf8("next") };
    },
  };
  fixture.probe(fixture.way({ edition: client, handshake }));
  const { socket } = fixture;
  socket.room = 2;
  socket.establish();
  await fixture.net.settle();
  assertEquals(new TextDecoder().decode(socket.sent), "he");
  socket.room = Infinity;
  await fixture.net.settle();
  assertEquals(new TextDecoder().decode(socket.sent), "hello");
  socket.bring(utf8("go"), utf8(" on\nre"));
  await fixture.net.settle();
  assertEquals(new TextDecoder().decode(socket.sent), "hellonext");
  socket.sends.length = 0;
  // The first half of an answer comes with the last word of the proxies.
  using stream = server.newServerStream();
  const answer = new Uint8Array(1000);
  const count = stream.encode(utf8(NO_CONTENT), answer, NO_CONTENT.length);
  socket.bring(concat(utf8("ady\n"), answer.subarray(0, 50)));
  await fixture.net.settle();
  assertStringIncludes(serve(socket, server, "").asked, "GET /a/b?c=d ");
  socket.bring(answer.subarray(50, count));
  await fixture.net.settle();
  assertEquals(fixture.results, [{ ok: true, milliseconds: 0 }]);
});

Deno.test("HttpProber.probe() fails when a proxy refuses or never ends", async () => {
  using fixture = new ProberFixture();
  const refusing: OutboundHandshake = {
    start: () => utf8("hello"),
    receive: () => ({
      kind: "failed",
      failure: { status: "server_failed", code: "EACCES" },
    }),
  };
  const endless: OutboundHandshake = {
    start: () => utf8("hello"),
    receive: () => ({ kind: "more", consumed: 0 }),
  };
  for (const handshake of [refusing, endless]) {
    fixture.probe(fixture.way({ handshake }));
    fixture.socket.establish();
    fixture.socket.bring(new Uint8Array(1_000_000));
    await fixture.net.settle();
  }
  assertEquals(fixture.results, [
    { ok: false, code: "EACCES", reached: true },
    { ok: false, code: "proxy-too-long", reached: true },
  ]);
});

Deno.test("HttpProber.probe() leaves nothing when it is cancelled at any moment", async () => {
  using server = await edition("right");
  using client = await edition("right");
  using fixture = new ProberFixture();
  for (let step = 0; step < 4; step++) {
    const cancel = fixture.probe(fixture.way({ edition: client }));
    const { socket } = fixture;
    if (step > 0) socket.establish();
    if (step > 1) await fixture.net.settle();
    if (step > 2) {
      socket.bring(serve(socket, server, NO_CONTENT).answer.subarray(0, 40));
      await fixture.net.settle();
    }
    cancel();
    cancel();
    await fixture.net.advance(10_000);
    assertEquals(fixture.net.poller.open, []);
  }
  assertEquals(fixture.results, []);
  assertEquals(fixture.open, 0);
});

for (
  const url of [
    "https://a.example/",
    "a.example",
    "",
    "http://",
    "ftp://a/",
    "\u0000",
  ]
) {
  Deno.test(`HttpProber.probe() refuses the URL ${JSON.stringify(url)}`, () => {
    using fixture = new ProberFixture();
    fixture.probe(fixture.way(), url);
    assertEquals(fixture.results, [{ ok: false, code: "bad-url" }]);
  });
}

Deno.test("HttpProber.probe() asks for an address when the URL has one", async () => {
  using fixture = new ProberFixture();
  const cancel = fixture.probe(fixture.way(), "http://[2001:db8::1]");
  fixture.socket.establish();
  await fixture.net.settle();
  assertEquals(
    fixture.sessions[0]?.target?.address?.key,
    SocketAddress.parse("2001:db8::1", 80).key,
  );
  assertStringIncludes(
    new TextDecoder().decode(fixture.socket.sent),
    "GET / HTTP/1.1\r\nHost: [2001:db8::1]\r\n",
  );
  cancel();
});
