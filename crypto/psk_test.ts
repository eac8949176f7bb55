/**
 * Tests of how keys of the 2022 edition are written.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { findMethod } from "./methods.ts";
import { parsePsk, parsePskChain } from "./psk.ts";
import { seededBytes, toBase64 } from "../tests/support/bytes.ts";

const AES_128 = findMethod("2022-blake3-aes-128-gcm")!;
const AES_256 = findMethod("2022-blake3-aes-256-gcm")!;
const CHACHA = findMethod("2022-blake3-chacha20-poly1305")!;

Deno.test("parsePsk() takes base64 of exactly the method's length", () => {
  const long = Uint8Array.from({ length: 32 }, (_, i) => 255 - i);
  assertEquals(parsePsk(toBase64(long), AES_256), { key: long });
  assertEquals(parsePsk(toBase64(long), CHACHA), { key: long });
  const url = toBase64(long).replaceAll("+", "-").replaceAll("/", "_");
  assertEquals(parsePsk(url.replace(/=+$/, ""), AES_256), { key: long });
  const advice = "2022-blake3-aes-128-gcm takes base64 of 16 bytes, such as " +
    "`shadowsocks genkey 2022-blake3-aes-128-gcm` makes";
  const cases: [string, string][] = [
    [toBase64(long), `it has 32 bytes; ${advice}`],
    ["", `it has 0 bytes; ${advice}`],
    ["correct horse", `it is not base64; ${advice}`],
    ["AAAAA", `it is not base64; ${advice}`],
    ["AAAA====", `it is not base64; ${advice}`],
  ];
  for (const [text, problem] of cases) {
    assertEquals(parsePsk(text, AES_128), { problem });
  }
});

Deno.test("parsePskChain() takes any number of keys where there are identity headers", () => {
  const keys = [1, 2, 3].map((seed) => seededBytes(16, seed));
  assertEquals(parsePskChain(keys.map(toBase64).join(":"), AES_128), { keys });
  assertEquals(parsePskChain(toBase64(keys[0]!), AES_128), {
    keys: keys.slice(0, 1),
  });
  assertEquals(
    parsePskChain(`${toBase64(keys[0]!)}:AAAA`, AES_128).problem,
    "key 2 of 2: it has 3 bytes; 2022-blake3-aes-128-gcm takes base64 of 16 " +
      "bytes, such as `shadowsocks genkey 2022-blake3-aes-128-gcm` makes",
  );
  const long = toBase64(seededBytes(32));
  assertEquals(
    parsePskChain(`${long}:${long}`, CHACHA).problem,
    "2022-blake3-chacha20-poly1305 has no identity headers: give one key",
  );
});
