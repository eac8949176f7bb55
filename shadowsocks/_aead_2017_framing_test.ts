/**
 * Tests of AEAD framing against the format written out a second time.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import {
  type CipherMethod,
  type CryptoProvider,
  openProviders,
} from "../crypto/mod.ts";
import { encrypt, Receiver } from "./_bytes_fixture.ts";
import { DECRYPT_FAILED } from "./cryptor.ts";
import { CipherSuite } from "./suite.ts";
import { concat, seededBytes } from "../tests/support/bytes.ts";
import { open, seal } from "../tests/support/aead.ts";

/** Opened outside of a test: native libraries stay loaded. */
const providers = await openProviders();
const suite = await CipherSuite.create(
  "aes-128-gcm",
  "correct horse",
  providers,
);
const provider: CryptoProvider = await providers.forMethod(suite.method);

/** What to put on the wire as a chunk: a length and a payload. */
type Chunk = readonly [length: number, payload: Uint8Array];

/** The framing written out a second time, with any chunk one likes. */
function wireOf(method: CipherMethod, chunks: readonly Chunk[]): Uint8Array {
  using cipher = provider.aead(method);
  const salt = seededBytes(method.saltLength, 99);
  using key = cipher.sessionKey({ masterKey: suite.masterKey, salt });
  const pieces: Uint8Array[] = [salt];
  let counter = 0;
  for (const [length, payload] of chunks) {
    for (const text of [new Uint8Array([length >> 8, length]), payload]) {
      const sealed = new Uint8Array(text.length + 16);
      seal(key, nonceOf(counter++), text, sealed);
      pieces.push(sealed);
    }
  }
  return concat(...pieces);
}

/** SIP004: the counter as 96 bits, little endian. */
function nonceOf(counter: number): Uint8Array {
  const nonce = new Uint8Array(12);
  new DataView(nonce.buffer).setBigUint64(0, BigInt(counter), true);
  return nonce;
}

Deno.test("AeadFraming reads chunks as SIP004 has them", () => {
  const chunks: Chunk[] = [
    [3, seededBytes(3, 1)],
    [0x3fff, seededBytes(0x3fff, 2)],
    [1, seededBytes(1, 3)],
  ];
  using cryptor = suite.newCryptor();
  const reader = new Receiver(cryptor);
  reader.feed(wireOf(suite.method, chunks));
  assertEquals(reader.plaintext, concat(...chunks.map(([, bytes]) => bytes)));
  assert(cryptor.atBoundary(0));
});

Deno.test("AeadFraming refuses a length above 0x3FFF and masks nothing", () => {
  for (const length of [0x4000, 0x8005, 0xc005, 0xffff]) {
    const payload = seededBytes(length & 0x3fff, 2);
    const bytes = wireOf(suite.method, [[5, seededBytes(5)], [
      length,
      payload,
    ]]);
    using cryptor = suite.newCryptor();
    const out = new Uint8Array(bytes.length);
    assertEquals(cryptor.decrypt(bytes, out), 5);
    assertEquals(out.subarray(0, 5), seededBytes(5));
    assert(cryptor.failed);
    const rest = bytes.subarray(cryptor.consumed);
    assertEquals(cryptor.decrypt(rest, out), DECRYPT_FAILED);
  }
});

Deno.test("AeadFraming puts up with chunks of nothing", () => {
  const nothing: Chunk = [0, new Uint8Array(0)];
  const chunks = [nothing, nothing, [7, seededBytes(7)] as const, nothing];
  const wire = wireOf(suite.method, chunks);
  for (let cut = 0; cut <= wire.length; cut++) {
    using cryptor = suite.newCryptor();
    const reader = new Receiver(cryptor);
    reader.feed(wire.subarray(0, cut));
    reader.feed(wire.subarray(cut));
    assertEquals(reader.plaintext, seededBytes(7));
    assert(cryptor.atBoundary(reader.leftover.length));
  }
});

Deno.test("AeadFraming writes chunks as SIP004 has them", () => {
  using cryptor = suite.newCryptor();
  const wire = encrypt(cryptor, seededBytes(40_000));
  const { method } = suite;
  using cipher = provider.aead(method);
  const salt = wire.subarray(0, 16);
  using key = cipher.sessionKey({ masterKey: suite.masterKey, salt });
  const lengths: number[] = [];
  let at = 16;
  let counter = 0;
  while (at < wire.length) {
    const head = new Uint8Array(2);
    const sealedHead = wire.subarray(at, at + 18);
    assert(open(key, nonceOf(counter++), sealedHead, head));
    const length = head[0]! * 256 + head[1]!;
    const payload = new Uint8Array(length);
    const sealed = wire.subarray(at + 18, at + 34 + length);
    assert(open(key, nonceOf(counter++), sealed, payload));
    lengths.push(length);
    at += 34 + length;
  }
  assertEquals(lengths, [16383, 16383, 40_000 - 2 * 16383]);
});

Deno.test("AeadFraming counts past one and two bytes of the nonce", () => {
  const COUNT = 33_000;
  using sender = suite.newCryptor();
  using receiver = suite.newCryptor();
  using cipher = provider.aead(suite.method);
  const salt = sender.salt!;
  using key = cipher.sessionKey({ masterKey: suite.masterKey, salt });
  const one = new Uint8Array(1);
  const wire = new Uint8Array(100);
  const out = new Uint8Array(100);
  for (let index = 0; index < COUNT; index++) {
    one[0] = index;
    const length = sender.encrypt(one, wire);
    const data = wire.subarray(0, length);
    if (receiver.decrypt(data, out) !== 1 || out[0] !== (index & 0xff)) {
      throw new Error(`chunk ${index} is not right`);
    }
    // Length and payload take a nonce each: these are around 2⁸ and 2¹⁶.
    if ([127, 128, 129, 32_767, 32_768, 32_769].includes(index)) {
      const payload = data.subarray(length - 17);
      assert(open(key, nonceOf(2 * index + 1), payload, out.subarray(0, 1)));
    }
  }
});

Deno.test("AeadFraming does not read what it wrote itself as the peer's", () => {
  // Each direction has its own counter: a second chunk is no first one.
  using cryptor = suite.newCryptor();
  const first = encrypt(cryptor, seededBytes(10));
  const second = encrypt(cryptor, seededBytes(10));
  using other = suite.newCryptor();
  const data = concat(first.subarray(0, 16), second);
  assertEquals(other.decrypt(data, new Uint8Array(200)), DECRYPT_FAILED);
});
