/**
 * BLAKE3 against its published vectors (BLAKE3-team/BLAKE3,
 * test_vectors/test_vectors.json), of which the first 32 bytes count here.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { blake3Hash, KeyDerivation } from "./blake3.ts";
import { toHex } from "../tests/support/bytes.ts";

const CONTEXT = "BLAKE3 2019-12-27 16:29:52 test vectors context";

/** Length of the input, hash, derived key. */
const VECTORS = [
  [
    0,
    "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262",
    "2cc39783c223154fea8dfb7c1b1660f2ac2dcbd1c1de8277b0b0dd39b7e50d7d",
  ],
  [
    1,
    "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213",
    "b3e2e340a117a499c6cf2398a19ee0d29cca2bb7404c73063382693bf66cb06c",
  ],
  [
    1023,
    "10108970eeda3eb932baac1428c7a2163b0e924c9a9e25b35bba72b28f70bd11",
    "74a16c1c3d44368a86e1ca6df64be6a2f64cce8f09220787450722d85725dea5",
  ],
  [
    1024,
    "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7",
    "7356cd7720d5b66b6d0697eb3177d9f8d73a4a5c5e968896eb6a689684302706",
  ],
  [
    1025,
    "d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444",
    "effaa245f065fbf82ac186839a249707c3bddf6d3fdda22d1b95a3c970379bcb",
  ],
  [
    3073,
    "7124b49501012f81cc7f11ca069ec9226cecb8a2c850cfe644e327d22d3e1cd3",
    "72613c9ec9ff7e40f8f5c173784c532ad852e827dba2bf85b2ab4b76f7079081",
  ],
] as const;

function input(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => i % 251);
}

Deno.test("blake3Hash() and KeyDerivation.derive() give what is published", () => {
  const derivation = new KeyDerivation(CONTEXT);
  for (const [length, hash, derived] of VECTORS) {
    const message = input(length);
    assertEquals(toHex(blake3Hash(message)), hash, `${length}`);
    for (const cut of [0, Math.min(16, length), length]) {
      const key = new Uint8Array(32);
      derivation.derive(message.subarray(0, cut), message.subarray(cut), key);
      assertEquals(toHex(key), derived, `${length}, cut at ${cut}`);
    }
    const short = new Uint8Array(16);
    derivation.derive(message, new Uint8Array(0), short);
    assertEquals(toHex(short), derived.slice(0, 32));
  }
});
