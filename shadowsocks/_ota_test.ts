/**
 * The codec of one-time authentication. The tags were computed with Python:
 * `hmac.new(key, data, hashlib.sha1).digest()[:10].hex()`, where `key` is
 * `iv + master` for headers and packets, `iv + struct.pack(">I", i)` for
 * chunks.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { createHmac } from "node:crypto";
import type { MethodKind } from "../crypto/mod.ts";
import {
  authenticate,
  isAuthentic,
  MAX_CHUNK_DATA,
  OneTimeDecoder,
  OneTimeEncoder,
} from "./_ota.ts";
import { concat, fromHex, utf8 } from "../tests/support/bytes.ts";

const IV = Uint8Array.from({ length: 16 }, (_, i) => i);
const KEY = { iv: IV, masterKey: IV.map((byte) => byte + 0x40) };
const NONE = new Uint8Array(0);

/** `example.com:80`, plain and marked. */
const HEADER = concat(Uint8Array.of(3, 11), utf8("example.com\0P"));
const MARKED = concat(Uint8Array.of(0x13), HEADER.subarray(1));
const HEADER_TAG = fromHex("289c118abd38ef386c64");
/** `hello`, nothing, 300 times `a`: chunks 0 to 2. */
const CHUNKS = [
  { data: utf8("hello"), wire: "0005718653e7e97b8c0aea55" },
  { data: NONE, wire: "0000247b58f8214b818a1c30" },
  { data: new Uint8Array(300).fill(97), wire: "012c009235ca7d1a3f6faf11" },
].map(({ data, wire }) => ({ data, wire: concat(fromHex(wire), data) }));

/** Encodes each piece with one call, for an AEAD method. */
function encode(...pieces: readonly Uint8Array[]): Uint8Array {
  return encodeFor("aead", pieces);
}

function encodeFor(
  kind: MethodKind,
  pieces: readonly Uint8Array[],
): Uint8Array {
  const headerLength = HEADER.length;
  const encoder = new OneTimeEncoder({ ...KEY, headerLength, kind });
  return concat(...pieces.map((piece) => {
    const out = new Uint8Array(piece.length + 1000);
    return out.slice(0, encoder.apply(piece, out));
  }));
}

/** A decoder, and what it has given so far. */
class Decoding {
  drops = 0;
  result: Uint8Array = NONE;
  readonly decoder: OneTimeDecoder;

  constructor(iv: Uint8Array = IV) {
    this.decoder = new OneTimeDecoder({ iv, onDrop: () => this.drops++ });
  }

  /** Decodes pieces. */
  feed(...pieces: readonly Uint8Array[]): this {
    for (const piece of pieces) {
      const out = new Uint8Array(piece.length + MAX_CHUNK_DATA);
      const length = this.decoder.apply(piece, out);
      this.result = concat(this.result, out.subarray(0, length));
    }
    return this;
  }
}

Deno.test("authenticate() gives the tags that Python gives", () => {
  const header = HEADER.slice();
  assertEquals(authenticate(header, KEY), HEADER_TAG);
  assertEquals(header, MARKED);
  const packet = concat(Uint8Array.of(1, 1, 2, 3, 4, 0, 53), utf8("query"));
  assertEquals(authenticate(packet, KEY), fromHex("112b8e57209fe2449ecc"));
  assertEquals(packet[0], 0x11);
  assertEquals(
    authenticate(HEADER.slice(), { ...KEY, iv: NONE }),
    fromHex("6d29931e821e84fa7b5e"),
  );
});

Deno.test("isAuthentic() refuses every flipped bit, and a tag cut short", () => {
  assert(isAuthentic(MARKED, HEADER_TAG, KEY));
  for (const bytes of [MARKED, HEADER_TAG]) {
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      assert(!isAuthentic(MARKED, HEADER_TAG, KEY), `bit ${bit}`);
      bytes[bit >> 3]! ^= 1 << (bit & 7);
    }
  }
  for (let length = 0; length < HEADER_TAG.length; length++) {
    assert(!isAuthentic(MARKED, HEADER_TAG.subarray(0, length), KEY));
  }
  assert(!isAuthentic(MARKED, concat(HEADER_TAG, new Uint8Array(1)), KEY));
});

Deno.test("OneTimeEncoder.apply() tags the header alone, and each chunk", () => {
  const [hello, , letters] = CHUNKS;
  const head = concat(MARKED, HEADER_TAG);
  assertEquals(encode(HEADER), head);
  const whole = concat(head, hello!.wire);
  assertEquals(encode(concat(HEADER, hello!.data)), whole);
  assertEquals(encode(HEADER, hello!.data), whole);
  assertEquals(encode(HEADER, NONE, hello!.data), whole, "no empty chunk");
  const decoding = new Decoding().feed(
    encode(HEADER, hello!.data, letters!.data).subarray(head.length),
  );
  assertEquals(decoding.result, concat(hello!.data, letters!.data));
});

Deno.test("OneTimeEncoder.apply() does not write to the header it was given", () => {
  const header = HEADER.slice();
  encode(header);
  assertEquals(header, HEADER);
});

