/**
 * Tests of `CipherSuite`, above all of its packets.
 *
 * @module
 */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { CIPHER_METHODS, CipherError, openProviders } from "../crypto/mod.ts";
import { encrypt } from "./_bytes_fixture.ts";
import { DECRYPT_FAILED } from "./cryptor.ts";
import { CipherSuite } from "./suite.ts";
import { seededBytes, toHex } from "../tests/support/bytes.ts";

/** Opened outside of a test: native libraries stay loaded. */
const providers = await openProviders();

/** The suites of all methods that some library here has. */
const suites: CipherSuite[] = [];
for (const { name, edition } of CIPHER_METHODS.values()) {
  if (edition !== "classic") continue;
  try {
    suites.push(await CipherSuite.create(name, "correct horse", providers));
  } catch (error) {
    if (!(error instanceof CipherError)) throw error;
  }
}

Deno.test("CipherSuite.create() finds the usual methods on any system", () => {
  const names = new Set(suites.map((suite) => suite.method.name));
  for (
    const name of [
      "aes-128-gcm",
      "aes-256-gcm",
      "chacha20-ietf-poly1305",
      "xchacha20-ietf-poly1305",
      "aes-256-cfb",
      "chacha20-ietf",
      "rc4-md5",
      "table",
    ]
  ) {
    assert(names.has(name), name);
  }
});

Deno.test("CipherSuite.create() ignores the case of a method's name", async () => {
  using suite = await CipherSuite.create("AES-256-GCM", "foobar", providers);
  assertEquals(suite.method.name, "aes-256-gcm");
  assertEquals(toHex(suite.masterKey.subarray(0, 4)), "3858f622");
  assert(suite.providerVersion !== "");
});

Deno.test("CipherSuite.create() throws for a method that is none", async () => {
  const error: CipherError = await assertRejects(
    () => CipherSuite.create("aes-999-gcm", "foobar", providers),
    CipherError,
    '"aes-999-gcm"',
  );
  assertEquals(error.code, "unknown_method");
});

Deno.test("CipherSuite[Symbol.dispose]() wipes the key", async () => {
  const suite = await CipherSuite.create("aes-128-gcm", "foobar", providers);
  const { masterKey } = suite;
  suite[Symbol.dispose]();
  suite[Symbol.dispose]();
  assertEquals(masterKey, new Uint8Array(16));
  assertThrows(
    () => suite.sealPacket(seededBytes(1), new Uint8Array(99)),
    TypeError,
  );
});

Deno.test("CipherSuite.openPacket() gives back what sealPacket() took", () => {
  for (const suite of suites) {
    for (const size of [0, 1, 15, 16, 17, 1200, 65_000]) {
      const packet = new Uint8Array(size + suite.packetOverhead);
      assertEquals(suite.sealPacket(seededBytes(size), packet), packet.length);
      const out = new Uint8Array(size);
      assertEquals(suite.openPacket(packet, out), size, suite.method.name);
      assertEquals(out, seededBytes(size), suite.method.name);
    }
  }
});

Deno.test("CipherSuite.packetSalt is the salt of the last packet", () => {
  for (const suite of suites) {
    const { saltLength } = suite.method;
    const [first, second] = [1, 2].map((seed) => {
      const packet = new Uint8Array(10 + suite.packetOverhead);
      suite.sealPacket(seededBytes(10, seed), packet);
      assertEquals(suite.packetSalt, packet.slice(0, saltLength));
      return packet;
    }) as [Uint8Array, Uint8Array];
    suite.openPacket(first, new Uint8Array(10));
    assertEquals(suite.packetSalt, first.slice(0, saltLength));
    suite.openPacket(second, new Uint8Array(10));
    assertEquals(suite.packetSalt, second.slice(0, saltLength));
  }
});

Deno.test("CipherSuite.sealPacket() tells the salt while the plaintext may change", () => {
  for (const suite of suites) {
    const plaintext = seededBytes(40);
    const packet = new Uint8Array(40 + suite.packetOverhead);
    const salts: Uint8Array[] = [];
    suite.sealPacket(plaintext, packet, {
      onSalt: (salt) => {
        salts.push(salt.slice());
        plaintext.fill(7, 30);
      },
    });
    const { saltLength } = suite.method;
    assertEquals(salts, [packet.slice(0, saltLength)]);
    const out = new Uint8Array(40);
    assertEquals(suite.openPacket(packet, out), 40);
    assertEquals(out, plaintext, suite.method.name);
    assertEquals(out[39], 7);
  }
});

