/**
 * The functions that this folder takes from noble-ciphers, in one place, with
 * the types in which they are used here.
 *
 * @module
 */

import { poly1305 as poly } from "@noble/ciphers/_poly1305.js";
import * as aes from "@noble/ciphers/aes.js";
import * as chacha from "@noble/ciphers/chacha.js";
import { salsa20 as salsa } from "@noble/ciphers/salsa.js";
import { equalBytes as equal } from "@noble/ciphers/utils.js";

/**
 * Adds a keystream to `input`, from the 64-byte block `counter` on, which is
 * the first if it is left out. `output` has the length of `input`.
 */
export type XorStream = (
  key: Uint8Array,
  nonce: Uint8Array,
  input: Uint8Array,
  output?: Uint8Array,
  counter?: number,
) => Uint8Array;

/** Makes the cipher of one message; `decrypt` throws if the tag is wrong. */
export type MessageCipher = (key: Uint8Array, nonce: Uint8Array) => {
  encrypt(plaintext: Uint8Array): Uint8Array;
  decrypt(sealed: Uint8Array): Uint8Array;
};

/** AES on one block of four words. */
export interface AesBlock {
  /** Makes the key schedule of encryption. */
  expandKeyLE(key: Uint8Array): Uint32Array;
  /** Encrypts a block. */
  encrypt(
    schedule: Uint32Array,
    s0: number,
    s1: number,
    s2: number,
    s3: number,
  ): { s0: number; s1: number; s2: number; s3: number };
}

/** The HChaCha20 function, on little-endian words. */
export type HChaCha = (
  sigma: Uint32Array,
  key: Uint32Array,
  input: Uint32Array,
  output: Uint32Array,
) => void;

/** A running Poly1305. */
export interface Mac {
  /** Takes the next bytes. */
  update(bytes: Uint8Array): Mac;
  /** Gives the tag of 16 bytes. */
  digest(): Uint8Array;
}

/** AES in Galois/Counter mode. */
export const gcm: MessageCipher = aes.gcm;
/** AES on one block. */
export const aesBlock: AesBlock = aes.unsafe;
/** ChaCha20 with a nonce of 12 bytes (RFC 8439). */
export const chacha20: XorStream = chacha.chacha20;
/** ChaCha20 with a nonce of 8 bytes. */
export const chacha20orig: XorStream = chacha.chacha20orig;
/** ChaCha20 with a nonce of 24 bytes. */
export const xchacha20: XorStream = chacha.xchacha20;
/** Salsa20 with a nonce of 8 bytes. */
export const salsa20: XorStream = salsa;
/** ChaCha20-Poly1305 (RFC 8439). */
export const chacha20poly1305: MessageCipher = chacha.chacha20poly1305;
/** XChaCha20-Poly1305. */
export const xchacha20poly1305: MessageCipher = chacha.xchacha20poly1305;
/** HChaCha20. */
export const hchacha: HChaCha = chacha.hchacha;
/** Compares without telling by its time where the difference is. */
export const equalBytes: (a: Uint8Array, b: Uint8Array) => boolean = equal;

/**
 * Starts a Poly1305.
 *
 * @param key 32 bytes, for one message only.
 * @returns The running function.
 */
export function poly1305(key: Uint8Array): Mac {
  return poly.create(key);
}
