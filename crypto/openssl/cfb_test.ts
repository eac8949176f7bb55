/**
 * Tests of AES-CFB by the modes of OpenSSL, against published vectors and
 * against OpenSSL's own CFB; without OpenSSL they have nothing to do.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { cString } from "../_ffi.ts";
import { CfbCipher, type CfbParts, isCfbFaster, type StartCfb } from "./cfb.ts";
import { CfbPasses } from "./cfb.ts";
import { loadOpenssl, type OpensslLibrary } from "./library.ts";
import { OpensslStream } from "./stream.ts";
import { guarded } from "../_provider_fixture.ts";
import { STREAM_VECTORS } from "../_vectors_fixture.ts";
import { CipherError } from "../errors.ts";
import {
  fromHex,
  randomOf,
  seededBytes,
  toHex,
} from "../../tests/support/bytes.ts";

/** Opened outside of a test: the library stays loaded. */
const library: OpensslLibrary | undefined = tryLoad();

const BITS = [128, 192, 256] as const;

/** Around the lengths at which the passes begin, and long ones. */
const LENGTHS = [511, 512, 513, 1023, 2047, 2048, 2049, 2063, 2064, 70_001];

Deno.test("CfbPasses.encrypt() and decrypt() agree with published vectors", () => {
  let seen = 0;
  for (const vector of STREAM_VECTORS) {
    const bits = /^aes-(...)-cfb$/.exec(vector.method)?.[1];
    if (bits === undefined || library === undefined) continue;
    using passes = new CfbPasses(
      partsOf(library, `aes-${bits}`),
      fromHex(vector.key),
    );
    const plaintext = fromHex(vector.plaintext);
    const ciphertext = new Uint8Array(plaintext.length);
    passes.encrypt(fromHex(vector.iv), plaintext, ciphertext);
    assertEquals(toHex(ciphertext), vector.ciphertext, vector.origin);
    const opened = new Uint8Array(plaintext.length);
    passes.decrypt(ciphertext, opened);
    assertEquals(opened.subarray(16), plaintext.subarray(16), vector.origin);
    seen++;
  }
  assertEquals(seen, library === undefined ? 0 : 3);
});

Deno.test("CfbPasses.serves() knows its own key alone", () => {
  if (library === undefined) return;
  const key = seededBytes(16);
  using passes = new CfbPasses(partsOf(library, "aes-128"), key);
  assert(passes.serves(key.slice()));
  assert(!passes.serves(key.subarray(1)));
  key[15]! ^= 1;
  assert(!passes.serves(key));
});

Deno.test("CfbCipher writes what OpenSSL's CFB does, at every length", () => {
  forEachDirection((cipher, plain, decrypt, name) => {
    for (const length of LENGTHS) {
      const key = seededBytes(keyLengthOf(name), length);
      const iv = seededBytes(16, length + 1);
      const input = seededBytes(length, length + 2);
      const expected = new Uint8Array(length);
      using slow = plain(key, iv, decrypt);
      slow.update(input, expected);
      using fast = cipher.start(key, iv, decrypt);
      const given = guarded(length);
      given.bytes.set(input);
      const output = guarded(length);
      fast.update(given.bytes, output.bytes);
      assertEquals(output.bytes, expected, `${name}, ${length}`);
      assertEquals(given.bytes, input);
      assert(output.intact(), `${name}, ${length}`);
    }
  });
});

Deno.test("CfbCipher writes what OpenSSL's CFB does, however a stream is cut", () => {
  forEachDirection((cipher, plain, decrypt, name) => {
    const key = seededBytes(keyLengthOf(name), 1);
    const iv = seededBytes(16, 2);
    const input = seededBytes(200_000, 3);
    const expected = new Uint8Array(input.length);
    using slow = plain(key, iv, decrypt);
    slow.update(input, expected);
    for (const seed of [1, 2, 3]) {
      const next = randomOf(seed);
      using fast = cipher.start(key, iv, decrypt);
      const output = new Uint8Array(input.length);
      for (let at = 0; at < input.length;) {
        // Half of the pieces are short: a block and a half at most.
        const longest = next(2) === 0 ? 24 : 6000;
        const end = Math.min(input.length, at + 1 + next(longest));
        fast.update(input.subarray(at, end), output.subarray(at));
        assertEquals(output.subarray(at, end), expected.subarray(at, end));
        at = end;
      }
    }
  });
});

