/**
 * Tests of request heads.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { BODY_CHUNKED } from "./body.ts";
import { ByteWriter } from "./byte_writer.ts";
import { HeadBuffer } from "./head_buffer.ts";
import {
  parseRequestHead,
  type RequestFault,
  type RequestHead,
  writeRequestHead,
} from "./request_head.ts";
import { bytesOf, randomOf, stringOf } from "../tests/support/bytes.ts";

function parse(text: string): RequestHead | RequestFault {
  const bytes = bytesOf(text);
  return parseRequestHead(bytes, 0, bytes.length);
}

function request(text: string): RequestHead {
  const head = parse(text);
  if (head.kind === "fault") throw new Error(`${head.message}: ${text}`);
  return head;
}

/** 0: the head is a request. */
function statusOf(text: string): number {
  const head = parse(text);
  return head.kind === "fault" ? head.status : 0;
}

function rewrite(text: string): string {
  const output = new Uint8Array(text.length + 40);
  const writer = new ByteWriter();
  writer.begin(output);
  writeRequestHead(request(text), writer);
  assertEquals(writer.pending, 0);
  return stringOf(output.subarray(0, writer.end()));
}

const HOST = "Host: h\r\n";

Deno.test("parseRequestHead() reads targets", () => {
  const cases: [string, string, number][] = [
    ["CONNECT example.com:443 HTTP/1.1\r\n", "example.com", 443],
    ["CONNECT [2001:DB8::1]:8443 HTTP/1.1\r\nHost: x\r\n", "2001:db8::1", 8443],
    ["CONNECT 1.2.3.4:22 HTTP/1.0\r\n", "1.2.3.4", 22],
    [`GET http://Example.COM/ HTTP/1.1\r\n${HOST}`, "example.com", 80],
    [`GET HTTP://a:8080 HTTP/1.1\r\n${HOST}`, "a", 8080],
    [`GET http://a:/x HTTP/1.1\r\n${HOST}`, "a", 80],
    [`GET http://[::1]/ HTTP/1.1\r\n${HOST}`, "::1", 80],
    ["GET http://a_b.c:1?x HTTP/1.0\r\n", "a_b.c", 1],
    [`M-SEARCH http://a:65535/ HTTP/1.1\r\n${HOST}`, "a", 65535],
  ];
  for (const [text, host, port] of cases) {
    const head = request(`${text}\r\n`);
    assertEquals([head.host, head.port], [host, port], text);
  }
});

