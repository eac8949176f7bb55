/**
 * Tests of `Cryptor` over every framing: cuts, flips, sizes, turns.
 *
 * @module
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { openProviders } from "../crypto/mod.ts";
import { encrypt, Receiver } from "./_bytes_fixture.ts";
import { type Cryptor, DECRYPT_FAILED } from "./cryptor.ts";
import { CipherSuite } from "./suite.ts";
import { concat, seededBytes } from "../tests/support/bytes.ts";

/** One of each framing and nonce size, with whatever libraries are here. */
const AEAD = [
  "aes-128-gcm",
  "chacha20-ietf-poly1305",
  "xchacha20-ietf-poly1305",
];
const STREAM = ["aes-256-cfb", "rc4-md5", "rc4"];

/** Opened outside of a test: native libraries stay loaded. */
const providers = await openProviders();
const suites = new Map<string, CipherSuite>();
for (const name of [...AEAD, ...STREAM]) {
  suites.set(name, await CipherSuite.create(name, "correct horse", providers));
}

function pair(name: string): { sender: Cryptor; receiver: Cryptor } {
  const suite = suites.get(name)!;
  return { sender: suite.newCryptor(), receiver: suite.newCryptor() };
}

function dispose(...cryptors: Cryptor[]): void {
  for (const cryptor of cryptors) cryptor[Symbol.dispose]();
}

/** Three chunks, or three writes of a stream cipher. */
function threeChunks(sender: Cryptor): {
  plaintext: Uint8Array<ArrayBuffer>;
  wire: Uint8Array<ArrayBuffer>;
} {
  const chunks = [seededBytes(1, 1), seededBytes(100, 2), seededBytes(40, 3)];
  return {
    plaintext: concat(...chunks),
    wire: concat(...chunks.map((chunk) => encrypt(sender, chunk))),
  };
}

Deno.test("Cryptor.decrypt() gives back what encrypt() took, at edge sizes", () => {
  for (const name of suites.keys()) {
    for (const size of [1, 2, 16382, 16383, 16384, 32766, 32767, 40000]) {
      const { sender, receiver } = pair(name);
      const plaintext = seededBytes(size);
      const expected = sender.encryptedLength(size);
      const wire = encrypt(sender, plaintext);
      assertEquals(wire.length, expected);
      const out = new Uint8Array(wire.length);
      assertEquals(receiver.decrypt(wire, out), size, `${name} ${size}`);
      assertEquals(out.subarray(0, size), plaintext);
      assertEquals(receiver.consumed, wire.length);
      assert(receiver.atBoundary(0));
      dispose(sender, receiver);
    }
  }
});

Deno.test("Cryptor.encrypt() puts the salt in front of the first bytes only", () => {
  const { sender, receiver } = pair("aes-128-gcm");
  const first = encrypt(sender, seededBytes(10));
  assertEquals(first.length, 16 + 2 + 16 + 10 + 16);
  assertEquals(first.subarray(0, 16), sender.salt);
  assertEquals(encrypt(sender, seededBytes(10)).length, 2 + 16 + 10 + 16);
  dispose(sender, receiver);
});

Deno.test("Cryptor.encrypt() makes no chunk of nothing", () => {
  for (const name of suites.keys()) {
    const suite = suites.get(name)!;
    const { sender, receiver } = pair(name);
    assertEquals(encrypt(sender, new Uint8Array(0)), sender.salt!);
    assertEquals(encrypt(sender, new Uint8Array(0)).length, 0);
    const wire = encrypt(sender, seededBytes(5));
    assertEquals(
      wire.length,
      suite.method.kind === "aead" ? 2 + 16 + 5 + 16 : 5,
    );
    const reader = new Receiver(receiver);
    reader.feed(sender.salt!);
    reader.feed(wire);
    assertEquals(reader.plaintext, seededBytes(5));
    dispose(sender, receiver);
  }
});

