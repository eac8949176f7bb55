/**
 * The session key of SIP007, HKDF-SHA1 (RFC 5869) with the info text
 * "ss-subkey", over OpenSSL's plain SHA-1. Every connection and every packet
 * needs two: this takes 2 µs, OpenSSL's HMAC 3.4, and its own HKDF, which
 * looks the digest up each time, 6.
 *
 * @module
 */

import { NativeBuffer } from "./_ffi.ts";
import type { DeriveSubkey } from "./_hkdf.ts";
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

/** The lengths of what is hashed, as `size_t`: made once, since BigInt. */
const BLOCK_SIZE = BigInt(BLOCK_LENGTH);
const HASH_SIZE = BigInt(HASH_LENGTH);
const FIRST_STEP_SIZE = BigInt(INFO.length + 1);
const STEP_SIZE = BigInt(HASH_LENGTH + INFO.length + 1);

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
  /** SHA_CTX: after the inner and the outer block of a key, and at work. */
  const inner = new NativeBuffer(CONTEXT_BYTES);
  const outer = new NativeBuffer(CONTEXT_BYTES);
  const context = new NativeBuffer(CONTEXT_BYTES);
  const pad = new NativeBuffer(BLOCK_LENGTH);
  const masterKey = new NativeBuffer(BLOCK_LENGTH);
  const pseudoRandomKey = new NativeBuffer(HASH_LENGTH);
  /** T(n-1) ‖ info ‖ n: the input of a step of the expansion. */
  const step = new NativeBuffer(HASH_LENGTH + INFO.length + 1);
  /** The same with T(0), which is empty. */
  const firstStep = step.at(HASH_LENGTH);
  const stepLength = step.bytes.length;
  step.bytes.set(INFO, HASH_LENGTH);
  const secrets = [inner, outer, context, pad, masterKey, pseudoRandomKey];
  const fresh = new Uint8Array(CONTEXT_BYTES);
  SHA1_Init(context.pointer);
  fresh.set(context.bytes);

  /** RFC 2104, the part that depends on the key alone. */
  function setKey(key: Uint8Array): void {
    pad.bytes.fill(INNER_PAD);
    for (let i = 0; i < key.length; i++) pad.bytes[i]! ^= key[i]!;
    inner.bytes.set(fresh);
    SHA1_Update!(inner.pointer, pad.pointer, BLOCK_SIZE);
    for (let i = 0; i < BLOCK_LENGTH; i++) {
      pad.bytes[i]! ^= INNER_PAD ^ OUTER_PAD;
    }
    outer.bytes.set(fresh);
    SHA1_Update!(outer.pointer, pad.pointer, BLOCK_SIZE);
  }

  function mac(
    message: Deno.PointerObject,
    size: bigint,
    out: Deno.PointerObject,
  ): void {
    context.bytes.set(inner.bytes);
    SHA1_Update!(context.pointer, message, size);
    SHA1_Final!(out, context.pointer);
    context.bytes.set(outer.bytes);
    SHA1_Update!(context.pointer, out, HASH_SIZE);
    SHA1_Final!(out, context.pointer);
  }

  return function derive(master, salt, subkey): void {
    const { length } = subkey;
    masterKey.bytes.set(master);
    setKey(salt);
    mac(masterKey.pointer, BigInt(master.length), pseudoRandomKey.pointer);
    setKey(pseudoRandomKey.bytes);
    for (let at = 0; at < length; at += HASH_LENGTH) {
      step.bytes[stepLength - 1] = at / HASH_LENGTH + 1;
      // A digest lands where the next step wants it.
      if (at === 0) mac(firstStep, FIRST_STEP_SIZE, step.pointer);
      else mac(step.pointer, STEP_SIZE, step.pointer);
      const end = Math.min(HASH_LENGTH, length - at);
      for (let i = 0; i < end; i++) subkey[at + i] = step.bytes[i]!;
    }
    for (const { bytes } of secrets) bytes.fill(0);
    step.bytes.fill(0, 0, HASH_LENGTH);
  };
}