Deno.test("CipherSuite.openPacket() refuses a packet cut anywhere", () => {
  for (const suite of suites) {
    const packet = new Uint8Array(60 + suite.packetOverhead);
    suite.sealPacket(seededBytes(60), packet);
    const { kind, saltLength } = suite.method;
    for (let length = 0; length < packet.length; length++) {
      const out = new Uint8Array(packet.length);
      const opened = suite.openPacket(packet.subarray(0, length), out);
      const expected = kind === "aead" || length < saltLength
        ? DECRYPT_FAILED
        : length - saltLength;
      assertEquals(opened, expected, `${suite.method.name} at ${length}`);
    }
  }
});

Deno.test("CipherSuite.openPacket() refuses every flipped bit", () => {
  for (const suite of suites) {
    if (suite.method.kind !== "aead") continue;
    const packet = new Uint8Array(40 + suite.packetOverhead);
    suite.sealPacket(seededBytes(40), packet);
    const out = new Uint8Array(40);
    for (let bit = 0; bit < 8 * packet.length; bit++) {
      packet[bit >> 3]! ^= 1 << (bit & 7);
      assertEquals(suite.openPacket(packet, out), DECRYPT_FAILED);
      packet[bit >> 3]! ^= 1 << (bit & 7);
    }
    assertEquals(suite.openPacket(packet, out), 40);
  }
});

Deno.test("CipherSuite.openPacket() refuses another password's packet", async () => {
  using ours = await CipherSuite.create("aes-256-gcm", "ours", providers);
  using theirs = await CipherSuite.create("aes-256-gcm", "theirs", providers);
  const packet = new Uint8Array(10 + ours.packetOverhead);
  ours.sealPacket(seededBytes(10), packet);
  assertEquals(theirs.openPacket(packet, new Uint8Array(10)), DECRYPT_FAILED);
});

Deno.test("CipherSuite.sealPacket() and openPacket() throw without room", () => {
  for (const suite of suites) {
    const packet = new Uint8Array(10 + suite.packetOverhead);
    const short = packet.subarray(1);
    assertThrows(() => suite.sealPacket(seededBytes(10), short), RangeError);
    assertThrows(() => suite.openPacket(packet, seededBytes(9)), RangeError);
  }
});

Deno.test("CipherSuite never uses a salt twice", async () => {
  using suite = await CipherSuite.create("aes-256-gcm", "foobar", providers);
  const seen = new Set<string>();
  const packet = new Uint8Array(suite.packetOverhead);
  const nothing = new Uint8Array(0);
  for (let index = 0; index < 5000; index++) {
    suite.sealPacket(nothing, packet);
    seen.add(toHex(suite.packetSalt));
    using cryptor = suite.newCryptor();
    seen.add(toHex(cryptor.salt!));
  }
  assertEquals(seen.size, 10_000);
});

Deno.test("CipherSuite.newCryptor() works for every method", () => {
  for (const suite of suites) {
    using sender = suite.newCryptor();
    using receiver = suite.newCryptor();
    for (const size of [1, 300, 20_000]) {
      const wire = encrypt(sender, seededBytes(size));
      const out = new Uint8Array(wire.length);
      assertEquals(receiver.decrypt(wire, out), size, suite.method.name);
      assertEquals(out.subarray(0, size), seededBytes(size), suite.method.name);
    }
  }
});

Deno.test("CipherSuite.sealPacket() and openPacket() keep to a part of a buffer", () => {
  for (const suite of suites) {
    for (const size of [50, 5000]) {
      const { name } = suite.method;
      const data = seededBytes(size);
      const buffer = new Uint8Array(size + 100).fill(0xa5);
      buffer.set(data, 40);
      const packet = new Uint8Array(size + 200).fill(0xa5);
      const sealed = suite.sealPacket(buffer, packet, {
        start: 40,
        end: 40 + size,
      });
      assertEquals(sealed, size + suite.packetOverhead, name);
      const moved = new Uint8Array(sealed + 30).fill(0xa5);
      moved.set(packet.subarray(0, sealed), 13);
      const out = new Uint8Array(size + 100).fill(0xa5);
      const part = { start: 13, end: 13 + sealed, at: 7 };
      assertEquals(suite.openPacket(moved, out, part), size, name);
      assertEquals(out.subarray(7, 7 + size), data, name);
      assert(out.subarray(0, 7).every((byte) => byte === 0xa5), name);
      assert(out.subarray(7 + size).every((byte) => byte === 0xa5), name);
      assertThrows(
        () => suite.openPacket(moved, out, { start: 13, end: sealed + 31 }),
        RangeError,
      );
      assertThrows(
        () => suite.openPacket(moved, out, { ...part, at: 101 }),
        RangeError,
      );
      assertThrows(
        () => suite.sealPacket(buffer, packet, { start: -1 }),
        RangeError,
      );
    }
  }
});
