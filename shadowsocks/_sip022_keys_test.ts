/**
 * Tests of the keys of the 2022 edition.
 *
 * @module
 */

import { assertEquals, assertNotEquals } from "@std/assert";
import { blake3 } from "@noble/hashes/blake3.js";
import { findMethod } from "../crypto/mod.ts";
import {
  hasIdentityHeaders,
  identitySubkey,
  parsePsk,
  parsePskChain,
  pskHash,
  pskHashText,
  sessionSubkey,
} from "./_sip022_keys.ts";
import { concat, seededBytes } from "../tests/support/bytes.ts";

const AES_128 = findMethod("2022-blake3-aes-128-gcm")!;
const AES_256 = findMethod("2022-blake3-aes-256-gcm")!;
const CHACHA = findMethod("2022-blake3-chacha20-poly1305")!;

function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

Deno.test("sessionSubkey() and identitySubkey() are derive_key of key and salt", () => {
  const cases = [
    ["shadowsocks 2022 session subkey", sessionSubkey],
    ["shadowsocks 2022 identity subkey", identitySubkey],
  ] as const;
  for (const [text, derive] of cases) {
    for (const [keyLength, saltLength] of [[16, 16], [32, 32], [16, 8]]) {
      const psk = seededBytes(keyLength!, 1);
      const salt = seededBytes(saltLength!, 2);
      const context = new TextEncoder().encode(text);
      const expected = blake3(concat(psk, salt), { context })
        .subarray(0, keyLength);
      assertEquals(derive(psk, salt), expected);
      assertEquals(derive(psk, salt), expected, "again");
      const given = new Uint8Array(keyLength!);
      assertEquals(derive(psk, salt, given), given);
      assertEquals(given, expected);
    }
  }
});

Deno.test("pskHash() is the first half of BLAKE3, pskHashText() tells two apart", () => {
  const psk = seededBytes(16, 3);
  const hash = pskHash(psk);
  assertEquals(hash, blake3(psk).slice(0, 16));
  const text = pskHashText(hash);
  assertEquals(pskHashText(concat(Uint8Array.of(7), hash), 1), text);
  for (let i = 0; i < 16; i++) {
    const other = hash.slice();
    other[i]! ^= 1;
    assertNotEquals(pskHashText(other), text, `byte ${i}`);
  }
});

Deno.test("parsePsk() takes base64 of exactly the method's length", () => {
  const long = Uint8Array.from({ length: 32 }, (_, i) => 255 - i);
  assertEquals(parsePsk(base64(long), AES_256), { key: long });
  assertEquals(parsePsk(base64(long), CHACHA), { key: long });
  const url = base64(long).replaceAll("+", "-").replaceAll("/", "_");
  assertEquals(parsePsk(url.replace(/=+$/, ""), AES_256), { key: long });
  const advice = "2022-blake3-aes-128-gcm takes base64 of 16 bytes, such as " +
    "`shadowsocks genkey 2022-blake3-aes-128-gcm` makes";
  const cases: [string, string][] = [
    [base64(long), `it has 32 bytes; ${advice}`],
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
  assertEquals(parsePskChain(keys.map(base64).join(":"), AES_128), { keys });
  assertEquals(parsePskChain(base64(keys[0]!), AES_128), {
    keys: keys.slice(0, 1),
  });
  assertEquals(
    parsePskChain(`${base64(keys[0]!)}:AAAA`, AES_128).problem,
    "key 2 of 2: it has 3 bytes; 2022-blake3-aes-128-gcm takes base64 of 16 " +
      "bytes, such as `shadowsocks genkey 2022-blake3-aes-128-gcm` makes",
  );
  const long = base64(seededBytes(32));
  assertEquals(
    parsePskChain(`${long}:${long}`, CHACHA).problem,
    "2022-blake3-chacha20-poly1305 has no identity headers: give one key",
  );
  assertEquals(
    [AES_128, AES_256, CHACHA].map(hasIdentityHeaders),
    [true, true, false],
  );
});