Deno.test("writeRequestHead() writes the origin form", () => {
  const cases: [string, string][] = [
    [
      "GET http://a/x?y=1 HTTP/1.1\r\nHost: evil\r\nX: 1\r\n\r\n",
      "GET /x?y=1 HTTP/1.1\r\nHost: a\r\nX: 1\r\n\r\n",
    ],
    [
      "GET http://A:8080 HTTP/1.1\r\nX:1\r\nhost:b\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: A:8080\r\nX:1\r\n\r\n",
    ],
    [
      "GET http://[::1]:?q HTTP/1.1\r\nHost:\r\n\r\n",
      "GET /?q HTTP/1.1\r\nHost: [::1]\r\n\r\n",
    ],
    [
      "OPTIONS http://a HTTP/1.1\r\nHost: a\r\n\r\n",
      "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
    [
      "OPTIONS http://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
      "OPTIONS / HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
    [
      "GET http://a/ HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    ],
    [
      "POST http://a/ HTTP/1.1\r\nHost: a\r\nConnection: X-One , close,te\r\n" +
      "x-one: 1\r\nX-Two: 2\r\nProxy-Connection: keep-alive\r\nTE: gzip\r\n" +
      "Keep-Alive: 5\r\nProxy-Authorization: Basic eA==\r\nTrailer: T\r\n" +
      "Proxy-Authenticate: x\r\nTransfer-Encoding: chunked\r\n" +
      "Upgrade: h2c\r\nExpect: 100-continue \r\n\r\n",
      "POST / HTTP/1.1\r\nHost: a\r\nX-Two: 2\r\nTrailer: T\r\n" +
      "Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n" +
      "Connection: close\r\n\r\n",
    ],
    [
      "GET http://a/ HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\n" +
      "Upgrade: websocket\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n" +
      "Connection: Upgrade\r\n\r\n",
    ],
    [
      "GET http://a/ HTTP/1.0\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    ],
    [
      // Framing and host cannot be named away.
      "PUT http://a/ HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n" +
      "Connection: content-length, host, transfer-encoding\r\n\r\n",
      "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n",
    ],
    [
      "GET http://a/\xe4 HTTP/1.1\r\nHost: a\r\nX:\t\x80\xff \t\r\n\r\n",
      "GET /\xe4 HTTP/1.1\r\nHost: a\r\nX:\t\x80\xff\r\n\r\n",
    ],
  ];
  for (const [text, expected] of cases) assertEquals(rewrite(text), expected);
});

Deno.test("parseRequestHead() tells the length of the body", () => {
  const cases: [string, number][] = [
    ["", 0],
    ["Content-Length: 0\r\n", 0],
    ["Content-Length:  10 \r\n", 10],
    ["content-length: 999999999999999\r\n", 999999999999999],
    ["Transfer-Encoding: chunked\r\n", BODY_CHUNKED],
    ["Transfer-Encoding: gzip, Chunked\r\n", BODY_CHUNKED],
    ["Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", BODY_CHUNKED],
  ];
  for (const [fields, length] of cases) {
    const head = request(`POST http://a/ HTTP/1.1\r\n${HOST}${fields}\r\n`);
    assertEquals(head.bodyLength, length, fields);
  }
});

Deno.test("parseRequestHead() tells whether another request will follow", () => {
  const cases: [string, string, boolean][] = [
    ["1.1", "", true],
    ["1.1", "Connection: Close\r\n", false],
    ["1.1", "Connection: a, close\r\n", false],
    ["1.1", "Proxy-Connection: close\r\n", false],
    ["1.1", "Proxy-Connection: keep-alive\r\n", true],
    ["1.0", "Connection: keep-alive\r\n", false],
    ["1.0", "", false],
  ];
  for (const [version, fields, persists] of cases) {
    const text = `GET http://a/ HTTP/${version}\r\n${HOST}${fields}\r\n`;
    assertEquals(request(text).persists, persists, text);
  }
});

/** Whole heads, each with the status of its refusal. */
const FAULTS: readonly [number, string][] = [
  [400, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"],
  [400, "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"],
  [400, "GET example.com HTTP/1.1\r\nHost: a\r\n\r\n"],
  [400, "GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n"],
  [501, "GET https://a/ HTTP/1.1\r\nHost: a\r\n\r\n"],
  [501, "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n"],
  [505, "GET http://a/ HTTP/2.0\r\nHost: a\r\n\r\n"],
  [505, "PRI * HTTP/2.0\r\n\r\n"],
  [400, "GET http://a/ HTTP/1.1\r\n\r\n"],
  [400, "GET http://a/ HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"],
  [400, "GET http://a/\r\n\r\n"],
  [400, "GET http://a/ http/1.1\r\nHost: a\r\n\r\n"],
  [400, "GET http://a/ HTTP/1.1 \r\nHost: a\r\n\r\n"],
  [400, "GET  http://a/ HTTP/1.1\r\nHost: a\r\n\r\n"],
  [400, "GET http://a/ b HTTP/1.1\r\nHost: a\r\n\r\n"],
  [400, "GET\thttp://a/ HTTP/1.1\r\nHost: a\r\n\r\n"],
  [400, " GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n"],
  [400, "G(T http://a/ HTTP/1.1\r\nHost: a\r\n\r\n"],
  [400, "GET http://a/\0 HTTP/1.1\r\nHost: a\r\n\r\n"],
  [400, "GET http://a/\r HTTP/1.1\r\nHost: a\r\n\r\n"],
  [400, "GET http://a/#b HTTP/1.1\r\nHost: a\r\n\r\n"],
  [400, "GET http://u:p@a/ HTTP/1.1\r\nHost: a\r\n\r\n"],
  [400, "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n"],
  [400, "GET http://:80/ HTTP/1.1\r\nHost: a\r\n\r\n"],
  [400, "GET http://a:0/ HTTP/1.1\r\nHost: a\r\n\r\n"],
  [400, "GET http://a:65536/ HTTP/1.1\r\nHost: a\r\n\r\n"],
  [400, "GET http://a:+1/ HTTP/1.1\r\nHost: a\r\n\r\n"],
  [400, "GET http://::1/ HTTP/1.1\r\nHost: a\r\n\r\n"],
  [400, "GET http://[::1%25eth0]/ HTTP/1.1\r\nHost: a\r\n\r\n"],
  [400, "GET http://a%2f/ HTTP/1.1\r\nHost: a\r\n\r\n"],
  [400, "GET http://\xe4/ HTTP/1.1\r\nHost: a\r\n\r\n"],
  [400, `GET http://${"a".repeat(256)}/ HTTP/1.1\r\nHost: a\r\n\r\n`],
  [400, "CONNECT a HTTP/1.1\r\n\r\n"],
  [400, "CONNECT a: HTTP/1.1\r\n\r\n"],
  [400, "CONNECT :443 HTTP/1.1\r\n\r\n"],
  [400, "CONNECT http://a:443 HTTP/1.1\r\n\r\n"],
  [400, "CONNECT a:443/ HTTP/1.1\r\n\r\n"],
  [400, "CONNECT a:443 HTTP/1.1\r\nContent-Length: 1\r\n\r\n"],
  [400, "CONNECT a:443 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"],
  [400, "GET http://a/b\tHTTP/1.1 HTTP/1.1\r\nHost: a\r\n\r\n"],
  [431, `GET http://a/ HTTP/1.1\r\nHost: a\r\n${"a:b\r\n".repeat(200)}\r\n`],
  [400, "GET http://a/ HTTP/1.1\nHost: a\r\n\r\n"],
  [400, "GET http://a/ HTTP/1.1\r\nHost: a\n\r\n"],
  [400, "GET http://a/ HTTP/1.1\r\nHost: a\r\n\n"],
  [400, "GET http://a/ HTTP/1.1\r\nHost : a\r\n\r\n"],
  [400, "GET http://a/ HTTP/1.1\r\nHost: a\r\nX\t: a\r\n\r\n"],
  [400, "GET http://a/ HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n"],
  [400, "GET http://a/ HTTP/1.1\r\n Host: a\r\n\r\n"],
  [400, "GET http://a/ HTTP/1.1\r\nHost: a\r\nX\r\n\r\n"],
  [400, "GET http://a/ HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n"],
  [400, "GET http://a/ HTTP/1.1\r\nHost: a\r\nX(: x\r\n\r\n"],
  [400, "GET http://a/ HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n"],
  [400, "GET http://a/ HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n"],
  [400, "GET http://a/ HTTP/1.1\r\nHost: a\r\nX: \x7f\r\n\r\n"],
];

/** Fields of a POST, each of which is refused with 400. */
const BODY_FAULTS: readonly string[] = [
  "Transfer-Encoding: identity, chunked\r\n",
  "Transfer-Encoding: foo\r\nTransfer-Encoding: chunked\r\n",
  `Transfer-Encoding: a${" ".repeat(60_000)}b\r\n`,
  `Content-Length: 1${"\t".repeat(60_000)}2\r\n`,
  "Content-Length: 1\r\nContent-Length: 2\r\n",
  "Content-Length: 1\r\nContent-Length: 1\r\n",
  "Content-Length: 1, 1\r\n",
  "Content-Length: 1,\r\n",
  "Content-Length:\r\n",
  "Content-Length: -1\r\n",
  "Content-Length: +1\r\n",
  "Content-Length: 0x1\r\n",
  "Content-Length: 1 1\r\n",
  "Content-Length: 1e3\r\n",
  "Content-Length: 1234567890123456\r\n",
  "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
  "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n",
  "Transfer-Encoding: gzip\r\n",
  "Transfer-Encoding: identity\r\n",
  "Transfer-Encoding:\r\n",
  "Transfer-Encoding: chunked, gzip\r\n",
  "Transfer-Encoding: chunked, chunked\r\n",
  "Transfer-Encoding: chunked,\r\n",
  "Transfer-Encoding: xchunked\r\n",
  "Transfer-Encoding: chunked;q=1\r\n",
  "Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n",
  "Transfer-Encoding: \x0bchunked\r\n",
];

Deno.test("parseRequestHead() refuses what can be read in two ways", () => {
  for (const [status, text] of FAULTS) {
    assertEquals(statusOf(text), status, JSON.stringify(text));
  }
  for (const fields of BODY_FAULTS) {
    const text = `POST http://a/ HTTP/1.1\r\n${HOST}${fields}\r\n`;
    assertEquals(statusOf(text), 400, fields);
  }
  const old = "POST http://a/ HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n";
  assertEquals(parse(old).kind, "fault");
});

Deno.test("parseRequestHead() tells a client of a web server what this is", () => {
  const head = parse("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  assert(head.kind === "fault" && head.message.includes("proxy"));
});

Deno.test("parseRequestHead() does not throw, and writes what it can read, for mutated heads", () => {
  const seed = 1;
  const random = randomOf(seed);
  const alphabet = "\r\n\t :,;/@#?[]%\0\x7f\x80\xffGhH1.0chunked";
  const origin = "POST http://user.example:80/p?q HTTP/1.1\r\nHost: a\r\n" +
    "Connection: keep-alive, x\r\nX: y\r\nTransfer-Encoding: chunked\r\n\r\n";
  let requests = 0;
  for (let round = 0; round < 20_000; round++) {
    let text = origin;
    for (let i = random(4); i >= 0; i--) {
      const at = random(text.length);
      const put = alphabet[random(alphabet.length)]!;
      text = text.slice(0, at) + (random(3) > 0 ? put : "") +
        text.slice(at + random(2));
    }
    const bytes = bytesOf(text);
    const buffer = new HeadBuffer();
    if (buffer.find(bytes, 0, bytes.length) < 0) continue;
    const head = parseRequestHead(buffer.bytes, buffer.start, buffer.end);
    if (head.kind === "fault") continue;
    requests++;
    const writer = new ByteWriter();
    const output = new Uint8Array(text.length + 40);
    writer.begin(output);
    writeRequestHead(head, writer);
    assertEquals(writer.pending, 0, JSON.stringify(text));
    const written = stringOf(output.subarray(0, writer.end()));
    // Each line is whole, and there is one empty line, the last.
    assert(/^(?:[^\r\n]+\r\n)+\r\n$/.test(written), JSON.stringify(written));
  }
  assert(requests > 1000, `only ${requests} heads were valid`);
});