Deno.test("Cryptor.encrypt() and decrypt() throw when there is no room", () => {
  for (const name of suites.keys()) {
    const { sender, receiver } = pair(name);
    const needed = sender.encryptedLength(100);
    const short = new Uint8Array(needed - 1);
    assertThrows(() => sender.encrypt(seededBytes(100), short), RangeError);
    assertThrows(
      () => receiver.decrypt(seededBytes(100), seededBytes(99)),
      RangeError,
    );
    dispose(sender, receiver);
  }
});

Deno.test("Cryptor.decrypt() takes a stream cut in two anywhere", () => {
  for (const name of suites.keys()) {
    const { sender, receiver } = pair(name);
    const { plaintext, wire } = threeChunks(sender);
    for (let cut = 0; cut <= wire.length; cut++) {
      const cryptor = suites.get(name)!.newCryptor();
      const reader = new Receiver(cryptor);
      reader.feed(wire.subarray(0, cut));
      reader.feed(wire.subarray(cut));
      assertEquals(reader.plaintext, plaintext, `${name} cut at ${cut}`);
      assertEquals(reader.leftover.length, 0);
      dispose(cryptor);
    }
    dispose(sender, receiver);
  }
});

Deno.test("Cryptor.decrypt() takes a stream byte by byte", () => {
  for (const name of suites.keys()) {
    const { sender, receiver } = pair(name);
    const { plaintext, wire } = threeChunks(sender);
    const reader = new Receiver(receiver);
    for (const byte of wire) reader.feed(new Uint8Array([byte]));
    assertEquals(reader.plaintext, plaintext, name);
    dispose(sender, receiver);
  }
});

Deno.test("Cryptor.atBoundary() holds between frames alone", () => {
  const { sender, receiver } = pair("aes-128-gcm");
  const { wire } = threeChunks(sender);
  const frame = 2 + 16 + 16;
  const boundaries = new Set([
    16,
    16 + frame + 1,
    16 + 2 * frame + 101,
    16 + 3 * frame + 141,
  ]);
  const reader = new Receiver(receiver);
  assertEquals(receiver.atBoundary(0), false);
  for (const [index, byte] of wire.entries()) {
    reader.feed(new Uint8Array([byte]));
    assertEquals(
      receiver.atBoundary(reader.leftover.length),
      boundaries.has(index + 1),
      `after ${index + 1}`,
    );
  }
  dispose(sender, receiver);
});

Deno.test("Cryptor.atBoundary() of a stream cipher waits for the IV", () => {
  const { sender, receiver } = pair("aes-256-cfb");
  const wire = encrypt(sender, seededBytes(3));
  const reader = new Receiver(receiver);
  for (const [index, byte] of wire.entries()) {
    reader.feed(new Uint8Array([byte]));
    assertEquals(receiver.atBoundary(reader.leftover.length), index >= 15);
  }
  dispose(sender, receiver);
});

Deno.test("Cryptor.decrypt() refuses every flipped bit", () => {
  for (const name of AEAD) {
    const { sender, receiver } = pair(name);
    const { plaintext, wire } = threeChunks(sender);
    for (let bit = 0; bit < 8 * wire.length; bit++) {
      const bad = wire.slice();
      bad[bit >> 3]! ^= 1 << (bit & 7);
      const cryptor = suites.get(name)!.newCryptor();
      const out = new Uint8Array(bad.length);
      const first = cryptor.decrypt(bad, out);
      assert(cryptor.failed, `${name} bit ${bit}`);
      if (first === DECRYPT_FAILED) {
        assertEquals(cryptor.consumed < bad.length, true);
      } else {
        assert(first < plaintext.length);
        assertEquals(out.subarray(0, first), plaintext.subarray(0, first));
        assert([1, 101].includes(first));
      }
      const rest = bad.subarray(cryptor.consumed);
      assertEquals(cryptor.decrypt(rest, out), DECRYPT_FAILED);
      assertEquals(cryptor.decrypt(wire, out), DECRYPT_FAILED);
      assertEquals(cryptor.consumed, 0);
      assertEquals(cryptor.atBoundary(0), false);
      dispose(cryptor);
    }
    dispose(sender, receiver);
  }
});

