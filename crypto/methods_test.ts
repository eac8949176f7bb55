/**
 * Tests of the method table.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import {
  CIPHER_METHODS,
  findMethod,
  hasIdentityHeaders,
  methodNames,
  takesUsers,
} from "./methods.ts";

Deno.test("CIPHER_METHODS has 56 names in lower case", () => {
  assertEquals(CIPHER_METHODS.size, 56);
  for (const [name, method] of CIPHER_METHODS) {
    assertEquals(name, method.name);
    assertEquals(name, name.toLowerCase());
  }
  assertEquals(methodNames(), [...CIPHER_METHODS.keys()]);
});

Deno.test("CIPHER_METHODS has the sizes of the wire formats", () => {
  // name, key, salt or IV, nonce, tag
  const rows: [string, number, number, number, number][] = [
    ["aes-128-gcm", 16, 16, 12, 16],
    ["aes-192-gcm", 24, 24, 12, 16],
    ["aes-256-ocb", 32, 32, 12, 16],
    ["chacha20-ietf-poly1305", 32, 32, 12, 16],
    ["xchacha20-ietf-poly1305", 32, 32, 24, 16],
    ["chacha20-poly1305", 32, 32, 8, 16],
    ["2022-blake3-aes-128-gcm", 16, 16, 12, 16],
    ["2022-blake3-aes-256-gcm", 32, 32, 12, 16],
    ["2022-blake3-chacha20-poly1305", 32, 32, 12, 16],
    ["aes-192-cfb1", 24, 16, 0, 0],
    ["camellia-256-cfb", 32, 16, 0, 0],
    ["bf-cfb", 16, 8, 0, 0],
    ["des-cfb", 8, 8, 0, 0],
    ["seed-cfb", 16, 16, 0, 0],
    ["rc4", 16, 0, 0, 0],
    ["rc4-md5", 16, 16, 0, 0],
    ["salsa20", 32, 8, 0, 0],
    ["chacha20", 32, 8, 0, 0],
    ["chacha20-ietf", 32, 12, 0, 0],
    ["xchacha20", 32, 24, 0, 0],
    ["table", 0, 0, 0, 0],
  ];
  for (const [name, ...sizes] of rows) {
    const method = findMethod(name)!;
    const { keyLength, saltLength, nonceLength, tagLength } = method;
    assertEquals([keyLength, saltLength, nonceLength, tagLength], sizes, name);
  }
});

Deno.test("CIPHER_METHODS ties prefixed names to their library", () => {
  const rows = [
    ["mbedtls:aes-256-cfb128", "mbedtls", "aes-256-cfb"],
    ["mbedtls:camellia-128-cfb128", "mbedtls", "camellia-128-cfb"],
    ["mbedtls:aes-192-ctr", "mbedtls", "aes-192-ctr"],
    ["mbedtls:aes-128-gcm", "mbedtls", "aes-128-gcm"],
    ["sodium:aes-256-gcm", "sodium", "aes-256-gcm"],
  ] as const;
  for (const [name, provider, cipher] of rows) {
    const method = findMethod(name)!;
    assertEquals(method.provider, provider);
    assertEquals(method.cipher, cipher);
    assertEquals(
      { ...method, name: cipher, provider: undefined },
      findMethod(cipher),
    );
  }
});

Deno.test("CIPHER_METHODS marks what does not authenticate as legacy", () => {
  for (const method of CIPHER_METHODS.values()) {
    assertEquals(method.legacy, method.kind !== "aead", method.name);
  }
});

Deno.test("CIPHER_METHODS tells the 2022 edition, whose ciphers are those of before", () => {
  const rows = [...CIPHER_METHODS.values()]
    .filter(({ edition }) => edition === "2022")
    .map(({ name, cipher }) => [name, cipher]);
  assertEquals(rows, [
    ["2022-blake3-aes-128-gcm", "aes-128-gcm"],
    ["2022-blake3-aes-256-gcm", "aes-256-gcm"],
    ["2022-blake3-chacha20-poly1305", "chacha20-ietf-poly1305"],
  ]);
  for (const [, cipher] of rows) {
    assertEquals(findMethod(cipher!)?.edition, "classic");
  }
});

Deno.test("findMethod() ignores case and knows when there is none", () => {
  assertEquals(findMethod("AES-256-GCM")?.name, "aes-256-gcm");
  assertEquals(findMethod("aes-512-gcm"), undefined);
  assertEquals(findMethod(""), undefined);
});

Deno.test("takesUsers() holds where something tells whose bytes they are", () => {
  const names = [...CIPHER_METHODS.values()].filter(takesUsers)
    .map(({ name }) => name);
  for (
    const name of [
      "aes-128-gcm",
      "chacha20-ietf-poly1305",
      "sodium:aes-256-gcm",
      "2022-blake3-aes-128-gcm",
      "2022-blake3-aes-256-gcm",
    ]
  ) assert(names.includes(name), name);
  for (
    const name of [
      "aes-256-cfb",
      "rc4-md5",
      "chacha20-ietf",
      "table",
      "2022-blake3-chacha20-poly1305",
    ]
  ) assert(!names.includes(name), name);
});

Deno.test("hasIdentityHeaders() holds for the AES methods of 2022", () => {
  const names = [...CIPHER_METHODS.values()]
    .filter((method) => method.edition === "2022" && hasIdentityHeaders(method))
    .map(({ name }) => name);
  assertEquals(names, ["2022-blake3-aes-128-gcm", "2022-blake3-aes-256-gcm"]);
});
