/**
 * AES as a stream cipher without native libraries: CTR by node:crypto, and the
 * feedback modes of NIST SP 800-38A built here on noble's AES block function.
 *
 * ```text
 * CFB128  C(i) = P(i) ^ E(C(i-1))          C(0) = IV
 * OFB     O(i) = E(O(i-1))                 C(i) = P(i) ^ O(i), O(0) = IV
 * CFB8    as CFB128 with a register that takes one byte of C at a time
 * CFB1    the same, one bit at a time, highest bit first
 * ```
 *
 * @module
 */

import { unsafe as aesBlock } from "@noble/ciphers/aes.js";
import { type NodeCrypto, nodeCrypto } from "../_node.ts";
import type { StreamStart } from "../_stream_cipher.ts";
import { CipherError } from "../errors.ts";
import type { StreamState } from "../provider.ts";

/** Bytes of an AES block. */
const BLOCK = 16;

/**
 * Finds AES in a mode.
 *
 * @param cipher The canonical name of the cipher.
 * @returns What starts it; undefined if it is of another family.
 */
export function findPortableAes(cipher: string): StreamStart | undefined {
  const match = /^aes-(?:128|192|256)-(cfb|cfb8|cfb1|ofb|ctr)$/.exec(cipher);
  switch (match?.[1]) {
    case "cfb":
      return (key, iv, decrypt) =>
        new BlockState(new AesRegister(key, iv), decrypt ? "input" : "output");
    case "ofb":
      return (key, iv) => new BlockState(new AesRegister(key, iv), "nothing");
    case "cfb8":
      return (key, iv, decrypt) =>
        new ShiftState(new AesRegister(key, iv), 8, decrypt);
    case "cfb1":
      return (key, iv, decrypt) =>
        new ShiftState(new AesRegister(key, iv), 1, decrypt);
    case "ctr":
      return (key, iv) => new CtrState(cipher, key, iv);
    default:
      return undefined;
  }
}

/** An AES block that is encrypted in place: the register of a mode. */
class AesRegister {
  /** The block, at first the IV. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #words: Uint32Array;
  readonly #schedule: Uint32Array;

  constructor(key: Uint8Array, iv: Uint8Array) {
    const own = key.slice();
    this.#schedule = aesBlock.expandKeyLE(own);
    own.fill(0);
    this.bytes = iv.slice();
    // noble's words are little-endian, as is every system that Deno runs on.
    this.#words = new Uint32Array(this.bytes.buffer);
  }

  encrypt(): void {
    const words = this.#words;
    const { s0, s1, s2, s3 } = aesBlock.encrypt(
      this.#schedule,
      words[0]!,
      words[1]!,
      words[2]!,
      words[3]!,
    );
    words[0] = s0;
    words[1] = s1;
    words[2] = s2;
    words[3] = s3;
  }

  [Symbol.dispose](): void {
    this.#schedule.fill(0);
    this.bytes.fill(0);
  }
}

/**
 * CFB128 and OFB: the register holds a block of keystream, which in CFB is
 * overwritten with the ciphertext byte by byte.
 */
class BlockState implements StreamState {
  readonly #register: AesRegister;
  readonly #feedback: "input" | "output" | "nothing";
  #used = BLOCK;

  constructor(
    register: AesRegister,
    feedback: "input" | "output" | "nothing",
  ) {
    this.#register = register;
    this.#feedback = feedback;
  }

  update(input: Uint8Array, output: Uint8Array): void {
    const { bytes } = this.#register;
    const feedback = this.#feedback;
    let used = this.#used;
    for (let at = 0; at < input.length; at++) {
      if (used === BLOCK) {
        this.#register.encrypt();
        used = 0;
      }
      const taken = input[at]!;
      const given = taken ^ bytes[used]!;
      output[at] = given;
      if (feedback === "input") bytes[used] = taken;
      else if (feedback === "output") bytes[used] = given;
      used++;
    }
    this.#used = used;
  }

  [Symbol.dispose](): void {
    this.#register[Symbol.dispose]();
  }
}

/**
 * CFB8 and CFB1: the last 16 bytes of IV ‖ ciphertext are encrypted for every
 * 8 bits or every bit, and only so many of the result are used.
 */
class ShiftState implements StreamState {
  readonly #register: AesRegister;
  /** What is encrypted next. */
  readonly #last: Uint8Array;
  readonly #bits: number;
  readonly #decrypt: boolean;

  constructor(register: AesRegister, bits: 1 | 8, decrypt: boolean) {
    this.#register = register;
    this.#last = register.bytes.slice();
    this.#bits = bits;
    this.#decrypt = decrypt;
  }

  update(input: Uint8Array, output: Uint8Array): void {
    const bits = this.#bits;
    const mask = (1 << bits) - 1;
    for (let at = 0; at < input.length; at++) {
      let given = 0;
      for (let shift = 8 - bits; shift >= 0; shift -= bits) {
        given |= this.#step(input[at]! >> shift & mask) << shift;
      }
      output[at] = given;
    }
  }

  [Symbol.dispose](): void {
    this.#register[Symbol.dispose]();
    this.#last.fill(0);
  }

  /** Encrypts or decrypts the next bits. */
  #step(taken: number): number {
    const bits = this.#bits;
    const { bytes } = this.#register;
    const last = this.#last;
    bytes.set(last);
    this.#register.encrypt();
    const given = taken ^ bytes[0]! >> 8 - bits;
    let carry = this.#decrypt ? taken : given;
    for (let at = BLOCK - 1; at >= 0; at--) {
      const shifted = last[at]! << bits | carry;
      last[at] = shifted;
      carry = shifted >> 8;
    }
    return given;
  }
}

class CtrState implements StreamState {
  readonly #cipher: ReturnType<NodeCrypto["createCipheriv"]>;

  constructor(cipher: string, key: Uint8Array, iv: Uint8Array) {
    try {
      this.#cipher = nodeCrypto().createCipheriv(cipher, key, iv);
    } catch (cause) {
      const message = `Cannot start ${cipher}: node:crypto refused`;
      throw new CipherError("library_failure", message, { cause });
    }
  }

  update(input: Uint8Array, output: Uint8Array): void {
    output.set(this.#cipher.update(input));
  }

  /** Frees the native state, which only the end of a message does. */
  [Symbol.dispose](): void {
    this.#cipher.final();
  }
}
