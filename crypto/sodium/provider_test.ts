/**
 * What is particular to libsodium; the rest is in the contract suite.
 *
 * @module
 */

import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { startKeystream } from "../_keystream.ts";
import { openSodium } from "./provider.ts";
import { loadSodium, type SodiumLibrary } from "./library.ts";
import { findSodiumStream } from "./stream.ts";
import { CipherError } from "../errors.ts";
import { findMethod } from "../methods.ts";
import { openOpenssl } from "../openssl/provider.ts";
import { seededBytes } from "../../tests/support/bytes.ts";

/** Opened outside of a test: session keys are OpenSSL's, which stays loaded. */
function loadHkdf(): void {
  try {
    openOpenssl();
  } catch (error) {
    if (!(error instanceof CipherError)) throw error;
  }
}
loadHkdf();

/** Runs a test with libsodium; where there is none, there is nothing to test. */
function withSodium(test: (library: SodiumLibrary) => void): void {
  let library: SodiumLibrary;
  try {
    library = loadSodium();
  } catch (error) {
    if (error instanceof CipherError) return;
    throw error;
  }
  try {
    test(library);
  } finally {
    library.close();
  }
}

Deno.test("openSodium() throws when the file named by the user is unusable", () => {
  for (const path of ["/nowhere/libsodium.so", "deno.json"]) {
    const error = assertThrows(() => openSodium(path), CipherError) as Error;
    assertMatch(error.message, /Cannot load libsodium/);
    assertMatch(error.message, new RegExp(path));
  }
});

Deno.test("CryptoProvider.version names libsodium and its version", () => {
  withSodium(() => {
    using provider = openSodium();
    assertMatch(provider.version, /^libsodium \d+\.\d+\.\d+/);
    assertEquals(provider.name, "sodium");
  });
});

Deno.test("CryptoProvider[Symbol.dispose]() may be called twice", () => {
  withSodium(() => {
    const provider = openSodium();
    provider[Symbol.dispose]();
    provider[Symbol.dispose]();
  });
});

Deno.test("CryptoProvider.supports() asks the processor for AES-256-GCM", () => {
  withSodium((library) => {
    using provider = openSodium();
    assertEquals(
      provider.supports(findMethod("sodium:aes-256-gcm")!),
      library.symbols.crypto_aead_aes256gcm_is_available?.() === 1,
    );
  });
});

Deno.test("findSodiumStream() goes on past 2^32 blocks when the counter has 64 bits", () => {
  withSodium((library) => {
    for (const [name, length] of [["salsa20", 8], ["xchacha20", 24]] as const) {
      const stream = findSodiumStream(library.symbols, name)!;
      const key = seededBytes(32, 1);
      const nonce = seededBytes(length, 2);
      using state = startKeystream(stream, key, nonce, 2 ** 32 - 1);
      const both = new Uint8Array(128);
      state.update(new Uint8Array(128), both);
      for (const [index, counter] of [2 ** 32 - 1, 2 ** 32].entries()) {
        const block = new Uint8Array(64);
        stream.xor(key, nonce, block, block, 64, counter);
        assertEquals(both.subarray(64 * index, 64 * index + 64), block, name);
      }
      const start = new Uint8Array(64);
      stream.xor(key, nonce, start, start, 64, 0);
      assertEquals(both.subarray(64).every((b, at) => b === start[at]), false);
    }
  });
});

Deno.test("findSodiumStream() ends a chacha20-ietf stream at 2^32 blocks", () => {
  withSodium((library) => {
    const stream = findSodiumStream(library.symbols, "chacha20-ietf")!;
    using state = startKeystream(
      stream,
      seededBytes(32, 1),
      seededBytes(12, 2),
      2 ** 32 - 2,
    );
    const bytes = new Uint8Array(128);
    state.update(bytes, bytes.slice());
    assertThrows(
      () => state.update(bytes.subarray(0, 1), bytes),
      CipherError,
      "block counter",
    );
  });
});
