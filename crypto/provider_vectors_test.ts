/**
 * The published test vectors, run against every provider.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { AEAD_VECTORS, STREAM_VECTORS } from "../tests/vectors/crypto.ts";
import { Providers } from "./_provider_fixture.ts";
import { fromHex, toHex } from "../tests/support/bytes.ts";
import { seal } from "../tests/support/aead.ts";

for (const vector of AEAD_VECTORS) {
  Deno.test(`AeadKey.seal() writes what is published: ${vector.origin}`, () => {
    using providers = new Providers();
    const served = providers.serving("aead")
      .filter(({ method }) => method.name === vector.method);
    const nonce = fromHex(vector.nonce);
    const plaintext = fromHex(vector.plaintext);
    for (const { name, provider, method } of served) {
      using cipher = provider.aead(method);
      using key = cipher.importKey(fromHex(vector.key));
      const sealed = new Uint8Array(plaintext.length + method.tagLength);
      seal(key, nonce, plaintext, sealed);
      const hex = toHex(sealed);
      assertEquals(
        vector.tag === undefined ? hex.slice(0, -2 * method.tagLength) : hex,
        vector.ciphertext + (vector.tag ?? ""),
        name,
      );
    }
  });
}

for (const vector of STREAM_VECTORS) {
  Deno.test(`StreamState.update() writes what is published: ${vector.method}, ${vector.origin}`, () => {
    using providers = new Providers();
    const served = providers.serving("stream")
      .filter(({ method }) => method.name === vector.method);
    const key = fromHex(vector.key);
    const iv = fromHex(vector.iv);
    const ciphertext = fromHex(vector.ciphertext);
    const plaintext = vector.plaintext === undefined
      ? new Uint8Array(ciphertext.length)
      : fromHex(vector.plaintext);
    const skipped = new Uint8Array(vector.skip ?? 0);
    for (const { name, provider, method } of served) {
      using cipher = provider.stream(method);
      using encrypt = cipher.start(key, iv);
      const output = new Uint8Array(plaintext.length);
      encrypt.update(skipped, new Uint8Array(skipped.length));
      encrypt.update(plaintext, output);
      assertEquals(toHex(output), vector.ciphertext, name);
    }
  });
}

Deno.test("CryptoProvider has published vectors for every cipher of the portable one", () => {
  using providers = new Providers();
  const vectors = new Set(
    [...AEAD_VECTORS, ...STREAM_VECTORS].map(({ method }) => method),
  );
  // For this one nobody published any; its RC4 has vectors of its own.
  vectors.add("rc4-md5");
  for (const kind of ["aead", "stream"] as const) {
    for (const { provider, method } of providers.serving(kind)) {
      if (provider.name !== "portable") continue;
      assert(vectors.has(method.cipher), method.cipher);
    }
  }
});
