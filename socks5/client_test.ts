/**
 * Tests of the client's side of SOCKS5: what the server's side reads and
 * writes, cuts, hostile answers, mutations.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import {
  clientGreeting,
  clientRequest,
  CMD_CONNECT,
  type Endpoint,
  greetingReply,
  METHOD_NOAUTH,
  METHOD_USER_PASSWORD,
  parseGreeting,
  parseGreetingReply,
  parseReply,
  parseRequest,
  reply,
} from "./mod.ts";
import { bytesOf, randomOf } from "../tests/support/bytes.ts";

Deno.test("clientGreeting() writes what parseGreeting() reads", () => {
  for (
    const methods of [[METHOD_NOAUTH], [METHOD_NOAUTH, METHOD_USER_PASSWORD]]
  ) {
    const sent = clientGreeting(methods);
    const got = parseGreeting(sent);
    if (got.status !== "ok") throw new Error(got.status);
    assertEquals([...got.methods], methods);
    assertEquals(got.length, sent.length);
  }
});

Deno.test("parseGreetingReply() reads every method, whole and cut", () => {
  for (let method = 0; method < 256; method++) {
    const sent = greetingReply(method);
    assertEquals(parseGreetingReply(sent.subarray(0, 0)).status, "need-more");
    assertEquals(parseGreetingReply(sent.subarray(0, 1)).status, "need-more");
    assertEquals(parseGreetingReply(bytesOf(sent, "more")), {
      status: "ok",
      method,
      length: 2,
    });
  }
});

Deno.test("parseGreetingReply() and parseReply() refuse another version by its byte", () => {
  for (let version = 0; version < 256; version++) {
    const status = version === 5 ? "need-more" : "invalid";
    assertEquals(parseGreetingReply(bytesOf(version)).status, status);
    assertEquals(parseReply(bytesOf(version)).status, status);
  }
});

Deno.test("clientRequest() writes what parseRequest() reads", () => {
  const targets: readonly Endpoint[] = [
    { bytes: bytesOf(1, 2, 3, 4), port: 80 },
    { bytes: new Uint8Array(16).fill(7), port: 65_535 },
    { domain: "example.com", port: 443 },
    { domain: "d".repeat(255), port: 0 },
  ];
  for (const target of targets) {
    const sent = clientRequest(CMD_CONNECT, target);
    const got = parseRequest(sent);
    if (got.status !== "ok") throw new Error(got.status);
    assertEquals(got.length, sent.length);
    assertEquals(got.address.port, target.port);
    assertEquals(got.address.domain, "domain" in target ? target.domain : "");
  }
  assertThrows(
    () => clientRequest(CMD_CONNECT, { domain: "a b", port: 1 }),
    RangeError,
  );
});

/** Bound addresses that a proxy may tell. */
const BOUND = [
  bytesOf(1, 0, 0, 0, 0, 0, 0),
  bytesOf(4, new Uint8Array(16).fill(7), 1, 2),
  bytesOf(3, 9, "proxy.lan", 1, 2),
  bytesOf(3, 255, "d".repeat(255), 1, 2),
];

Deno.test("parseReply() reads a success with every address, whole and cut", () => {
  for (const address of BOUND) {
    const sent = bytesOf(5, 0, 0, address);
    for (let length = 0; length < sent.length; length++) {
      assertEquals(parseReply(sent.subarray(0, length)).status, "need-more");
    }
    for (const payload of ["", "x", "SSH-2.0-OpenSSH\r\n"]) {
      assertEquals(parseReply(bytesOf(sent, payload)), {
        status: "ok",
        code: 0,
        length: sent.length,
      });
    }
  }
});

Deno.test("parseReply() tells a refusal by its code, however short it is", () => {
  for (let code = 1; code < 256; code++) {
    for (
      const sent of [bytesOf(5, code), bytesOf(5, code, 0, 9), reply(code)]
    ) {
      assertEquals(parseReply(sent), { status: "ok", code, length: 2 });
    }
  }
});

Deno.test("parseReply() refuses a success without a valid address", () => {
  for (
    const address of [
      bytesOf(0),
      bytesOf(2, 1, 1, 1, 1, 0, 80),
      bytesOf(0x11, 1, 1, 1, 1, 0, 80),
      bytesOf(3, 0, 0, 80),
      bytesOf(3, 2, "\n\0", 0, 80),
      bytesOf(255),
    ]
  ) {
    assertEquals(parseReply(bytesOf(5, 0, 0, address)).status, "invalid");
  }
});

Deno.test("the client's parsers survive 50,000 mutations and never read past the end", () => {
  const random = randomOf(1928);
  const seeds = BOUND.map((address) => bytesOf(5, 0, 0, address, "data"));
  for (let round = 0; round < 50_000; round++) {
    const bytes = seeds[random(seeds.length)]!.slice();
    for (let flips = random(4); flips >= 0; flips--) {
      bytes[random(bytes.length)] = random(256);
    }
    const cut = bytes.subarray(0, random(bytes.length + 1));
    for (const got of [parseGreetingReply(cut), parseReply(cut)]) {
      if (got.status === "ok" && got.length > cut.length) {
        throw new Error(`read past the end: ${cut}`);
      }
    }
  }
});
