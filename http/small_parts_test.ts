/**
 * Tests of authorities, the writer, answers, CONNECT and first bytes.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { parseAuthority } from "./authority.ts";
import { ByteWriter } from "./byte_writer.ts";
import { connectRequest } from "./connect.ts";
import { proxyReply } from "./reply.ts";
import { looksLikeHttp, TLS_HANDSHAKE } from "./text.ts";
import { bytesOf, stringOf } from "../tests/support/bytes.ts";

Deno.test("parseAuthority() reads host and port", () => {
  const cases: [string, string, boolean, number | undefined][] = [
    ["A.b", "a.b", false, undefined],
    ["a:", "a", false, undefined],
    ["a:1", "a", false, 1],
    ["a:00080", "a", false, 80],
    ["[::1]", "::1", true, undefined],
    ["[::FFFF:1.2.3.4]:65535", "::ffff:1.2.3.4", true, 65535],
  ];
  for (const [text, host, isBracketed, port] of cases) {
    assertEquals(parseAuthority(text), { host, isBracketed, port });
  }
});

Deno.test("parseAuthority() takes nothing else", () => {
  const cases = ["", ":", ":1", "a:0", "a:65536", "a:000080", "a:b", "a b"];
  cases.push("a@b", "[]", "[::1", "::1", "[::1]x", "a/b", "a\n", "a%41", "ä");
  for (const text of cases) assertEquals(parseAuthority(text), undefined, text);
});

Deno.test("ByteWriter.begin() goes on with what did not fit", () => {
  for (const size of [1, 3, 100]) {
    const writer = new ByteWriter();
    const output = new Uint8Array(size);
    let result = "";
    writer.begin(output);
    writer.text("head ");
    writer.copy(bytesOf(`[${"x".repeat(90)}]`), 1, 91);
    writer.text("tail");
    result += stringOf(output.subarray(0, writer.end()));
    while (writer.pending > 0) {
      writer.begin(output);
      result += stringOf(output.subarray(0, writer.end()));
    }
    assertEquals(result, `head ${"x".repeat(90)}tail`);
  }
});

Deno.test("proxyReply() writes a whole answer, without body for HEAD", () => {
  assertEquals(
    stringOf(proxyReply({ status: 502, text: "no" })),
    "HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/plain; charset=utf-8\r\n" +
      "Content-Length: 3\r\nConnection: close\r\n\r\nno\n",
  );
  assertEquals(
    stringOf(
      proxyReply({
        status: 407,
        text: "x",
        isHead: true,
        persists: true,
        field: "A: b",
      }),
    ),
    "HTTP/1.1 407 Proxy Authentication Required\r\n" +
      "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 2\r\n" +
      "A: b\r\n\r\n",
  );
});

Deno.test("connectRequest() cannot be split by its host", () => {
  assertEquals(
    stringOf(connectRequest("a\r\nX: y\u{100}:1", undefined)),
    "CONNECT a??X:?y?:1 HTTP/1.1\r\nHost: a??X:?y?:1\r\n\r\n",
  );
});

Deno.test("looksLikeHttp() tells HTTP from SOCKS and TLS", () => {
  for (const character of "GCPOHDTMag1!") {
    assertEquals(looksLikeHttp(character.charCodeAt(0)), true);
  }
  for (const byte of [0, 4, 5, TLS_HANDSHAKE, 0x20, 0x0d, 0x3a, 0x80, 0xff]) {
    assertEquals(looksLikeHttp(byte), false);
  }
});
