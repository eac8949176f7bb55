/**
 * How a position in a keystream is kept, on a keystream that can be counted.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import {
  type Keystream,
  startKeystream,
  type XorBlocks,
} from "./_keystream.ts";
import { CipherError } from "./errors.ts";
import type { StreamState } from "./provider.ts";

/** A keystream whose bytes are the numbers of their blocks, modulo 251. */
class CountingKeystream implements Keystream {
  readonly blocks: number;
  readonly calls: { length: number; counter: number }[] = [];
  /** The keys given with the calls. */
  readonly keys: Uint8Array[] = [];
  readonly xor: XorBlocks = (key, _nonce, input, output, length, counter) => {
    this.keys.push(key);
    this.calls.push({ length, counter });
    for (let at = 0; at < length; at++) {
      output[at] = input[at]! ^ (counter + Math.floor(at / 64)) % 251;
    }
  };

  constructor(blocks: number) {
    this.blocks = blocks;
  }
}

function start(keystream: Keystream, counter = 0): StreamState {
  const key = new Uint8Array(32).fill(9);
  return startKeystream(keystream, key, new Uint8Array(8), counter);
}

Deno.test("startKeystream().update() takes up where it stopped when cut at any two places", () => {
  const zeros = new Uint8Array(200);
  const whole = Uint8Array.from(zeros, (_, at) => Math.floor(at / 64));
  for (let first = 0; first <= 200; first++) {
    for (const second of [first, first + 1, first + 63, first + 64, 199]) {
      using state = start(new CountingKeystream(Infinity));
      const output = new Uint8Array(200);
      let at = 0;
      for (const end of [first, second, 200]) {
        if (end < at || end > 200) continue;
        state.update(zeros.subarray(at, end), output.subarray(at, end));
        at = end;
      }
      assertEquals(output, whole, `cut at ${first} and ${second}`);
    }
  }
});

Deno.test("startKeystream().update() passes whole blocks on in one call", () => {
  const keystream = new CountingKeystream(Infinity);
  using state = start(keystream);
  const bytes = new Uint8Array(1000);
  state.update(bytes, bytes.slice());
  assertEquals(keystream.calls, [
    { length: 960, counter: 0 },
    { length: 64, counter: 15 },
  ]);
});

Deno.test("startKeystream().update() uses the last block and throws at the one after", () => {
  const keystream = new CountingKeystream(2 ** 32);
  using state = start(keystream, 2 ** 32 - 1);
  const bytes = new Uint8Array(64);
  state.update(bytes.subarray(0, 63), bytes);
  state.update(bytes.subarray(63), bytes);
  assertThrows(() => state.update(bytes.subarray(0, 1), bytes), CipherError);
  assertEquals(keystream.calls.length, 1);
});

Deno.test("startKeystream().update() throws when a piece goes past the last block", () => {
  const keystream = new CountingKeystream(2);
  using state = start(keystream);
  const bytes = new Uint8Array(192);
  assertThrows(() => state.update(bytes, bytes.slice()), CipherError);
  assertEquals(keystream.calls, []);
});

Deno.test("startKeystream()[Symbol.dispose]() wipes the key", () => {
  const keystream = new CountingKeystream(2);
  const state = start(keystream);
  state.update(new Uint8Array(64), new Uint8Array(64));
  assertEquals(keystream.keys[0], new Uint8Array(32).fill(9));
  state[Symbol.dispose]();
  assertEquals(keystream.keys[0], new Uint8Array(32));
});