Deno.test("CfbCipher keeps streams apart that share a key", () => {
  forEachDirection((cipher, plain, decrypt, name) => {
    const key = seededBytes(keyLengthOf(name), 1);
    const input = seededBytes(5000, 2);
    const streams = [3, 4, 5].map((seed) => {
      const iv = seededBytes(16, seed);
      return [cipher.start(key, iv, decrypt), plain(key, iv, decrypt)] as const;
    });
    for (let round = 0; round < 4; round++) {
      for (const [fast, slow] of streams) {
        assertEquals(updated(fast, input), updated(slow, input), name);
      }
    }
    for (const pair of streams) {
      for (const state of pair) state[Symbol.dispose]();
    }
  });
});

Deno.test("CfbCipher lets streams go on when the key is another, and after disposal", () => {
  forEachDirection((cipher, plain, decrypt, name) => {
    const input = seededBytes(5000, 2);
    const iv = seededBytes(16, 3);
    const streams = [4, 5, 4].map((seed) => {
      const key = seededBytes(keyLengthOf(name), seed);
      const fast = cipher.start(key, iv, decrypt);
      const slow = plain(key, iv, decrypt);
      key.fill(0);
      return [fast, slow] as const;
    });
    cipher[Symbol.dispose]();
    for (const [fast, slow] of streams) {
      assertEquals(updated(fast, input), updated(slow, input), name);
      fast[Symbol.dispose]();
      slow[Symbol.dispose]();
    }
  });
});

Deno.test("isCfbFaster() believes the clock", () => {
  if (library === undefined) return;
  const parts = partsOf(library, "aes-128");
  const plain = plainOf(library, "aes-128");
  // Four rounds of the passes, then four of the plain one; the best counts.
  const faster = clockOf([9, 9, 9, 1, 2, 3, 3, 3]);
  assertEquals(isCfbFaster(parts, plain, 16, faster), true);
  const slower = clockOf([3, 3, 2, 3, 9, 1, 9, 9]);
  assertEquals(isCfbFaster(parts, plain, 16, slower), false);
});

Deno.test("isCfbFaster() is false when the bytes are others", () => {
  if (library === undefined) return;
  const plain = plainOf(library, "aes-128");
  const parts = partsOf(library, "aes-128");
  const mixed = { ...parts, cbc: parts.ecb };
  const faster = clockOf([1, 1, 1, 1, 2, 2, 2, 2]);
  assertEquals(isCfbFaster(mixed, plain, 16, faster), false);
});

function tryLoad(): OpensslLibrary | undefined {
  try {
    return loadOpenssl();
  } catch (error) {
    if (error instanceof CipherError) return undefined;
    throw error;
  }
}

function forEachDirection(
  run: (
    cipher: CfbCipher,
    plain: StartCfb,
    decrypt: boolean,
    name: string,
  ) => void,
): void {
  if (library === undefined) return;
  for (const bits of BITS) {
    const name = `aes-${bits}`;
    const plain = plainOf(library, name);
    for (const decrypt of [false, true]) {
      using cipher = new CfbCipher(partsOf(library, name), plain);
      run(cipher, plain, decrypt, name);
    }
  }
}

function keyLengthOf(name: string): number {
  return Number(name.slice("aes-".length)) / 8;
}

function partsOf(library: OpensslLibrary, name: string): CfbParts {
  const ecb = cipherOf(library, `${name}-ecb`);
  const cbc = cipherOf(library, `${name}-cbc`);
  return { library, ecb, cbc };
}

function plainOf(library: OpensslLibrary, name: string): StartCfb {
  const cipher = cipherOf(library, `${name}-cfb`);
  return (key, iv, decrypt) =>
    new OpensslStream(library, { cipher, key, iv, encrypt: !decrypt });
}

function cipherOf(library: OpensslLibrary, name: string): Deno.PointerObject {
  const cipher = library.symbols.EVP_get_cipherbyname(cString(name));
  if (cipher === null) throw new TypeError(`Cannot find ${name}`);
  return cipher;
}

function updated(
  state: { update(input: Uint8Array, output: Uint8Array): void },
  input: Uint8Array,
): Uint8Array {
  const output = new Uint8Array(input.length);
  state.update(input, output);
  return output;
}

/** A clock that is asked twice for each time it is to measure. */
function clockOf(times: readonly number[]): () => number {
  let asked = 0;
  let at = 0;
  return () => {
    if (asked++ % 2 === 1) at += times[asked / 2 - 1]!;
    return at;
  };
}
