/**
 * The session key of SIP007, HKDF-SHA1 (RFC 5869) with the info text
 * "ss-subkey", over OpenSSL's plain SHA-1. Every connection and every packet
 * needs two: this takes 2 µs, OpenSSL's HMAC 3.4, and its own HKDF, which
 * looks the digest up each time, 6.
 *
 * @module
 */

import type { OpensslSymbols } from "./_openssl_library.ts";

/** FIPS 180-4: bytes of a SHA-1 digest and of its input blocks. */
const HASH_LENGTH = 20;
const BLOCK_LENGTH = 64;

/** RFC 2104: what the key is added to for the inner and the outer digest. */
const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;

/** openssl/sha.h: SHA_CTX is 24 words; rounded up generously. */
const CONTEXT_BYTES = 128;

/** SIP007: the `info` input of HKDF. */
const INFO = new TextEncoder().encode("ss-subkey");

/** Derives a subkey of `length` bytes from a master key and a salt. */
export type DeriveSubkey = (
  master: Uint8Array,
  salt: Uint8Array,
  length: number,
) => Uint8Array<ArrayBuffer>;

/**
 * Makes HKDF-SHA1 out of a libcrypto.
 *
 * @param symbols The library's functions.
 * @returns The function; undefined if the library was built without plain
 * SHA-1. Salt and master key may have up to 64 bytes.
 */
export function makeOpensslHkdf(
  symbols: OpensslSymbols,
): DeriveSubkey | undefined {
  const { SHA1_Init, SHA1_Update, SHA1_Final } = symbols;
  if (SHA1_Init === null || SHA1_Update === null || SHA1_Final === null) {
    return undefined;
  }
  /** SHA_CTX: fresh, and after the inner and the outer block of a key. */
  const fresh = new Uint8Array(CONTEXT_BYTES);
  const inner = new Uint8Array(CONTEXT_BYTES);
  const outer = new Uint8Array(CONTEXT_BYTES);
  const context = new Uint8Array(CONTEXT_BYTES);
  const pad = new Uint8Array(BLOCK_LENGTH);
  const blockLength = BigInt(BLOCK_LENGTH);
  const hashLength = BigInt(HASH_LENGTH);
  const pseudoRandomKey = new Uint8Array(HASH_LENGTH);
  /** T(n-1) ‖ info ‖ n: the input of a step of the expansion. */
  const step = new Uint8Array(HASH_LENGTH + INFO.length + 1);
  /** The same with T(0), which is empty. */
  const firstStep = step.subarray(HASH_LENGTH);
  step.set(INFO, HASH_LENGTH);
  SHA1_Init(fresh);

  /** RFC 2104, the part that depends on the key alone. */
  function setKey(key: Uint8Array): void {
    pad.fill(INNER_PAD);
    for (let i = 0; i < key.length; i++) pad[i]! ^= key[i]!;
    inner.set(fresh);
    SHA1_Update!(inner, pad, blockLength);
    for (let i = 0; i < BLOCK_LENGTH; i++) pad[i]! ^= INNER_PAD ^ OUTER_PAD;
    outer.set(fresh);
    SHA1_Update!(outer, pad, blockLength);
  }

  function mac(message: Uint8Array, out: Uint8Array): void {
    context.set(inner);
    SHA1_Update!(context, message, BigInt(message.length));
    SHA1_Final!(out, context);
    context.set(outer);
    SHA1_Update!(context, out, hashLength);
    SHA1_Final!(out, context);
  }

  return function derive(master, salt, length): Uint8Array<ArrayBuffer> {
    const subkey = new Uint8Array(length);
    setKey(salt);
    mac(master, pseudoRandomKey);
    setKey(pseudoRandomKey);
    for (let at = 0; at < length; at += HASH_LENGTH) {
      step[step.length - 1] = at / HASH_LENGTH + 1;
      // A digest lands where the next step wants it.
      mac(at === 0 ? firstStep : step, step);
      subkey.set(step.subarray(0, Math.min(HASH_LENGTH, length - at)), at);
    }
    for (const secret of [inner, outer, context, pad, pseudoRandomKey]) {
      secret.fill(0);
    }
    step.fill(0, 0, HASH_LENGTH);
    return subkey;
  };
}
