/**
 * What every provider promises for parts of long buffers, which libraries take
 * as they are: the same as for short ones, which are copied.
 *
 * @module
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { Providers, SIZES } from "./_provider_fixture.ts";
import type { CipherMethod } from "./methods.ts";
import type { AeadKey, AeadPart } from "./provider.ts";
import { seededBytes } from "../tests/support/bytes.ts";
import { seal } from "../tests/support/aead.ts";

/** Around the length up to which a message counts as short, too. */
const LENGTHS = [...SIZES, 2, 399, 400, 401];
/** Bytes before and behind the part, which nobody may touch. */
const MARGIN = 77;
const FILLER = 0xa5;

/** A part in the middle of buffers that are long enough to have a place. */
function partOf(plaintext: Uint8Array, { tagLength }: CipherMethod): AeadPart {
  const { length } = plaintext;
  const size = Math.max(4096, length + tagLength + 2 * MARGIN);
  const input = new Uint8Array(size).fill(FILLER);
  input.set(plaintext, MARGIN);
  const output = new Uint8Array(size).fill(FILLER);
  return { input, start: MARGIN, length, output, at: MARGIN + 1 };
}

/** The way back: what was written is to be read. */
function reversed({ output, at, length }: AeadPart): AeadPart {
  const input = output;
  const back = new Uint8Array(output.length).fill(FILLER);
  return { input, start: at, length, output: back, at: MARGIN };
}

/** What was written; fails if anything beside it was. */
function written({ output, at }: AeadPart, length: number): Uint8Array {
  assert(output.subarray(0, at).every((byte) => byte === FILLER));
  assert(output.subarray(at + length).every((byte) => byte === FILLER));
  return output.slice(at, at + length);
}

function sealed(
  key: AeadKey,
  nonce: Uint8Array,
  plaintext: Uint8Array,
): Uint8Array {
  const bytes = new Uint8Array(plaintext.length + 16);
  seal(key, nonce, plaintext, bytes);
  return bytes;
}

Deno.test("AeadKey.sealPart() and openPart() do with long buffers what they do with short ones", async (t) => {
  using providers = new Providers();
  for (const { name, provider, method } of providers.serving("aead")) {
    await t.step(name, () => {
      using cipher = provider.aead(method);
      using key = cipher.importKey(seededBytes(method.keyLength, 1));
      using other = cipher.importKey(seededBytes(method.keyLength, 2));
      for (const length of LENGTHS) {
        const nonce = seededBytes(method.nonceLength, length);
        const plaintext = seededBytes(length, length + 1);
        const part = partOf(plaintext, method);
        key.sealPart(nonce, part);
        const bytes = written(part, length + method.tagLength);
        assertEquals(bytes, sealed(key, nonce, plaintext), `${length}`);
        // Another key's turn in between.
        other.sealPart(nonce, partOf(plaintext, method));
        const back = reversed(part);
        assert(key.openPart(nonce, back), `${length} bytes are not opened`);
        assertEquals(written(back, length), plaintext, `${length}`);
        assert(!other.openPart(nonce, reversed(part)));
      }
    });
  }
});

Deno.test("AeadKey.openPart() leaves no plaintext when a bit is wrong", async (t) => {
  using providers = new Providers();
  for (const { name, provider, method } of providers.serving("aead")) {
    await t.step(name, () => {
      using cipher = provider.aead(method);
      using key = cipher.importKey(seededBytes(method.keyLength, 1));
      const nonce = seededBytes(method.nonceLength, 2);
      for (const length of [40, 1000]) {
        const plaintext = seededBytes(length, 3);
        const part = partOf(plaintext, method);
        key.sealPart(nonce, part);
        for (let at = 0; at < length + method.tagLength; at += 7) {
          const back = reversed(part);
          back.input = back.input.slice();
          back.input[back.start + at]! ^= 1;
          assertEquals(key.openPart(nonce, back), false, `byte ${at}`);
          const left = back.output.subarray(back.at, back.at + length);
          assert(left.every((byte) => byte === 0 || byte === FILLER));
        }
      }
    });
  }
});

Deno.test("AeadKey.sealPart() and openPart() refuse parts that are not inside", async (t) => {
  using providers = new Providers();
  for (const { name, provider, method } of providers.serving("aead")) {
    await t.step(name, () => {
      using cipher = provider.aead(method);
      const key = cipher.importKey(new Uint8Array(method.keyLength));
      const nonce = new Uint8Array(method.nonceLength);
      const input = new Uint8Array(5000);
      const output = new Uint8Array(5000);
      const whole = { input, start: 0, length: 10, output, at: 0 };
      for (
        const change of [
          { start: -1 },
          { start: 4991 },
          { length: -1 },
          { length: 5001 },
          { at: -1 },
          { at: 5000 - 25 },
          { start: NaN },
          { at: NaN },
          { length: NaN },
        ]
      ) {
        const part = { ...whole, ...change };
        const say = JSON.stringify(change);
        assertThrows(() => key.sealPart(nonce, part), RangeError, "", say);
      }
      for (const change of [{ start: 4975 }, { at: 4991 }, { at: -1 }]) {
        const part = { ...whole, ...change };
        const say = JSON.stringify(change);
        assertThrows(() => key.openPart(nonce, part), RangeError, "", say);
      }
      const short = nonce.subarray(1);
      assertThrows(() => key.sealPart(short, whole), RangeError);
      assertThrows(() => key.openPart(short, whole), RangeError);
      key[Symbol.dispose]();
      assertThrows(() => key.sealPart(nonce, whole));
      assertThrows(() => key.openPart(nonce, whole));
    });
  }
});

Deno.test("AeadKey.sealPart() is right when many keys take turns", async (t) => {
  using providers = new Providers();
  for (const { name, provider, method } of providers.serving("aead")) {
    await t.step(name, () => {
      using cipher = provider.aead(method);
      // More than a library keeps ready.
      const keys = Array.from(
        { length: 200 },
        (_, i) => cipher.importKey(seededBytes(method.keyLength, i)),
      );
      const nonce = seededBytes(method.nonceLength, 1);
      const plaintext = seededBytes(50, 2);
      const expected = keys.map((key) => sealed(key, nonce, plaintext));
      for (let round = 0; round < 2; round++) {
        for (const [i, key] of keys.entries()) {
          const part = partOf(plaintext, method);
          key.sealPart(nonce, part);
          assertEquals(written(part, 50 + method.tagLength), expected[i]);
        }
      }
      for (const key of keys.splice(0, 150)) key[Symbol.dispose]();
      for (const [i, key] of keys.entries()) {
        const part = partOf(plaintext, method);
        key.sealPart(nonce, part);
        assertEquals(written(part, 50 + method.tagLength), expected[150 + i]);
        key[Symbol.dispose]();
      }
    });
  }
});
