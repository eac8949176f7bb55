/**
 * AES of single blocks, in every provider.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import { Providers } from "./_provider_fixture.ts";
import { concat, fromHex, seededBytes, toHex } from "../tests/support/bytes.ts";

/** FIPS 197, appendix C, and NIST SP 800-38A, F.1.1 and F.1.5: key, plain, cipher. */
const VECTORS = [
  [
    "000102030405060708090a0b0c0d0e0f",
    "00112233445566778899aabbccddeeff",
    "69c4e0d86a7b0430d8cdb78070b4c55a",
  ],
  [
    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
    "00112233445566778899aabbccddeeff",
    "8ea2b7ca516745bfeafc49904b496089",
  ],
  [
    "2b7e151628aed2a6abf7158809cf4f3c",
    "6bc1bee22e409f96e93d7e117393172a",
    "3ad77bb40d7a3660a89ecaf32466ef97",
  ],
  [
    "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
    "6bc1bee22e409f96e93d7e117393172a",
    "f3eed1bdb5d2a03c064b5a7e3db181f8",
  ],
] as const;

Deno.test("BlockKey.encrypt() and decrypt() give what is published, in place too", async () => {
  using providers = new Providers();
  for (const provider of providers.all) {
    for (const [keyText, plain, sealed] of VECTORS) {
      const bytes = fromHex(keyText);
      using cipher = await provider.blocks(bytes.length);
      using key = cipher.importKey(bytes);
      bytes.fill(0);
      const input = concat(Uint8Array.of(9, 9, 9), fromHex(plain));
      const output = new Uint8Array(21);
      key.encrypt(input, 3, output, 5);
      assertEquals(toHex(output.subarray(5)), sealed, provider.name);
      key.decrypt(output, 5, output, 5);
      assertEquals(toHex(output.subarray(5)), plain, provider.name);
      assertEquals(output.subarray(0, 5), new Uint8Array(5));
    }
  }
});

Deno.test("BlockCipher.importKey() keeps keys apart, also after one is disposed of", async () => {
  using providers = new Providers();
  for (const provider of providers.all) {
    using cipher = await provider.blocks(16);
    const block = seededBytes(16, 1);
    const first = cipher.importKey(seededBytes(16, 2));
    using second = cipher.importKey(seededBytes(16, 3));
    const sealed = [first, second, first, second].map((key) => {
      const output = new Uint8Array(16);
      key.encrypt(block, 0, output, 0);
      return toHex(output);
    });
    assertEquals(sealed.slice(2), sealed.slice(0, 2), provider.name);
    assertEquals(new Set(sealed).size, 2);
    first.encrypt(block, 0, block.slice(), 0);
    first[Symbol.dispose]();
    assertThrows(() => first.encrypt(block, 0, block, 0), TypeError);
    using third = cipher.importKey(seededBytes(16, 2));
    const output = new Uint8Array(16);
    third.encrypt(block, 0, output, 0);
    assertEquals(toHex(output), sealed[0]);
  }
});

Deno.test("BlockKey.encrypt() refuses what is not inside the buffers, importKey() a wrong length", async () => {
  using providers = new Providers();
  for (const provider of providers.all) {
    const cipher = await provider.blocks(16);
    assertThrows(() => cipher.importKey(new Uint8Array(32)), RangeError);
    const key = cipher.importKey(new Uint8Array(16));
    const block = new Uint8Array(16);
    for (const place of [-1, 1, NaN]) {
      assertThrows(() => key.encrypt(block, place, block, 0), RangeError);
      assertThrows(() => key.decrypt(block, 0, block, place), RangeError);
    }
    cipher[Symbol.dispose]();
    assertThrows(() => key.encrypt(block, 0, block, 0), TypeError);
  }
});
