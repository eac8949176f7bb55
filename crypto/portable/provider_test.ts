/**
 * What the portable provider has; the rest is in the contract suite.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import { openPortable } from "./provider.ts";
import { CipherError } from "../errors.ts";
import { CIPHER_METHODS, findMethod } from "../methods.ts";
import { open, seal } from "../../tests/support/aead.ts";

Deno.test("CryptoProvider.supports() knows what needs a native library", () => {
  using provider = openPortable();
  const missing = [...CIPHER_METHODS.values()]
    .filter((method) => method.provider === undefined)
    .filter((method) => !provider.supports(method))
    .map(({ name }) => name);
  assertEquals(missing, [
    "aes-128-ocb",
    "aes-192-ocb",
    "aes-256-ocb",
    "camellia-128-cfb",
    "camellia-192-cfb",
    "camellia-256-cfb",
    "bf-cfb",
    "cast5-cfb",
    "des-cfb",
    "idea-cfb",
    "rc2-cfb",
    "seed-cfb",
  ]);
});

Deno.test("CryptoProvider.aead() and .stream() refuse a method of the other kind", () => {
  using provider = openPortable();
  const gcm = findMethod("aes-256-gcm")!;
  const ctr = findMethod("aes-256-ctr")!;
  assertThrows(() => provider.stream(gcm), CipherError, "Cannot use");
  assertThrows(() => provider.aead(ctr), CipherError, "Cannot use");
});

Deno.test("CryptoProvider.stream() serves the table", () => {
  using provider = openPortable();
  const method = findMethod("table")!;
  assertEquals(provider.supports(method), true);
  using cipher = provider.stream(method);
  using state = cipher.start(
    new TextEncoder().encode("foobar!"),
    new Uint8Array(0),
  );
  const output = new Uint8Array(1);
  state.update(new Uint8Array(1), output);
  assertEquals(output[0], 60);
});

Deno.test({
  name: "openPortable() works when nothing is permitted",
  permissions: "none",
  fn: () => {
    using provider = openPortable();
    for (const method of CIPHER_METHODS.values()) {
      if (method.kind !== "aead" || !provider.supports(method)) continue;
      using cipher = provider.aead(method);
      using key = cipher.importKey(new Uint8Array(method.keyLength));
      const nonce = new Uint8Array(method.nonceLength);
      const sealed = new Uint8Array(26);
      seal(key, nonce, new Uint8Array(10), sealed);
      assertEquals(open(key, nonce, sealed, new Uint8Array(10)), true);
    }
  },
});