Deno.test("Cryptor.decrypt() delivers what came before a bad frame", () => {
  const { sender, receiver } = pair("aes-128-gcm");
  const good = encrypt(sender, seededBytes(70));
  const bad = encrypt(sender, seededBytes(30));
  bad[bad.length - 1]! ^= 1;
  const out = new Uint8Array(good.length + bad.length);
  assertEquals(receiver.decrypt(concat(good, bad), out), 70);
  assertEquals(out.subarray(0, 70), seededBytes(70));
  assert(receiver.failed);
  assertEquals(receiver.decrypt(new Uint8Array(0), out), DECRYPT_FAILED);
  dispose(sender, receiver);
});

Deno.test("Cryptor.authenticated waits for the first payload's tag", () => {
  const { sender, receiver } = pair("aes-128-gcm");
  const wire = encrypt(sender, seededBytes(10));
  const reader = new Receiver(receiver);
  for (const [index, byte] of wire.entries()) {
    assertEquals(receiver.authenticated, false, `at ${index}`);
    reader.feed(new Uint8Array([byte]));
  }
  assert(receiver.authenticated);
  dispose(sender, receiver);
});

Deno.test("Cryptor.peerSalt is the sender's salt once it is complete", () => {
  for (const name of suites.keys()) {
    const { sender, receiver } = pair(name);
    assertEquals(receiver.peerSalt, undefined);
    const reader = new Receiver(receiver);
    const wire = encrypt(sender, seededBytes(1));
    const length = suites.get(name)!.method.saltLength;
    if (length > 0) {
      reader.feed(wire.subarray(0, length - 1));
      assertEquals(receiver.peerSalt, undefined);
      reader.feed(wire.subarray(length - 1));
    } else {
      reader.feed(wire);
    }
    assertEquals(receiver.peerSalt, sender.salt);
    dispose(sender, receiver);
  }
});

Deno.test("Cryptor.forgetSalts() keeps a salt that has still to be sent", () => {
  for (const name of suites.keys()) {
    const { sender, receiver } = pair(name);
    const salt = sender.salt!.slice();
    sender.forgetSalts();
    const reader = new Receiver(receiver);
    const wire = encrypt(sender, seededBytes(9));
    assertEquals(wire.subarray(0, salt.length), salt);
    reader.feed(wire);
    sender.forgetSalts();
    receiver.forgetSalts();
    assertEquals(sender.salt, undefined);
    assertEquals(receiver.peerSalt, undefined);
    reader.feed(encrypt(sender, seededBytes(9)));
    assertEquals(reader.plaintext, concat(seededBytes(9), seededBytes(9)));
    dispose(sender, receiver);
  }
});

Deno.test("Cryptor works for connections that take turns", () => {
  for (const name of suites.keys()) {
    const pairs = [1, 2, 3].map(() => pair(name));
    const readers = pairs.map(({ receiver }) => new Receiver(receiver));
    for (let round = 0; round < 20; round++) {
      for (const [index, { sender }] of pairs.entries()) {
        readers[index]!.feed(encrypt(sender, seededBytes(round + 1, index)));
      }
    }
    for (const [index, reader] of readers.entries()) {
      const expected = Array.from(
        { length: 20 },
        (_, round) => seededBytes(round + 1, index),
      );
      assertEquals(reader.plaintext, concat(...expected), name);
    }
    for (const { sender, receiver } of pairs) dispose(sender, receiver);
  }
});

Deno.test("Cryptor is of no use once disposed of", () => {
  for (const name of suites.keys()) {
    const { sender, receiver } = pair(name);
    const wire = encrypt(sender, seededBytes(10));
    const out = new Uint8Array(100);
    receiver.decrypt(wire, out);
    dispose(sender, receiver, sender, receiver);
    assertThrows(() => sender.encrypt(seededBytes(1), out), TypeError);
    assertEquals(receiver.decrypt(wire, out), DECRYPT_FAILED);
    const fresh = suites.get(name)!.newCryptor();
    dispose(fresh);
    assertThrows(() => fresh.salt, TypeError);
    assertThrows(() => fresh.decrypt(wire, out), TypeError);
  }
});
