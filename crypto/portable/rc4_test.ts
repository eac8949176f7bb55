/**
 * Tests of RC4 with the vectors of RFC 6229.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { Rc4 } from "./rc4.ts";
import { fromHex, seededBytes, toHex } from "../../tests/support/bytes.ts";

/** RFC 6229: the key stream of a key, by offset. */
const VECTORS: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  "0102030405": {
    0: "b2396305f03dc027ccc3524a0a1118a8",
    16: "6982944f18fc82d589c403a47a0d0919",
  },
  "0102030405060708090a0b0c0d0e0f10": {
    0: "9ac7cc9a609d1ef7b2932899cde41b97",
    16: "5248c4959014126a6e8a84f11d1a9e1c",
    240: "065902e4b620f6cc36c8589f66432f2b",
    256: "d39d566bc6bce3010768151549f3873f",
    496: "b6d1e6c4a5e4771cad79538df295fb11",
    512: "c68c1d5c559a974123df1dbc52a43b89",
    1008: "e7a72574f8782ae26aabcf9ebcd66065",
    1024: "bdf0324e6083dcc6d3cedd3ca8c53c16",
    2032: "d03d1bc03cd33d70dff9fa5d71963ebd",
    2048: "8a44126411eaa78bd51e8d87a8879bf5",
    4080: "ff38265c1642c1abe8d3c2fe5e572bf8",
    4096: "a36a4c301ae8ac13610ccbc12256cacc",
  },
};

Deno.test("Rc4.update() gives the key streams of RFC 6229", () => {
  for (const [key, stream] of Object.entries(VECTORS)) {
    using cipher = new Rc4(fromHex(key));
    const out = new Uint8Array(4112);
    cipher.update(new Uint8Array(4112), out);
    for (const [offset, expected] of Object.entries(stream)) {
      const at = Number(offset);
      assertEquals(toHex(out.subarray(at, at + 16)), expected, offset);
    }
  }
});

Deno.test("Rc4.update() goes on where it stopped", () => {
  const plaintext = seededBytes(1000);
  const key = seededBytes(16, 7);
  using whole = new Rc4(key);
  using pieces = new Rc4(key);
  const expected = new Uint8Array(1000);
  const actual = new Uint8Array(1000);
  whole.update(plaintext, expected);
  for (let at = 0; at < 1000; at += 37) {
    const end = Math.min(at + 37, 1000);
    pieces.update(plaintext.subarray(at, end), actual.subarray(at, end));
  }
  assertEquals(actual, expected);
});
