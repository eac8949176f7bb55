/**
 * Tests of the HTTP proxy's keep-alive, bodies and upgrades.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { HttpInbound } from "./http.ts";
import { FakeHandler, newSession } from "./_http_fixture.ts";
import { bytesOf } from "../tests/support/bytes.ts";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

function get(host: string, path = "/", fields = ""): string {
  return `GET http://${host}${path} HTTP/1.1\r\nHost: ${host}\r\n${fields}\r\n`;
}

function got(host: string, path = "/", fields = ""): string {
  return `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${fields}\r\n`;
}

Deno.test("HttpStream.receive() opens a tunnel for CONNECT", () => {
  const handler = new FakeHandler();
  handler.client("CONNECT [::1]:443 HTTP/1.1\r\n\r\nhello");
  assertEquals(handler.stream.codec, undefined);
  assertEquals(
    handler.takeSent(),
    "HTTP/1.1 200 Connection established\r\n\r\n",
  );
  handler.client("GET / HTTP/1.1\r\n\r\n");
  assertEquals(handler.origins, [
    { target: "[::1]:443", user: "", received: "helloGET / HTTP/1.1\r\n\r\n" },
  ]);
  assertEquals(handler.stream.finished, false);
});

Deno.test("HttpCodec.decode() keeps the connection for the same target", () => {
  const handler = new FakeHandler();
  for (const path of ["/1", "/2", "/3"]) {
    handler.client(get("a", path));
    handler.answer(OK);
    assertEquals(handler.takeSent(), OK);
  }
  assertEquals(handler.origins.length, 1);
  assertEquals(
    handler.origin?.received,
    got("a", "/1") + got("a", "/2") + got("a", "/3"),
  );
});

Deno.test("HttpStream.finished begins a new session for another host, port or CONNECT", () => {
  const handler = new FakeHandler();
  for (const host of ["a", "b", "b:81", "a", "[::1]"]) {
    handler.client(get(host));
    handler.answer(OK);
    assertEquals(handler.takeSent(), OK);
  }
  handler.client("CONNECT a:80 HTTP/1.1\r\n\r\n");
  assertEquals(
    handler.origins.map((origin) => origin.target),
    ["a:80", "b:80", "b:81", "a:80", "[::1]:80", "a:80"],
  );
  assertEquals(handler.origins[2]?.received, got("b:81"));
});

Deno.test("HttpCodec.decode() pauses requests that were sent ahead", () => {
  const handler = new FakeHandler();
  handler.client(get("a", "/1") + get("a", "/2") + get("b", "/3"));
  const codec = handler.stream.codec!;
  assertEquals([codec.awaitsAnswer, codec.consumed], [true, 0]);
  assertEquals(handler.origin?.received, got("a", "/1"));
  handler.answer(OK.slice(0, -1));
  assertEquals(codec.awaitsAnswer, true);
  handler.answer(OK.slice(-1));
  assertEquals(handler.origin?.received, got("a", "/1") + got("a", "/2"));
  handler.answer(OK);
  assertEquals(handler.origin, {
    target: "b:80",
    user: "",
    received: got("b", "/3"),
  });
  handler.answer(OK);
  assertEquals(handler.sent, OK + OK + OK);
  assertEquals([codec.awaitsAnswer, handler.stream.finished], [false, false]);
});

Deno.test("HttpCodec.decode() does not await an answer while nothing was sent ahead", () => {
  const handler = new FakeHandler();
  handler.client(get("a"));
  assertEquals(handler.stream.codec?.awaitsAnswer, false);
});

Deno.test("HttpStream.finished is true once an origin that closes has answered", () => {
  const close = "HTTP/1.1 200 OK\r\nConnection: close\r\n" +
    "Content-Length: 2\r\n\r\nok";
  const handler = new FakeHandler();
  handler.client(get("a", "/1"));
  handler.answer(close);
  assertEquals(handler.takeSent(), OK);
  assertEquals(handler.origin, undefined);
  handler.client(get("a", "/2"));
  assertEquals(handler.origin?.received, got("a", "/2"));
  assertEquals(handler.origins.length, 2);
});

Deno.test("HttpStream.finished is true until the next session has begun, and nothing is taken", () => {
  const inbound = new HttpInbound();
  const stream = inbound.accept(newSession());
  const output = new Uint8Array(16_384);
  const head = bytesOf(get("a"));
  const answer = bytesOf("HTTP/1.0 204 No Content\r\n\r\n");
  assertEquals(stream.receive(head, output).kind, "request");
  const codec = stream.codec!;
  assertEquals(stream.finished, false);
  codec.encode(answer, output, answer.length);
  assertEquals(stream.finished, true);
  assertEquals(codec.decode(head, output, head.length), 0);
  assertEquals([codec.consumed, stream.finished], [0, true]);
  inbound.next(stream, newSession());
  assertEquals(stream.finished, false);
  assertEquals(stream.receive(head, output).kind, "request");
  assertEquals(stream.finished, false);
});

Deno.test("HttpCodec.decode() leaves a head that the buffer has no room for to the next session", () => {
  const handler = new FakeHandler();
  const fields = `X: ${"y".repeat(60_000)}\r\n`;
  handler.client(get("a"));
  handler.answer(OK);
  const codec = handler.stream.codec!;
  const head = bytesOf(get("a", "/", fields));
  const half = head.length - 1;
  assertEquals(codec.decode(head, new Uint8Array(half), half), 0);
  assertEquals([codec.consumed, handler.stream.finished], [half, false]);
  assertEquals(codec.decode(head.slice(half), new Uint8Array(1024), 1), 0);
  assertEquals([codec.consumed, handler.stream.finished], [0, true]);
  handler.client("\n");
  assertEquals(handler.origin?.received, got("a", "/", fields));
});

Deno.test("HttpStream.onTargetEnd() keeps the client of an idle connection", () => {
  const handler = new FakeHandler();
  const whole = get("a", "/2");
  handler.client(get("a", "/1"));
  handler.answer(OK);
  handler.client(whole.slice(0, 9));
  handler.answerEnd();
  assertEquals([handler.ending, handler.origin], ["", undefined]);
  handler.client(whole.slice(9));
  assertEquals(handler.origin?.received, got("a", "/2"));
});

Deno.test("HttpStream.onTargetEnd() answers 502 if there is no answer at all", () => {
  const handler = new FakeHandler();
  handler.client(get("a"));
  handler.answerEnd();
  assert(handler.sent.startsWith("HTTP/1.1 502 Bad Gateway\r\n"));
  assertEquals([handler.ending, handler.status], ["close", "target_reset"]);
});

Deno.test("HttpStream.onTargetEnd() lets the client try again on a connection used before", () => {
  const handler = new FakeHandler();
  handler.client(get("a"));
  handler.answer(OK);
  handler.client(get("a"));
  handler.answerEnd();
  assertEquals([handler.sent, handler.ending], [OK, "reset"]);
});

Deno.test("HttpCodec.endsCleanly() is false inside an answer", () => {
  const cases: [string, boolean][] = [
    ["", false],
    ["HTTP/1.1 200", false],
    ["HTTP/1.1 100 Continue\r\n\r\n", false],
    ["HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no", false],
    [OK, true],
    ["HTTP/1.1 200 OK\r\n\r\n", true],
    ["HTTP/1.1 200 OK\r\n\r\nabc", true],
    ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n", false],
    ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", false],
    ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", true],
  ];
  for (const [text, expected] of cases) {
    const handler = new FakeHandler();
    handler.client(get("a"));
    handler.answer(text);
    assertEquals(handler.stream.codec?.endsCleanly?.(), expected, text);
    if (!expected) {
      handler.answerEnd();
      const isCut = text.includes("200 OK");
      assertEquals(handler.ending, isCut ? "reset" : "close", text);
    }
  }
});

Deno.test("HttpCodec.encode() passes an answer until close on and says so", () => {
  const handler = new FakeHandler();
  handler.client(get("a") + get("a"));
  handler.answer("HTTP/1.0 200 OK\r\n\r\nabc");
  handler.answer("def");
  handler.answerEnd();
  assertEquals(
    handler.sent,
    "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabcdef",
  );
  assertEquals([handler.ending, handler.origins.length], ["close", 1]);
});

Deno.test("HttpCodec passes chunked bodies on in both directions", () => {
  const body = "4;x=y\r\nwiki\r\n5\r\npedia\r\n0\r\nA: b\r\n\r\n";
  const field = "Transfer-Encoding: chunked\r\n";
  const handler = new FakeHandler();
  handler.client(
    `POST http://a/ HTTP/1.1\r\nHost: a\r\n${field}\r\n${body}${get("a")}`,
  );
  handler.answer(`HTTP/1.1 200 OK\r\n${field}\r\n${body}`);
  handler.answer(OK);
  assertEquals(
    handler.origin?.received,
    `POST / HTTP/1.1\r\nHost: a\r\n${field}\r\n${body}${got("a")}`,
  );
  assertEquals(handler.sent, `HTTP/1.1 200 OK\r\n${field}\r\n${body}${OK}`);
});

Deno.test("HttpCodec serves HTTP/1.0 without chunks, interim answers and keep-alive", () => {
  const handler = new FakeHandler();
  handler.client("GET http://a/ HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  assertEquals(
    handler.origin?.received,
    "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
  );
  handler.client("what nobody may send now");
  handler.answer(
    "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n" +
      "Transfer-Encoding: chunked\r\n\r\n4;x=y\r\nwiki\r\n5\r\npedia\r\n" +
      "0\r\nA: b\r\n\r\n",
  );
  handler.answerEnd();
  assertEquals(
    handler.sent,
    "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nwikipedia",
  );
  assertEquals([handler.ending, handler.waiting], ["close", ""]);
});

Deno.test("HttpCodec passes 100 and 103 on before the answer", () => {
  const interim = "HTTP/1.1 100 Continue\r\n\r\n" +
    "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n";
  const handler = new FakeHandler();
  const head = "Host: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n";
  handler.client(`POST http://a/ HTTP/1.1\r\n${head}`);
  handler.answer(interim);
  assertEquals(handler.takeSent(), interim);
  handler.client("abc");
  handler.answer(OK);
  assertEquals(handler.origin?.received, `POST / HTTP/1.1\r\n${head}abc`);
  assertEquals(handler.takeSent(), OK);
});

Deno.test("HttpCodec knows answers without a body", () => {
  const cases = [
    ["HEAD", "200 OK\r\nContent-Length: 5\r\n"],
    ["HEAD", "200 OK\r\nTransfer-Encoding: chunked\r\n"],
    ["GET", "204 No Content\r\n"],
    ["GET", "304 Not Modified\r\nETag: x\r\n"],
    ["GET", "200 OK\r\nContent-Length: 0\r\n"],
  ];
  const handler = new FakeHandler();
  for (const [method, text] of cases) {
    handler.client(`${method} http://a/ HTTP/1.1\r\nHost: a\r\n\r\n`);
    handler.answer(`HTTP/1.1 ${text}\r\n`);
    assertEquals(handler.takeSent(), `HTTP/1.1 ${text}\r\n`);
  }
  assertEquals(handler.origins.length, 1);
});

Deno.test("HttpCodec passes all bytes after an upgrade", () => {
  const handler = new FakeHandler();
  const fields = "Upgrade: websocket\r\nConnection: Upgrade\r\n";
  handler.client(get("a", "/ws", fields) + "early");
  assertEquals(handler.origin?.received, got("a", "/ws", fields));
  const switched = `HTTP/1.1 101 Switching Protocols\r\n${fields}\r\n`;
  handler.answer(`${switched}\x81\x02hi`);
  handler.client("GET http://b/ HTTP/1.1\r\n\r\n");
  handler.answer("\x88\0");
  assertEquals(handler.sent, `${switched}\x81\x02hi\x88\0`);
  assertEquals(
    handler.origin?.received,
    `${got("a", "/ws", fields)}earlyGET http://b/ HTTP/1.1\r\n\r\n`,
  );
  const codec = handler.stream.codec!;
  assertEquals([codec.atBoundary(0), codec.endsCleanly?.()], [true, true]);
});

Deno.test("HttpCodec goes on after an upgrade that was not taken", () => {
  const handler = new FakeHandler();
  const fields = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
  handler.client(get("a", "/", fields) + get("a"));
  handler.answer(OK);
  handler.answer(OK);
  assertEquals(handler.sent, OK + OK);
});

Deno.test("HttpCodec drops what nobody has asked for, and the connection it came by", () => {
  const handler = new FakeHandler();
  handler.client(get("a", "/1"));
  handler.answer(OK + OK);
  assertEquals(handler.sent, OK);
  handler.client(get("a", "/2"));
  assertEquals(handler.origins.length, 2);
  handler.answer(OK);
  handler.answer("HTTP/1.1 408 Request Timeout\r\n\r\n");
  assertEquals([handler.sent, handler.origin], [OK + OK, undefined]);
});

Deno.test("HttpCodec.encode() fails for what is no answer, and 502 is said", () => {
  const cases = [
    "SSH-2.0-x\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n\r\n",
    `HTTP/1.1 200 OK\r\nX: ${"a".repeat(65_536)}`,
  ];
  for (const text of cases) {
    const handler = new FakeHandler();
    handler.client(get("a"));
    handler.answer(text);
    assert(handler.sent.startsWith("HTTP/1.1 502 "), handler.sent);
    assertEquals([handler.ending, handler.status], ["close", "target_reset"]);
  }
});

Deno.test("HttpCodec.encode() resets after a wrong chunk", () => {
  const handler = new FakeHandler();
  handler.client(get("a"));
  const head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  handler.answer(`${head}1\r\na\r\nx`);
  assertEquals(handler.sent, `${head}1\r\na\r\n`);
  assertEquals([handler.ending, handler.status], ["reset", "target_reset"]);
});

Deno.test("HttpCodec.decode() fails for a wrong chunk, and 400 is said", () => {
  const handler = new FakeHandler();
  const fields = "Host: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  handler.client(`POST http://a/ HTTP/1.1\r\n${fields}1\r\nab`);
  assertEquals(
    handler.origin?.received,
    `POST / HTTP/1.1\r\n${fields}1\r\na`,
  );
  assert(handler.sent.startsWith("HTTP/1.1 400 "));
  assertEquals([handler.ending, handler.status], ["close", "error"]);
});

Deno.test("HttpCodec.decode() resets after a wrong chunk if the answer has begun", () => {
  const handler = new FakeHandler();
  handler.client(
    "POST http://a/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
  );
  handler.answer(OK.slice(0, -1));
  handler.client("x");
  assertEquals([handler.ending, handler.status], ["reset", "error"]);
  assertEquals(handler.sent, OK.slice(0, -1));
});

Deno.test("HttpCodec closes when an origin closes before the whole request", () => {
  const handler = new FakeHandler();
  handler.client(
    "POST http://a/ HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc",
  );
  handler.answer(
    "HTTP/1.1 413 x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
  );
  assertEquals(
    handler.sent,
    "HTTP/1.1 413 x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
  );
  handler.answerEnd();
  assertEquals([handler.ending, handler.origins.length], ["close", 1]);
});

Deno.test("HttpCodec keeps a body together when its answer comes early", () => {
  const handler = new FakeHandler();
  const post = "Host: a\r\nContent-Length: 6\r\n\r\n";
  handler.client(`POST http://a/ HTTP/1.1\r\n${post}abc`);
  handler.answer(OK);
  handler.client(`def${get("a")}`);
  handler.answer(OK);
  assertEquals(
    handler.origin?.received,
    `POST / HTTP/1.1\r\n${post}abcdef${got("a")}`,
  );
  assertEquals([handler.sent, handler.origins.length], [OK + OK, 1]);
});

Deno.test("HttpCodec.atBoundary() is true between requests only", () => {
  const handler = new FakeHandler();
  const text =
    "POST http://a/ HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n";
  handler.client(`${text}x`);
  const codec = handler.stream.codec!;
  assertEquals(codec.atBoundary(0), false);
  handler.client("y");
  assertEquals([codec.atBoundary(0), codec.atBoundary(1)], [true, false]);
  handler.answer(OK);
  handler.client("\r\n");
  assertEquals(codec.atBoundary(0), true);
  handler.client("G");
  assertEquals(codec.atBoundary(0), false);
});

Deno.test("HttpCodec keeps long heads within buffers of the contract's length", () => {
  const fields = `X: ${"y".repeat(60_000)}\r\n`;
  const whole = get("a", "/", fields);
  const answer = `HTTP/1.1 200 OK\r\n${fields}Content-Length: 2\r\n\r\nok`;
  for (const isTight of [false, true]) {
    const handler = new FakeHandler({ isTight });
    for (let i = 0; i < 3; i++) {
      handler.client(whole.slice(0, -1));
      handler.client(whole.slice(-1));
      assertEquals(
        handler.origin?.received.endsWith(got("a", "/", fields)),
        true,
      );
      handler.answer(answer.slice(0, -4));
      handler.answer(answer.slice(-4));
      assertEquals(handler.takeSent(), answer);
    }
    assertEquals(handler.origins.length, 1);
  }
});
