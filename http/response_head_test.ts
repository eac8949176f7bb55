/**
 * Tests of response heads.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { BODY_CHUNKED, BODY_UNTIL_CLOSE } from "./body.ts";
import { ByteWriter } from "./byte_writer.ts";
import {
  parseResponseHead,
  responseBodyLength,
  type ResponseHead,
  writeResponseHead,
} from "./response_head.ts";
import { bytesOf, stringOf } from "../tests/support/bytes.ts";

function parse(text: string): ResponseHead | undefined {
  const bytes = bytesOf(text);
  return parseResponseHead(bytes, 0, bytes.length);
}

function response(text: string): ResponseHead {
  const head = parse(text);
  if (head === undefined) throw new Error(`not a head: ${text}`);
  return head;
}

function rewrite(
  text: string,
  options: { persists?: boolean; unchunk?: boolean } = {},
): string {
  const { persists = true, unchunk = false } = options;
  const output = new Uint8Array(text.length + 100);
  const writer = new ByteWriter();
  writer.begin(output);
  writeResponseHead(response(text), writer, { persists, unchunk });
  return stringOf(output.subarray(0, writer.end()));
}

Deno.test("responseBodyLength() finds the length by status, request and fields", () => {
  const cases: [string, number, number][] = [
    ["200 OK\r\nContent-Length: 5\r\n", 5, 0],
    ["200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n", 5, 0],
    ["200 OK\r\nContent-Length: 5, 5\r\n", 5, 0],
    ["200 OK\r\nTransfer-Encoding: chunked\r\n", BODY_CHUNKED, 0],
    [
      "200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n",
      BODY_CHUNKED,
      0,
    ],
    ["200 OK\r\nTransfer-Encoding: gzip\r\n", BODY_UNTIL_CLOSE, 0],
    ["200 OK\r\n", BODY_UNTIL_CLOSE, 0],
    ["100 Continue\r\n", 0, 0],
    ["103 Early Hints\r\nContent-Length: 5\r\n", 0, 0],
    ["204 No Content\r\nContent-Length: 5\r\n", 0, 0],
    ["304 Not Modified\r\nContent-Length: 5\r\n", 0, 0],
    ["404\r\nContent-Length: 5\r\n", 5, 0],
  ];
  for (const [text, length, ofHead] of cases) {
    const head = response(`HTTP/1.1 ${text}\r\n`);
    assertEquals(responseBodyLength(head, false), length, text);
    assertEquals(responseBodyLength(head, true), ofHead, text);
  }
});

Deno.test("parseResponseHead() tells whether the origin takes another request", () => {
  const cases: [string, boolean][] = [
    ["HTTP/1.1 200 OK\r\n\r\n", true],
    ["HTTP/1.1 200 OK\r\nConnection: x, Close\r\n\r\n", false],
    ["HTTP/1.0 200 OK\r\n\r\n", false],
    ["HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n", true],
    [
      "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n" +
      "Transfer-Encoding: chunked\r\n\r\n",
      false,
    ],
  ];
  for (const [text, persists] of cases) {
    assertEquals(response(text).persists, persists, text);
  }
});

Deno.test("parseResponseHead() takes no malformed head", () => {
  const cases = [
    "ICY 200 OK\r\n\r\n",
    "HTTP/2 200\r\n\r\n",
    "HTTP/1.1 099 x\r\n\r\n",
    "HTTP/1.1 20 x\r\n\r\n",
    "HTTP/1.1 2000 x\r\n\r\n",
    "HTTP/1.1  200 x\r\n\r\n",
    "HTTP/1.1 200 a\0b\r\n\r\n",
    "HTTP/1.1 200 OK\r\nX\r\n\r\n",
    "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n",
    "HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\n",
    "\r\n\r\n",
    "\n\n",
  ];
  for (const text of cases) assertEquals(parse(text), undefined, text);
});

Deno.test("writeResponseHead() keeps what is for the client", () => {
  const fields = "Date: x\r\nKeep-Alive: 5\r\nConnection: x-a, close\r\n" +
    "X-A: 1\r\nProxy-Authenticate: Basic\r\nUpgrade: h2\r\n";
  assertEquals(
    rewrite(`HTTP/1.0 200 \xe4 OK\r\n${fields}Content-Length: 1, 1\r\n\r\n`),
    "HTTP/1.1 200 \xe4 OK\r\nDate: x\r\nContent-Length: 1\r\n\r\n",
  );
  assertEquals(
    rewrite(`HTTP/1.1 404\r\n${fields}\r\n`, { persists: false }),
    "HTTP/1.1 404\r\nDate: x\r\nConnection: close\r\n\r\n",
  );
});

Deno.test("writeResponseHead() writes framing that cannot be read in two ways", () => {
  const chunked = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTrailer: X\r\n" +
    "Transfer-Encoding: chunked\r\n\r\n";
  assertEquals(
    rewrite(chunked),
    "HTTP/1.1 200 OK\r\nTrailer: X\r\nTransfer-Encoding: chunked\r\n\r\n",
  );
  assertEquals(
    rewrite(chunked, { unchunk: true, persists: false }),
    "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
  );
  assertEquals(
    rewrite("HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n"),
    "HTTP/1.1 204 No\r\n\r\n",
  );
  assertEquals(
    rewrite("HTTP/1.1 200 OK\nA : b\nC:\t d \n\n"),
    "HTTP/1.1 200 OK\r\nA: b\r\nC:\t d\r\n" + "\r\n",
  );
});

Deno.test("writeResponseHead() keeps Upgrade where it is answered or demanded", () => {
  const fields = "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
  const kept = "Upgrade: websocket\r\nConnection: Upgrade\r\n";
  for (const status of ["101 Switching", "426 Upgrade Required"]) {
    assertEquals(
      rewrite(`HTTP/1.1 ${status}\r\n${fields}`),
      `HTTP/1.1 ${status}\r\n${kept}\r\n`,
    );
  }
});
