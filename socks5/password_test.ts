/**
 * Tests of name and password (RFC 1929): lengths, cuts, mutations.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import {
  credentials,
  credentialsReply,
  parseCredentials,
  parseCredentialsReply,
} from "./mod.ts";
import { bytesOf, randomOf } from "../tests/support/bytes.ts";

const LENGTHS = [0, 1, 2, 127, 128, 254, 255];

Deno.test("parseCredentials() reads what credentials() writes, whole and cut", () => {
  for (const userLength of LENGTHS) {
    for (const passwordLength of LENGTHS) {
      const user = new Uint8Array(userLength).fill(0xf1);
      const password = new Uint8Array(passwordLength).fill(5);
      const sent = credentials(user, password);
      assertEquals(sent.length, 3 + userLength + passwordLength);
      for (let length = 0; length < sent.length; length++) {
        const cut = parseCredentials(sent.subarray(0, length));
        if (cut.status !== "need-more") throw new Error(`${length}`);
      }
      assertEquals(parseCredentials(bytesOf(sent, "\x05\x01")), {
        status: "ok",
        user,
        password,
        length: sent.length,
      });
    }
  }
});

Deno.test("parseCredentials() refuses every version but 1 by the first byte", () => {
  for (let version = 0; version < 256; version++) {
    const status = version === 1 ? "need-more" : "invalid";
    assertEquals(parseCredentials(bytesOf(version)).status, status);
  }
});

Deno.test("credentials() writes the bytes of RFC 1929, and throws if one is too long", () => {
  assertEquals(
    credentials(bytesOf("me"), bytesOf("pass")),
    bytesOf(1, 2, "me", 4, "pass"),
  );
  const long = new Uint8Array(256);
  for (const [user, password] of [[long, bytesOf()], [bytesOf(), long]]) {
    assertThrows(() => credentials(user!, password!), RangeError, "255");
  }
});

Deno.test("parseCredentialsReply() reads what credentialsReply() writes", () => {
  assertEquals(credentialsReply(true), bytesOf(1, 0));
  assertEquals(credentialsReply(false), bytesOf(1, 1));
  for (const accepted of [true, false]) {
    const sent = credentialsReply(accepted);
    assertEquals(
      parseCredentialsReply(sent.subarray(0, 0)).status,
      "need-more",
    );
    assertEquals(
      parseCredentialsReply(sent.subarray(0, 1)).status,
      "need-more",
    );
    assertEquals(parseCredentialsReply(bytesOf(sent, "x")), {
      status: "ok",
      accepted,
      length: 2,
    });
  }
});

Deno.test("parseCredentialsReply() takes the versions 1 and 5, and 0 alone as a yes", () => {
  for (let byte = 0; byte < 256; byte++) {
    const status = byte === 1 || byte === 5 ? "ok" : "invalid";
    assertEquals(parseCredentialsReply(bytesOf(byte, 0)).status, status);
    const got = parseCredentialsReply(bytesOf(1, byte));
    assertEquals(got.status === "ok" && got.accepted, byte === 0);
  }
});

Deno.test("parseCredentials() survives 50,000 mutations and never reads past the end", () => {
  const random = randomOf(1929);
  const whole = credentials(bytesOf("somebody"), bytesOf("secret"));
  for (let round = 0; round < 50_000; round++) {
    const bytes = whole.slice();
    for (let flips = random(4); flips >= 0; flips--) {
      bytes[random(bytes.length)] = random(256);
    }
    const cut = bytes.subarray(0, random(bytes.length + 1));
    for (const got of [parseCredentials(cut), parseCredentialsReply(cut)]) {
      if (got.status === "ok" && got.length > cut.length) {
        throw new Error(`read past the end: ${cut}`);
      }
    }
  }
});
