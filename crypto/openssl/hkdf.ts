/**
 * The session key of SIP007, HKDF-SHA1 (RFC 5869) with the info text
 * "ss-subkey", over OpenSSL's plain SHA-1. Every connection and every packet
 * needs two. Measured with OpenSSL 3.0.19 on x86-64, this takes 0.9 µs, OpenSSL's
 * HMAC 3.4, and its own HKDF, which looks the digest up each time, 6.
 *
 * All that is hashed here are two blocks: a padded key, and a message that
 * fits into one block with its own padding. So each digest is one native call,
 * and its result is read from the state. Few calls count most in the first
 * seconds of a process, before V8 has optimised those who call.
 *
 * ```text
 * state    h0 … h4 (words of this machine), then what SHA1_Update needs
 * extract  salt ⊕ ipad          | master key, padding       → inner digest
 * first    PRK ⊕ ipad           | info ‖ 1, padding         → inner digest
 * next     PRK ⊕ ipad           | T(n-1) ‖ info ‖ n, padding → inner digest
 * outer    salt or PRK ⊕ opad   | inner digest, padding     → PRK or T(n)
 * ```
 *
 * @module
 */

import { NativeBuffer } from "../_ffi.ts";
import type { DeriveSubkey } from "../_hkdf.ts";
import type { OpensslSymbols } from "./library.ts";

/** FIPS 180-4: words of a SHA-1 digest; bytes and words of an input block. */
const HASH_WORDS = 5;
const HASH_LENGTH = 20;
const BLOCK_LENGTH = 64;
const BLOCK_WORDS = 16;
const WORD = 4;

/** RFC 2104: what the key is added to for the inner and the outer digest. */
const INNER_PAD = 0x36363636;
const OUTER_PAD = 0x5c5c5c5c;

/** FIPS 180-4, section 5.1.1: what follows the last byte of a message. */
const PADDING = 0x80;
/** SIP007: the `info` input of HKDF. */
const INFO = new TextEncoder().encode("ss-subkey");

/** FIPS 180-4, section 5.3.1: the state at the beginning. */
const INITIAL_STATE: readonly number[] = [
  0x67452301,
  0xefcdab89,
  0x98badcfe,
  0x10325476,
  0xc3d2e1f0,
];

/** `size_t` of what is hashed. Made once: a BigInt is a new object each time. */
const TWO_BLOCKS = BigInt(2 * BLOCK_LENGTH);

/** Where things lie in the memory, in bytes; SHA_CTX (openssl/sha.h) has 96. */
const EXTRACT = 128;
const FIRST = EXTRACT + 2 * BLOCK_LENGTH;
const NEXT = FIRST + 2 * BLOCK_LENGTH;
const OUTER = NEXT + 2 * BLOCK_LENGTH;
const LENGTH = OUTER + 2 * BLOCK_LENGTH;
/** T(n-1), and the n of the next step. */
const PREVIOUS = NEXT + BLOCK_LENGTH;
const COUNTER = PREVIOUS + HASH_LENGTH + INFO.length;

/**
 * Makes HKDF-SHA1 out of a libcrypto.
 *
 * @param symbols The library's functions.
 * @returns The function; undefined if the library was built without plain
 * SHA-1. The salt may have up to 64 bytes, the master key 55.
 */
export function makeOpensslHkdf(
  symbols: OpensslSymbols,
): DeriveSubkey | undefined {
  const { SHA1_Init, SHA1_Update } = symbols;
  if (SHA1_Init === null || SHA1_Update === null) return undefined;
  const memory = new NativeBuffer(LENGTH);
  const { bytes, pointer: state } = memory;
  const words = new Uint32Array(bytes.buffer);
  const extract = memory.at(EXTRACT);
  const first = memory.at(FIRST);
  const next = memory.at(NEXT);
  const outer = memory.at(OUTER);
  SHA1_Init(state);
  if (INITIAL_STATE.some((word, i) => word !== words[i])) return undefined;
  putMessage(bytes, FIRST, Uint8Array.of(...INFO, 1));
  putMessage(bytes, NEXT, new Uint8Array(HASH_LENGTH + INFO.length + 1));
  bytes.set(INFO, PREVIOUS + HASH_LENGTH);
  putMessage(bytes, OUTER, new Uint8Array(HASH_LENGTH));
  /** The memory without secrets. */
  const blank = bytes.slice();
  /** The key of the next MAC: the salt, then the pseudorandom key. */
  const key = new Uint32Array(BLOCK_WORDS);
  const keyBytes = new Uint8Array(key.buffer);

  function hash(
    blocks: Deno.PointerObject,
    output: Uint32Array,
    at: number,
  ): void {
    // The rest of the state is a count of bytes, which only SHA1_Final reads,
    // and a buffer that stays empty while whole blocks are hashed.
    for (let i = 0; i < HASH_WORDS; i++) words[i] = INITIAL_STATE[i]!;
    SHA1_Update!(state, blocks, TWO_BLOCKS);
    for (let i = 0; i < HASH_WORDS; i++) output[at + i] = swap(words[i]!);
  }

  /** RFC 2104; `inner` is where the message is. */
  function mac(inner: number, output: Uint32Array, at: number): void {
    for (let i = 0; i < BLOCK_WORDS; i++) {
      const word = key[i]!;
      words[inner / WORD + i] = word ^ INNER_PAD;
      words[OUTER / WORD + i] = word ^ OUTER_PAD;
    }
    const blocks = inner === EXTRACT ? extract : inner === FIRST ? first : next;
    hash(blocks, words, (OUTER + BLOCK_LENGTH) / WORD);
    hash(outer, output, at);
  }

  return function derive(master, salt, subkey): void {
    const { length } = subkey;
    putMessage(bytes, EXTRACT, master);
    keyBytes.set(salt);
    mac(EXTRACT, key, 0);
    key.fill(0, HASH_WORDS);
    for (let at = 0; at < length; at += HASH_LENGTH) {
      bytes[COUNTER] = at / HASH_LENGTH + 1;
      mac(at === 0 ? FIRST : NEXT, words, PREVIOUS / WORD);
      const end = Math.min(HASH_LENGTH, length - at);
      for (let i = 0; i < end; i++) subkey[at + i] = bytes[PREVIOUS + i]!;
    }
    bytes.set(blank);
    key.fill(0);
  };
}

/** Writes a message and its padding into the second of two blocks. */
function putMessage(bytes: Uint8Array, at: number, message: Uint8Array): void {
  const { length } = message;
  const start = at + BLOCK_LENGTH;
  bytes.set(message, start);
  bytes[start + length] = PADDING;
  const bits = 8 * (BLOCK_LENGTH + length);
  bytes[start + BLOCK_LENGTH - 2] = bits >> 8;
  bytes[start + BLOCK_LENGTH - 1] = bits & 255;
}

/** Digests are big-endian, all systems of Deno little-endian. */
function swap(word: number): number {
  return word >>> 24 | word >>> 8 & 0xff00 | (word & 0xff00) << 8 | word << 24;
}
