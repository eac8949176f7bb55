/**
 * What every provider promises for its AEAD ciphers, run against all of them.
 *
 * @module
 */

import {
  assert,
  assertEquals,
  assertNotEquals,
  assertThrows,
} from "@std/assert";
import { createHmac } from "node:crypto";
import { guarded, Providers, SIZES } from "./_provider_fixture.ts";
import { CipherError } from "./errors.ts";
import { CIPHER_METHODS, type CipherMethod } from "./methods.ts";
import { seededBytes } from "../tests/support/bytes.ts";
import { open, seal } from "../tests/support/aead.ts";

Deno.test("AeadKey.open() gives back what seal() took, at every size", async (t) => {
  using providers = new Providers();
  for (const { name, provider, method } of providers.serving("aead")) {
    await t.step(name, () => {
      using cipher = provider.aead(method);
      using key = cipher.importKey(seededBytes(method.keyLength, 1));
      const nonce = seededBytes(method.nonceLength, 2);
      for (const size of SIZES) {
        const plaintext = guarded(size);
        plaintext.bytes.set(seededBytes(size, 3));
        const sealed = guarded(size + method.tagLength);
        seal(key, nonce, plaintext.bytes, sealed.bytes);
        assert(sealed.intact(), `seal() of ${size} bytes writes too much`);
        const opened = guarded(size);
        assert(open(key, nonce, sealed.bytes, opened.bytes), `size ${size}`);
        assertEquals(opened.bytes, plaintext.bytes);
        assert(opened.intact(), `open() of ${size} bytes writes too much`);
      }
    });
  }
});

Deno.test("AeadKey.seal() writes the same bytes in every provider", () => {
  using providers = new Providers();
  const expected = new Map<string, Uint8Array>();
  for (const { name, provider, method } of providers.serving("aead")) {
    using cipher = provider.aead(method);
    const whole = SIZES.flatMap((size) => {
      using key = cipher.importKey(seededBytes(method.keyLength, size + 1));
      const sealed = new Uint8Array(size + method.tagLength);
      const nonce = seededBytes(method.nonceLength, size + 2);
      seal(key, nonce, seededBytes(size, size + 3), sealed);
      return [...sealed];
    });
    const bytes = Uint8Array.from(whole);
    const first = expected.get(method.cipher);
    if (first === undefined) expected.set(method.cipher, bytes);
    else assertEquals(bytes, first, name);
  }
});

Deno.test("AeadCipher.sessionKey() is HKDF-SHA1 in every provider", () => {
  using providers = new Providers();
  for (const { name, provider, method } of providers.serving("aead")) {
    using cipher = provider.aead(method);
    const masterKey = seededBytes(method.keyLength, 4);
    const salt = seededBytes(method.saltLength, 5);
    using key = cipher.sessionKey({ masterKey, salt });
    using same = cipher.importKey(hkdf(method, masterKey, salt));
    const nonce = seededBytes(method.nonceLength, 6);
    const sealed = [key, same].map((key) => {
      const bytes = new Uint8Array(50 + method.tagLength);
      seal(key, nonce, seededBytes(50, 7), bytes);
      return bytes;
    });
    assertEquals(sealed[0], sealed[1], name);
  }
});

