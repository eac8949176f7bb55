/**
 * Tests of how answers end a connection of the HTTP proxy, and of their limits.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import type { RequestHead } from "../http/mod.ts";
import { HttpCodec } from "./_http_codec.ts";
import { FakeHandler } from "./_http_fixture.ts";
import { bytesOf } from "../tests/support/bytes.ts";
import { RequestReader } from "./_http_reader.ts";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

function get(host: string, path = "/", fields = ""): string {
  return `GET http://${host}${path} HTTP/1.1\r\nHost: ${host}\r\n${fields}\r\n`;
}

Deno.test("HttpStream closes with a whole answer if the connection does not persist", () => {
  const cases: [string, string, string][] = [
    ["HTTP/1.0, origin stays", "GET http://a/ HTTP/1.0\r\n\r\n", OK],
    ["close, origin stays", get("a", "/", "Connection: close\r\n"), OK],
    [
      "close, and the origin says more than it was asked",
      get("a", "/", "Connection: close\r\n"),
      OK + OK,
    ],
    [
      "an origin that says more amid a request",
      "POST http://a/ HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n",
      OK + OK,
    ],
  ];
  for (const [name, request, answer] of cases) {
    const handler = new FakeHandler();
    handler.client(request);
    handler.answer(answer.slice(0, OK.length - 1));
    assertEquals(handler.ending, "", name);
    handler.answer(answer.slice(OK.length - 1));
    assertEquals([handler.ending, handler.status], ["close", "ok"], name);
    assert(handler.sent.endsWith("\r\n\r\nok"), name);
  }
});

Deno.test("HttpStream closes when the origin's end has ended the answer", () => {
  const handler = new FakeHandler();
  handler.client("GET http://a/ HTTP/1.0\r\n\r\n");
  handler.answer("HTTP/1.0 200 OK\r\n\r\nabc");
  assertEquals(handler.ending, "");
  handler.answerEnd();
  assertEquals([handler.ending, handler.status], ["close", "ok"]);
});

Deno.test("HttpCodec.encode() fails for more than 16 interim answers, and 502 is said", () => {
  const interim = "HTTP/1.1 103 Early Hints\r\n\r\n";
  for (const version of ["1.1", "1.0"]) {
    const handler = new FakeHandler();
    for (let i = 0; i < 2; i++) {
      handler.client(
        `GET http://a/ HTTP/${version}\r\nHost: a\r\n` +
          "Connection: keep-alive\r\n\r\n",
      );
      handler.answer(interim.repeat(16));
      assertEquals(handler.ending, "");
      if (version === "1.0") break;
      assertEquals(handler.takeSent(), interim.repeat(16));
      handler.answer(OK);
      assertEquals(handler.takeSent(), OK);
    }
    if (version === "1.1") {
      handler.client(get("a"));
      handler.answer(interim.repeat(16));
    }
    handler.takeSent();
    handler.answer(interim);
    assertEquals([handler.ending, handler.status], ["close", "target_reset"]);
    assert(handler.sent.startsWith("HTTP/1.1 502 "), handler.sent);
  }
});

Deno.test("HttpCodec.encode() has room for answers that grow as much as they can", () => {
  const reader = new RequestReader();
  const codec = new HttpCodec(reader, () => "");
  const fields = "a:\n".repeat(200);
  const interims = `HTTP/1.1 103\n${fields}\n`.repeat(16);
  const bytes = bytesOf(`${interims}HTTP/1.0 200\n${fields}\n`);
  const request = bytesOf(get("a"));
  const head = reader.read(request, 0, request.length);
  assert(head?.kind === "request");
  codec.begin(head as RequestHead, "");
  // What the contract of an encoder grants.
  const room = bytes.length + (bytes.length >> 3) + 8192;
  const output = new Uint8Array(room);
  const made = codec.encode(bytes, output, bytes.length);
  assert(made > bytes.length + 17 * 200);
  assertEquals([codec.headPending, codec.failed], [false, false]);
});
