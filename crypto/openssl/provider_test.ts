/**
 * Tests of the OpenSSL provider; without OpenSSL they have nothing to do.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import type { DeriveSubkey } from "../_hkdf.ts";
import { makeOpensslHkdf } from "./hkdf.ts";
import { loadOpenssl } from "./library.ts";
import { openOpenssl } from "./provider.ts";
import { AEAD_VECTORS, STREAM_VECTORS } from "../_vectors_fixture.ts";
import { CipherError } from "../errors.ts";
import { type CipherMethod, findMethod } from "../methods.ts";
import type { CryptoProvider } from "../provider.ts";
import {
  concat,
  fromHex,
  seededBytes,
  toHex,
} from "../../tests/support/bytes.ts";
import { open, seal } from "../../tests/support/aead.ts";

/** Opened outside of a test: the libraries stay loaded. */
const openssl: CryptoProvider | undefined = tryOpen();
openssl?.supports(findMethod("aes-256-gcm")!);
const derive: DeriveSubkey | undefined = openssl &&
  makeOpensslHkdf(loadOpenssl().symbols);

function tryOpen(): CryptoProvider | undefined {
  try {
    return openOpenssl();
  } catch (error) {
    if (error instanceof CipherError) return undefined;
    throw error;
  }
}

/** Runs with OpenSSL and a method if both are here. */
function withMethod(
  name: string,
  run: (provider: CryptoProvider, method: CipherMethod) => void,
): void {
  const method = findMethod(name)!;
  if (openssl?.supports(method)) run(openssl, method);
}

Deno.test("openOpenssl() gives name and version", () => {
  if (openssl === undefined) return;
  assertEquals(openssl.name, "openssl");
  assertEquals(/^\S+ \d+\.\d+\.\S+$/.test(openssl.version), true);
});

Deno.test("openOpenssl() throws when the user's file is not one", () => {
  const error: CipherError = assertThrows(
    () => openOpenssl("/nonexistent/libcrypto.so"),
    CipherError,
    "/nonexistent/libcrypto.so",
  );
  assertEquals(error.code, "no_library");
});

Deno.test("CryptoProvider.supports() knows what OpenSSL lacks", () => {
  for (
    const name of ["xchacha20-ietf-poly1305", "chacha20-poly1305", "table"]
  ) {
    const method = findMethod(name)!;
    assertEquals(openssl?.supports(method) ?? false, false);
    if (openssl === undefined) continue;
    const make = method.kind === "aead"
      ? (): unknown => openssl.aead(method)
      : (): unknown => openssl.stream(method);
    const error: CipherError = assertThrows(make, CipherError, name);
    assertEquals(error.code, "not_supported");
  }
});

Deno.test("AeadKey.seal() and open() agree with published vectors", () => {
  for (const vector of AEAD_VECTORS) {
    withMethod(vector.method, (provider, method) => {
      using cipher = provider.aead(method);
      using key = cipher.importKey(fromHex(vector.key));
      const nonce = fromHex(vector.nonce);
      const plaintext = fromHex(vector.plaintext);
      const sealed = new Uint8Array(plaintext.length + 16);
      seal(key, nonce, plaintext, sealed);
      assertEquals(toHex(sealed), vector.sealed, vector.origin);
      const opened = new Uint8Array(plaintext.length);
      assertEquals(open(key, nonce, sealed, opened), true, vector.origin);
      assertEquals(opened, plaintext);
    });
  }
});

Deno.test("AeadKey.open() leaves no plaintext when the tag is wrong", () => {
  for (const name of ["aes-128-gcm", "aes-256-ocb", "chacha20-ietf-poly1305"]) {
    withMethod(name, (provider, method) => {
      using cipher = provider.aead(method);
      using key = cipher.importKey(seededBytes(method.keyLength));
      const nonce = seededBytes(12);
      for (const length of [0, 1, 16, 17, 100]) {
        const plaintext = seededBytes(length, 5);
        const sealed = new Uint8Array(length + 16);
        seal(key, nonce, plaintext, sealed);
        sealed[length + 15]! ^= 1;
        const opened = new Uint8Array(length).fill(7);
        assertEquals(open(key, nonce, sealed, opened), false);
        assertEquals(opened, new Uint8Array(length));
        sealed[length + 15]! ^= 1;
        assertEquals(open(key, nonce, sealed, opened), true);
        assertEquals(opened, plaintext);
      }
    });
  }
});