Deno.test("AeadCipher.sealOnce() and openOnce() do what a session key does with the nonce 0", () => {
  using providers = new Providers();
  for (const { name, provider, method } of providers.serving("aead")) {
    using cipher = provider.aead(method);
    const nonce = new Uint8Array(method.nonceLength);
    for (const size of [0, 100, 1200, 5000]) {
      const session = {
        masterKey: seededBytes(method.keyLength, 4),
        salt: seededBytes(method.saltLength, size),
      };
      using key = cipher.sessionKey(session);
      const input = seededBytes(size, 7);
      const output = new Uint8Array(size + method.tagLength);
      const part = { input, start: 0, length: size, output, at: 0 };
      cipher.sealOnce(session, part);
      const opened = new Uint8Array(size);
      assert(open(key, nonce, output, opened), name);
      assertEquals(opened, input, name);
      const back = { ...part, input: output, output: opened.fill(0) };
      assert(cipher.openOnce(session, back), name);
      assertEquals(opened, input, name);
      output[size]! ^= 1;
      assert(!cipher.openOnce(session, back), name);
      assertEquals(opened, new Uint8Array(size), name);
    }
    const short = { masterKey: new Uint8Array(1), salt: new Uint8Array(1) };
    const bytes = new Uint8Array(50);
    const part = { input: bytes, start: 0, length: 9, output: bytes, at: 25 };
    assertThrows(() => cipher.sealOnce(short, part), RangeError);
    assertThrows(() => cipher.openOnce(short, part), RangeError);
  }
});

Deno.test("AeadKey.open() refuses every flipped byte, another nonce and another key", async (t) => {
  using providers = new Providers();
  for (const { name, provider, method } of providers.serving("aead")) {
    await t.step(name, () => {
      using cipher = provider.aead(method);
      using key = cipher.importKey(seededBytes(method.keyLength, 1));
      using other = cipher.importKey(seededBytes(method.keyLength, 6));
      const nonce = seededBytes(method.nonceLength, 2);
      const plaintext = seededBytes(83, 3);
      const sealed = new Uint8Array(83 + method.tagLength);
      const opened = new Uint8Array(83);
      seal(key, nonce, plaintext, sealed);
      for (let at = 0; at < sealed.length; at++) {
        const bit = 1 << (at % 8);
        sealed[at]! ^= bit;
        assertEquals(open(key, nonce, sealed, opened), false, `byte ${at}`);
        sealed[at]! ^= bit;
      }
      assertEquals(
        open(key, seededBytes(nonce.length, 7), sealed, opened),
        false,
      );
      assertEquals(open(other, nonce, sealed, opened), false);
      assertEquals(open(key, nonce, sealed.subarray(1), opened), false);
      // A refusal leaves nothing behind: the right bytes still open.
      assertEquals(open(key, nonce, sealed, opened), true);
      assertEquals(opened, plaintext);
    });
  }
});

Deno.test("AeadKey.seal() keeps two keys of one cipher apart", async (t) => {
  using providers = new Providers();
  for (const { name, provider, method } of providers.serving("aead")) {
    await t.step(name, () => {
      using cipher = provider.aead(method);
      using one = cipher.importKey(seededBytes(method.keyLength, 1));
      using two = cipher.importKey(seededBytes(method.keyLength, 6));
      const plaintext = seededBytes(100, 3);
      const opened = new Uint8Array(100);
      const sealed = [one, two].map(() => new Uint8Array(116));
      for (let counter = 0; counter < 4; counter++) {
        const nonce = new Uint8Array(method.nonceLength).fill(counter);
        seal(one, nonce, plaintext, sealed[0]!);
        seal(two, nonce, plaintext, sealed[1]!);
        assertNotEquals(sealed[0], sealed[1]);
        assert(open(one, nonce, sealed[0]!, opened));
        assertEquals(opened, plaintext);
        assert(open(two, nonce, sealed[1]!, opened));
        assertEquals(opened, plaintext);
      }
    });
  }
});

Deno.test("AeadCipher.importKey() copies the key", () => {
  using providers = new Providers();
  for (const { name, provider, method } of providers.serving("aead")) {
    using cipher = provider.aead(method);
    const bytes = seededBytes(method.keyLength, 1);
    using wiped = cipher.importKey(bytes);
    using kept = cipher.importKey(bytes);
    const sealed = new Uint8Array(17);
    const nonce = new Uint8Array(method.nonceLength);
    seal(kept, nonce, new Uint8Array(1), sealed);
    bytes.fill(0);
    assert(open(wiped, nonce, sealed, new Uint8Array(1)), name);
  }
});