Deno.test("OneTimeEncoder.apply() makes chunks of at most 16,371 bytes", () => {
  const head = MARKED.length + HEADER_TAG.length;
  for (const size of [16_370, 16_371, 16_372, 32_742, 32_743, 160_000]) {
    const data = Uint8Array.from({ length: size }, (_, i) => i);
    const wire = encode(concat(HEADER, data)).subarray(head);
    const chunks = Math.ceil(size / 16_371);
    assertEquals(wire.length, size + 12 * chunks, `${size}`);
    const { result, drops } = new Decoding().feed(wire);
    assertEquals([result, drops], [data, 0]);
  }
});

Deno.test("OneTimeEncoder.apply() fills 32 KiB with whole chunks for a stream cipher", () => {
  const head = MARKED.length + HEADER_TAG.length;
  const data = Uint8Array.from({ length: 2 * 0x4000 }, (_, i) => i);
  const wire = encodeFor("stream", [concat(HEADER, data)]).subarray(head);
  for (const at of [0, 0x4000]) {
    assertEquals(wire[at]! << 8 | wire[at + 1]!, 0x4000 - 12);
  }
  const { result, drops } = new Decoding().feed(wire);
  assertEquals([result, drops], [data, 0]);
});

// Found by `deno task fuzz`, seed 1, input 1257071212 of "tcp one-time auth".
Deno.test("OneTimeDecoder.apply() takes a chunk whose head ended a read before one that is cut", () => {
  const [hello, , letters] = CHUNKS;
  const [first, second] = [hello!.data, letters!.data];
  const wire = encode(HEADER, first, second).subarray(HEADER.length + 10);
  const head = 12;
  for (const cut of [head + 1, head + 100, head + second.length - 1]) {
    const rest = wire.subarray(head + first.length);
    const decoding = new Decoding().feed(
      wire.subarray(0, head),
      wire.subarray(head, head + first.length),
      rest.subarray(0, cut),
      rest.subarray(cut),
    );
    assertEquals(decoding.result, concat(first, second), `cut at ${cut}`);
    assertEquals(decoding.drops, 0);
  }
});

Deno.test("OneTimeDecoder.apply() takes what Python makes, empty chunks too", () => {
  const wire = concat(...CHUNKS.map((chunk) => chunk.wire));
  const plain = concat(...CHUNKS.map((chunk) => chunk.data));
  assertEquals(new Decoding().feed(wire).result, plain);
  const bytes = Array.from(wire, (byte) => Uint8Array.of(byte));
  const decoding = new Decoding().feed(...bytes);
  assertEquals([decoding.result, decoding.drops], [plain, 0]);
});

Deno.test("OneTimeDecoder.apply() takes a stream cut at every byte", () => {
  const wire = concat(...CHUNKS.map((chunk) => chunk.wire));
  const plain = concat(...CHUNKS.map((chunk) => chunk.data));
  const ends = new Set([0]);
  let at = 0;
  for (const chunk of CHUNKS) ends.add(at += chunk.wire.length);
  for (let cut = 0; cut <= wire.length; cut++) {
    const decoding = new Decoding().feed(wire.subarray(0, cut));
    assertEquals(decoding.decoder.atBoundary, ends.has(cut), `${cut}`);
    decoding.feed(wire.subarray(cut));
    assertEquals([decoding.result, decoding.drops], [plain, 0], `${cut}`);
  }
});

Deno.test("OneTimeDecoder.apply() takes a chunk of 65,535 bytes in pieces", () => {
  const data = new Uint8Array(MAX_CHUNK_DATA).fill(5);
  const tag = createHmac("sha1", concat(IV, new Uint8Array(4))).update(data)
    .digest().subarray(0, 10);
  const wire = concat(Uint8Array.of(0xff, 0xff), tag, data);
  for (const step of [1000, 40_000, 65_546, 65_547]) {
    const decoding = new Decoding();
    for (let at = 0; at < wire.length; at += step) {
      decoding.feed(wire.subarray(at, at + step));
    }
    assertEquals([decoding.result, decoding.drops], [data, 0]);
  }
});

Deno.test("OneTimeDecoder.apply() drops a chunk with any bit flipped", () => {
  const { wire } = CHUNKS[0]!;
  for (let bit = 16; bit < 8 * wire.length; bit++) {
    const forged = wire.slice();
    forged[bit >> 3]! ^= 1 << (bit & 7);
    const decoding = new Decoding().feed(forged);
    assertEquals([decoding.result.length, decoding.drops], [0, 1]);
    assert(decoding.decoder.atBoundary);
    // It did not count: the genuine one is taken now.
    assertEquals(decoding.feed(wire).result, CHUNKS[0]!.data);
  }
});

Deno.test("OneTimeDecoder.apply() gives a prefix when a chunk was altered", () => {
  const [first, second, third] = CHUNKS;
  const forged = second!.wire.slice();
  forged[5]! ^= 1;
  const decoding = new Decoding().feed(first!.wire, forged, third!.wire);
  assertEquals(decoding.result, first!.data);
  assertEquals(decoding.drops, 1, "told once");
});

Deno.test("OneTimeDecoder.apply() drops chunks of another connection", () => {
  const decoding = new Decoding(new Uint8Array(16));
  assertEquals(decoding.feed(CHUNKS[0]!.wire).result.length, 0);
});
