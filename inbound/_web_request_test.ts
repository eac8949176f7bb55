/**
 * Which first bytes are a web client's.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { isWebRequest } from "./_web_request.ts";
import { bytesOf } from "../tests/support/bytes.ts";

const HELLO = bytesOf(22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3);

const CASES: readonly (readonly [string, Uint8Array, boolean])[] = [
  ["GET", bytesOf("GET / HTTP/1.1\r\n\r\n"), true],
  ["GET of a whole URL", bytesOf("GET http://a/ HTTP/1.1\r\n\r\n"), true],
  ["POST", bytesOf("POST /login HTTP/1.0\r\n"), true],
  ["HEAD", bytesOf("HEAD /"), true],
  ["OPTIONS", bytesOf("OPTIONS * HTTP/1.1"), true],
  ["CONNECT", bytesOf("CONNECT a:443 HTTP/1.1"), true],
  ["HTTP/2", bytesOf("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), true],
  ["ClientHello", HELLO, true],
  ["ClientHello of SSL 3.0", bytesOf(22, 3, 0, 0, 50, 1, 0, 0), true],
  ["nothing", bytesOf(), false],
  ["half a method", bytesOf("GET"), false],
  ["a method alone", bytesOf("GET "), false],
  ["lower case", bytesOf("get / HTTP/1.1"), false],
  ["half a HTTP/2 preface", bytesOf("PRI * HTTP"), false],
  ["a record's head", HELLO.subarray(0, 5), false],
  ["a record's head and the type", HELLO.subarray(0, 6), false],
  ["a ServerHello", bytesOf(22, 3, 3, 0, 50, 2, 0, 0), false],
  ["application data", bytesOf(23, 3, 3, 0, 50, 1, 0, 0), false],
  ["version 4", bytesOf(22, 4, 1, 0, 50, 1, 0, 0), false],
  ["a record too long", bytesOf(22, 3, 1, 65, 0, 1, 0, 0), false],
  ["SSH", bytesOf("SSH-2.0-OpenSSH_9.2\r\n"), false],
];
for (const [name, bytes, expected] of CASES) {
  Deno.test(`isWebRequest() is ${expected} for ${name}`, () => {
    assertEquals(isWebRequest(bytes), expected);
  });
}

Deno.test("isWebRequest() takes no random bytes", () => {
  let taken = 0;
  const salts = new Uint8Array(65_536);
  for (let round = 0; round < 20; round++) {
    crypto.getRandomValues(salts);
    for (let at = 0; at + 16 <= salts.length; at++) {
      if (isWebRequest(salts.subarray(at, at + 16))) taken++;
    }
  }
  assertEquals(taken, 0);
});