Deno.test("AeadCipher works on when thousands of keys came and went", () => {
  using providers = new Providers();
  for (const { name, provider, method } of providers.serving("aead")) {
    using cipher = provider.aead(method);
    using lasting = cipher.importKey(seededBytes(method.keyLength, 1));
    const nonce = new Uint8Array(method.nonceLength);
    const before = new Uint8Array(17);
    const after = new Uint8Array(17);
    seal(lasting, nonce, new Uint8Array(1), before);
    for (let count = 0; count < 2000; count++) {
      const bytes = new Uint8Array(method.keyLength).fill(count);
      using key = cipher.importKey(bytes);
      seal(key, nonce, new Uint8Array(1), after);
    }
    seal(lasting, nonce, new Uint8Array(1), after);
    assertEquals(after, before, name);
  }
});

Deno.test("AeadKey refuses wrong sizes and use after disposal", async (t) => {
  using providers = new Providers();
  for (const { name, provider, method } of providers.serving("aead")) {
    await t.step(name, () => {
      const cipher = provider.aead(method);
      const { keyLength, nonceLength } = method;
      assertThrows(
        () => cipher.importKey(new Uint8Array(keyLength - 1)),
        RangeError,
      );
      const key = cipher.importKey(new Uint8Array(keyLength));
      const nonce = new Uint8Array(nonceLength);
      const some = new Uint8Array(20);
      const short = nonce.subarray(1);
      assertThrows(
        () => seal(key, short, some, new Uint8Array(36)),
        RangeError,
      );
      assertThrows(
        () => seal(key, nonce, some, new Uint8Array(35)),
        RangeError,
      );
      assertThrows(() => open(key, short, some, new Uint8Array(4)), RangeError);
      assertThrows(() => open(key, nonce, some, new Uint8Array(3)), RangeError);
      key[Symbol.dispose]();
      key[Symbol.dispose]();
      assertThrows(() => seal(key, nonce, some, new Uint8Array(36)));
      const last = cipher.importKey(new Uint8Array(keyLength));
      seal(last, nonce, some, new Uint8Array(36));
      const session = {
        masterKey: new Uint8Array(keyLength),
        salt: new Uint8Array(method.saltLength),
      };
      const output = new Uint8Array(36);
      const part = { input: some, start: 0, length: 4, output, at: 0 };
      cipher.sealOnce(session, part);
      cipher.openOnce(session, part);
      cipher[Symbol.dispose]();
      cipher[Symbol.dispose]();
      assertThrows(() => seal(last, nonce, some, output), TypeError);
      assertThrows(() => open(last, nonce, output, some), TypeError);
      assertThrows(() => cipher.sealOnce(session, part), TypeError);
      assertThrows(() => cipher.openOnce(session, part), TypeError);
      assertThrows(() => cipher.sessionKey(session), TypeError);
      last[Symbol.dispose]();
    });
  }
});

Deno.test("CryptoProvider throws a CipherError when it lacks a method", () => {
  using providers = new Providers();
  for (const provider of providers.all) {
    for (const method of CIPHER_METHODS.values()) {
      const make = () =>
        method.kind === "aead"
          ? provider.aead(method)
          : provider.stream(method);
      if (provider.supports(method)) make()[Symbol.dispose]();
      else assertThrows(make, CipherError);
    }
  }
});

/** RFC 5869 word by word, for at most two blocks of output. */
function hkdf(
  method: CipherMethod,
  master: Uint8Array,
  salt: Uint8Array,
): Uint8Array {
  const hmac = (key: Uint8Array, ...parts: Uint8Array[]): Uint8Array => {
    const hash = createHmac("sha1", key);
    for (const part of parts) hash.update(part);
    return new Uint8Array(hash.digest());
  };
  const info = new TextEncoder().encode("ss-subkey");
  const secret = hmac(salt, master);
  const first = hmac(secret, info, Uint8Array.of(1));
  const second = hmac(secret, first, info, Uint8Array.of(2));
  return Uint8Array.from([...first, ...second]).slice(0, method.keyLength);
}
