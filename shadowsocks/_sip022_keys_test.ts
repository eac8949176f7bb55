/**
 * Tests of what the 2022 edition makes of its keys.
 *
 * @module
 */

import { assertEquals, assertNotEquals } from "@std/assert";
import { blake3 } from "@noble/hashes/blake3.js";
import {
  identitySubkey,
  pskHash,
  pskHashText,
  sessionSubkey,
} from "./_sip022_keys.ts";
import { concat, seededBytes } from "../tests/support/bytes.ts";

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