Deno.test("AeadKey.seal() is right when keys take turns", () => {
  for (const name of ["aes-192-gcm", "aes-192-ocb", "chacha20-ietf-poly1305"]) {
    withMethod(name, (provider, method) => {
      using cipher = provider.aead(method);
      const keys = [1, 2, 3].map((seed) =>
        cipher.importKey(seededBytes(method.keyLength, seed))
      );
      const plaintext = seededBytes(50);
      const sealed = keys.map((key, index) => {
        const out = new Uint8Array(66);
        seal(key, seededBytes(12, index), plaintext, out);
        return out;
      });
      // Again in another order, and each is opened by its own key alone.
      for (const index of [2, 0, 1, 1, 2, 0]) {
        const out = new Uint8Array(66);
        seal(keys[index]!, seededBytes(12, index), plaintext, out);
        assertEquals(out, sealed[index]);
        for (const [other, key] of keys.entries()) {
          const opened = new Uint8Array(50);
          assertEquals(
            open(key, seededBytes(12, index), out, opened),
            other === index,
          );
        }
      }
      for (const key of keys) key[Symbol.dispose]();
    });
  }
});

Deno.test("AeadKey.seal() throws once key or cipher is disposed of", () => {
  withMethod("aes-128-gcm", (provider, method) => {
    const cipher = provider.aead(method);
    const key = cipher.importKey(seededBytes(16));
    const dead = cipher.importKey(seededBytes(16));
    dead[Symbol.dispose]();
    dead[Symbol.dispose]();
    const out = new Uint8Array(16);
    const nothing = new Uint8Array(0);
    assertThrows(() => seal(dead, seededBytes(12), nothing, out), TypeError);
    cipher[Symbol.dispose]();
    cipher[Symbol.dispose]();
    assertThrows(() => seal(key, seededBytes(12), nothing, out), TypeError);
    assertThrows(() => open(key, seededBytes(12), out, nothing), TypeError);
    key[Symbol.dispose]();
  });
});

Deno.test("makeOpensslHkdf() is HKDF-SHA1 with ss-subkey", () => {
  if (derive === undefined) return;
  const master = fromHex(
    "3858f62230ac3c915f300c664312c63f568378529614d22ddb49237d2f60bfdf",
  );
  const salt = Uint8Array.from({ length: 32 }, (_, index) => index);
  // Twice: nothing of a derivation may stay for the next.
  for (let round = 0; round < 2; round++) {
    const subkey = new Uint8Array(32);
    derive(master, salt, subkey);
    assertEquals(
      toHex(subkey),
      "c4f0e9818348b2f30188d82b37a4cddc9f5ea531070ec67225160209faff573c",
    );
  }
});

Deno.test("makeOpensslHkdf() agrees with Web Crypto", async () => {
  if (derive === undefined) return;
  for (const length of [16, 24, 32]) {
    const master = seededBytes(length, 3);
    const salt = seededBytes(length, 4);
    const base = await crypto.subtle.importKey("raw", master, "HKDF", false, [
      "deriveBits",
    ]);
    const info = new TextEncoder().encode("ss-subkey");
    const bits = await crypto.subtle.deriveBits(
      { name: "HKDF", hash: "SHA-1", salt, info },
      base,
      length * 8,
    );
    const subkey = new Uint8Array(length);
    derive(master, salt, subkey);
    assertEquals(subkey, new Uint8Array(bits));
  }
});

Deno.test("StreamState.update() agrees with published vectors", () => {
  for (const vector of STREAM_VECTORS) {
    withMethod(vector.method, (provider, method) => {
      using cipher = provider.stream(method);
      const key = fromHex(vector.key);
      const iv = fromHex(vector.iv);
      const plaintext = fromHex(vector.plaintext);
      using encrypting = cipher.start(key, iv);
      const ciphertext = new Uint8Array(plaintext.length);
      encrypting.update(plaintext, ciphertext);
      assertEquals(toHex(ciphertext), vector.ciphertext, vector.origin);
      using decrypting = cipher.start(key, iv, { decrypt: true });
      const decrypted = new Uint8Array(plaintext.length);
      decrypting.update(ciphertext, decrypted);
      assertEquals(decrypted, plaintext, vector.origin);
    });
  }
});

Deno.test("StreamState.update() gives the same for every cut", () => {
  for (const { method: name } of STREAM_VECTORS) {
    withMethod(name, (provider, method) => {
      using cipher = provider.stream(method);
      const key = seededBytes(method.keyLength, 11);
      const iv = seededBytes(method.saltLength, 12);
      const plaintext = seededBytes(200, 13);
      using whole = cipher.start(key, iv);
      const expected = new Uint8Array(200);
      whole.update(plaintext, expected);
      for (const size of [1, 7, 8, 16, 33]) {
        using state = cipher.start(key, iv);
        const pieces: Uint8Array[] = [];
        for (let at = 0; at < 200; at += size) {
          const piece = plaintext.subarray(at, at + size);
          const out = new Uint8Array(piece.length);
          state.update(piece, out);
          pieces.push(out);
        }
        assertEquals(concat(...pieces), expected, `${name} by ${size}`);
      }
    });
  }
});
