/**
 * What is particular to Mbed TLS; the rest is in the contract suite.
 *
 * @module
 */

import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { openMbedtls } from "./provider.ts";
import { checkMbedtls } from "./library.ts";
import { CipherError } from "../errors.ts";
import { findMethod } from "../methods.ts";
import type { CryptoProvider } from "../provider.ts";

/** Runs a test with Mbed TLS; where there is none, there is nothing to test. */
function withMbedtls(test: (provider: CryptoProvider) => void): void {
  let provider: CryptoProvider;
  try {
    provider = openMbedtls();
  } catch (error) {
    if (error instanceof CipherError) return;
    throw error;
  }
  using _ = provider;
  test(provider);
}

Deno.test("openMbedtls() throws when the file named by the user is unusable", () => {
  for (const path of ["/nowhere/libmbedcrypto.so", "deno.json"]) {
    const error = assertThrows(() => openMbedtls(path), CipherError) as Error;
    assertMatch(error.message, /Cannot load Mbed TLS/);
    assertMatch(error.message, new RegExp(path));
  }
});

Deno.test("CryptoProvider.version names Mbed TLS and its version", () => {
  withMbedtls((provider) => {
    assertMatch(provider.version, /^Mbed TLS [23]\.\d+\.\d+$/);
    assertEquals(provider.name, "mbedtls");
  });
});

Deno.test("CryptoProvider.supports() says yes to every method named for Mbed TLS", () => {
  withMbedtls((provider) => {
    for (const bits of [128, 192, 256]) {
      for (const name of [`aes-${bits}-gcm`, `aes-${bits}-ctr`]) {
        assertEquals(provider.supports(findMethod(`mbedtls:${name}`)!), true);
      }
      for (const family of ["aes", "camellia"]) {
        const method = findMethod(`mbedtls:${family}-${bits}-cfb128`)!;
        assertEquals(provider.supports(method), true);
      }
    }
  });
});

Deno.test("CryptoProvider.supports() says no to what Mbed TLS lacks", () => {
  withMbedtls((provider) => {
    for (const name of ["aes-256-ocb", "aes-256-cfb8", "salsa20", "table"]) {
      assertEquals(provider.supports(findMethod(name)!), false, name);
    }
  });
});

Deno.test("CryptoProvider[Symbol.dispose]() may be called twice", () => {
  withMbedtls((provider) => provider[Symbol.dispose]());
});

Deno.test("checkMbedtls() names the error in hexadecimal", () => {
  checkMbedtls("seal", 0);
  const error = assertThrows(
    () => checkMbedtls("seal", -0x6100),
    CipherError,
    "Cannot seal with Mbed TLS: error -0x6100",
  ) as CipherError;
  assertEquals(error.code, "library_failure");
});
