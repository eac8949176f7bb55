/**
 * What every provider promises for its stream ciphers, run against all of them.
 *
 * @module
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { guarded, Providers, SIZES } from "./_provider_fixture.ts";
import type { StreamState } from "./provider.ts";
import { randomOf, seededBytes } from "../tests/support/bytes.ts";

Deno.test("StreamState.update() decrypts what it encrypted, at every size", async (t) => {
  using providers = new Providers();
  for (const { name, provider, method } of providers.serving("stream")) {
    await t.step(name, () => {
      using cipher = provider.stream(method);
      const key = seededBytes(method.keyLength, 1);
      const iv = seededBytes(method.saltLength, 2);
      for (const size of SIZES) {
        const plaintext = guarded(size);
        plaintext.bytes.set(seededBytes(size, 3));
        using encrypt = cipher.start(key, iv);
        using decrypt = cipher.start(key, iv, { decrypt: true });
        const sent = guarded(size);
        const received = guarded(size);
        encrypt.update(plaintext.bytes, sent.bytes);
        decrypt.update(sent.bytes, received.bytes);
        assertEquals(received.bytes, plaintext.bytes, `size ${size}`);
        assert(sent.intact() && received.intact(), `size ${size}`);
        if (size > 15) assert(differs(sent.bytes, plaintext.bytes));
      }
    });
  }
});

Deno.test("StreamState.update() gives the same bytes however a stream is cut", async (t) => {
  using providers = new Providers();
  const size = 3000;
  const plaintext = seededBytes(size, 3);
  for (const { name, provider, method } of providers.serving("stream")) {
    await t.step(name, () => {
      using cipher = provider.stream(method);
      const key = seededBytes(method.keyLength, 1);
      const iv = seededBytes(method.saltLength, 2);
      const whole = new Uint8Array(size);
      using one = cipher.start(key, iv);
      one.update(plaintext, whole);
      for (const [seed, longest] of [[11, 5], [12, 70], [13, 700]] as const) {
        using encrypt = cipher.start(key, iv);
        using decrypt = cipher.start(key, iv, { decrypt: true });
        const cuts = { seed, longest };
        assertEquals(inPieces(encrypt, plaintext, cuts), whole);
        assertEquals(inPieces(decrypt, whole, cuts), plaintext);
      }
    });
  }
});

Deno.test("StreamState.update() writes the same bytes in every provider", () => {
  using providers = new Providers();
  const plaintext = seededBytes(1500, 3);
  const expected = new Map<string, Uint8Array>();
  for (const { name, provider, method } of providers.serving("stream")) {
    using cipher = provider.stream(method);
    using state = cipher.start(
      seededBytes(method.keyLength, 1),
      seededBytes(method.saltLength, 2),
    );
    const bytes = new Uint8Array(plaintext.length);
    state.update(plaintext, bytes);
    const { cipher: canonical } = method;
    const first = expected.get(canonical);
    if (first === undefined) expected.set(canonical, bytes);
    else assertEquals(bytes, first, name);
  }
});

Deno.test("StreamCipher.start() copies key and IV and keeps streams apart", async (t) => {
  using providers = new Providers();
  const plaintext = seededBytes(200, 3);
  for (const { name, provider, method } of providers.serving("stream")) {
    await t.step(name, () => {
      using cipher = provider.stream(method);
      const start = (seed: number): StreamState => {
        const key = seededBytes(method.keyLength, seed);
        const iv = seededBytes(method.saltLength, seed + 1);
        const state = cipher.start(key, iv);
        key.fill(0);
        iv.fill(0);
        return state;
      };
      const alone = [1, 5].map((seed) => {
        using state = start(seed);
        return inPieces(state, plaintext, { seed: 1, longest: 30 });
      });
      using first = start(1);
      using second = start(5);
      const mixed = [new Uint8Array(200), new Uint8Array(200)];
      for (let at = 0; at < 200; at += 25) {
        for (const [index, state] of [first, second].entries()) {
          const piece = plaintext.subarray(at, at + 25);
          state.update(piece, mixed[index]!.subarray(at, at + 25));
        }
      }
      assertEquals(mixed, alone);
    });
  }
});

Deno.test("StreamCipher works on when thousands of streams came and went", () => {
  using providers = new Providers();
  for (const { name, provider, method } of providers.serving("stream")) {
    using cipher = provider.stream(method);
    const key = seededBytes(method.keyLength, 1);
    const iv = seededBytes(method.saltLength, 2);
    const first = new Uint8Array(1);
    const again = new Uint8Array(1);
    for (let count = 0; count < 2000; count++) {
      using state = cipher.start(key, iv);
      state.update(new Uint8Array(1), count === 0 ? first : again);
    }
    assertEquals(again, first, name);
  }
});

Deno.test("StreamCipher refuses wrong sizes and use after disposal", async (t) => {
  using providers = new Providers();
  for (const { name, provider, method } of providers.serving("stream")) {
    await t.step(name, () => {
      const cipher = provider.stream(method);
      const key = new Uint8Array(method.keyLength);
      const iv = new Uint8Array(method.saltLength);
      const longer = new Uint8Array(iv.length + 1);
      assertThrows(() => cipher.start(key.subarray(1), iv), RangeError);
      assertThrows(() => cipher.start(key, longer), RangeError);
      const state = cipher.start(key, iv);
      const two = new Uint8Array(2);
      assertThrows(() => state.update(two, new Uint8Array(1)), RangeError);
      state[Symbol.dispose]();
      state[Symbol.dispose]();
      assertThrows(() => state.update(two, new Uint8Array(2)), TypeError);
      cipher[Symbol.dispose]();
      cipher[Symbol.dispose]();
    });
  }
});

/** Sends a stream through a state in pieces of 0 to `longest` bytes. */
function inPieces(
  state: StreamState,
  input: Uint8Array,
  options: { seed: number; longest: number },
): Uint8Array {
  const next = randomOf(options.seed);
  const output = new Uint8Array(input.length);
  let at = 0;
  while (at < input.length) {
    const end = Math.min(input.length, at + next(options.longest + 1));
    state.update(input.subarray(at, end), output.subarray(at, end));
    at = end;
  }
  return output;
}

function differs(a: Uint8Array, b: Uint8Array): boolean {
  return a.some((byte, at) => byte !== b[at]);
}
