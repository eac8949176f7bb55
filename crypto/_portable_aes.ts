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

import { aesBlock } from "./_noble.ts";
import { type NodeCrypto, nodeCrypto } from "./_node.ts";
import type { StreamState } from "./provider.ts";

/** Bytes of an AES block. */
const BLOCK = 16;

/** How a direction is started. */
export interface Start {
  /** The key. */
  readonly key: Uint8Array;
  /** The IV, 16 bytes. */
  readonly iv: Uint8Array;
  /** Which direction. */
  readonly decrypt: boolean;
}

/**
 * Starts one direction.
 *
 * @param cipher The canonical name of the cipher.
 * @param start Key, IV and direction; key and IV are copied.
 * @returns The state; undefined if the cipher is of another family.
 */
export function startPortableAes(
  cipher: string,
  start: Start,
): StreamState | undefined {
  const match = /^aes-(?:128|192|256)-(cfb|cfb8|cfb1|ofb|ctr)$/.exec(cipher);
  switch (match?.[1]) {
    case "cfb":
      return new CfbState(start);
    case "cfb8":
      return new Cfb8State(start);
    case "cfb1":
      return new Cfb1State(start);
    case "ofb":
      return new OfbState(start);
    case "ctr":
      return new CtrState(cipher, start);
    default:
      return undefined;
  }
}

/** An AES block that is encrypted in place: the register of a mode. */
class Register {
  /** The block, at first the IV. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #words: Uint32Array;
  readonly #schedule: Uint32Array;

  constructor(start: Start) {
    const key = start.key.slice();
    this.#schedule = aesBlock.expandKeyLE(key);
    key.fill(0);
    this.bytes = start.iv.slice();
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

  wipe(): void {
    this.#schedule.fill(0);
    this.bytes.fill(0);
  }
}

/** The register holds E(C(i-1)), overwritten with C(i) byte by byte. */
class CfbState implements StreamState {
  readonly #register: Register;
  readonly #decrypt: boolean;
  #used = BLOCK;

  constructor(start: Start) {
    this.#register = new Register(start);
    this.#decrypt = start.decrypt;
  }

  update(input: Uint8Array, output: Uint8Array): void {
    const { bytes } = this.#register;
    const decrypt = this.#decrypt;
    let used = this.#used;
    for (let at = 0; at < input.length; at++) {
      if (used === BLOCK) {
        this.#register.encrypt();
        used = 0;
      }
      const taken = input[at]!;
      const given = taken ^ bytes[used]!;
      bytes[used++] = decrypt ? taken : given;
      output[at] = given;
    }
    this.#used = used;
  }

  [Symbol.dispose](): void {
    this.#register.wipe();
  }
}

class OfbState implements StreamState {
  readonly #register: Register;
  #used = BLOCK;

  constructor(start: Start) {
    this.#register = new Register(start);
  }

  update(input: Uint8Array, output: Uint8Array): void {
    const { bytes } = this.#register;
    let used = this.#used;
    for (let at = 0; at < input.length; at++) {
      if (used === BLOCK) {
        this.#register.encrypt();
        used = 0;
      }
      output[at] = input[at]! ^ bytes[used++]!;
    }
    this.#used = used;
  }

  [Symbol.dispose](): void {
    this.#register.wipe();
  }
}

class Cfb8State implements StreamState {
  readonly #register: Register;
  readonly #last: Uint8Array;
  readonly #decrypt: boolean;

  constructor(start: Start) {
    this.#register = new Register(start);
    this.#last = start.iv.slice();
    this.#decrypt = start.decrypt;
  }

  update(input: Uint8Array, output: Uint8Array): void {
    const { bytes } = this.#register;
    const last = this.#last;
    for (let at = 0; at < input.length; at++) {
      bytes.set(last);
      this.#register.encrypt();
      const taken = input[at]!;
      const given = taken ^ bytes[0]!;
      last.copyWithin(0, 1);
      last[BLOCK - 1] = this.#decrypt ? taken : given;
      output[at] = given;
    }
  }

  [Symbol.dispose](): void {
    this.#register.wipe();
    this.#last.fill(0);
  }
}

class Cfb1State implements StreamState {
  readonly #register: Register;
  readonly #last: Uint8Array;
  readonly #decrypt: boolean;

  constructor(start: Start) {
    this.#register = new Register(start);
    this.#last = start.iv.slice();
    this.#decrypt = start.decrypt;
  }

  update(input: Uint8Array, output: Uint8Array): void {
    for (let at = 0; at < input.length; at++) {
      const taken = input[at]!;
      let given = 0;
      for (let bit = 7; bit >= 0; bit--) {
        given |= this.#bit((taken >> bit) & 1) << bit;
      }
      output[at] = given;
    }
  }

  [Symbol.dispose](): void {
    this.#register.wipe();
    this.#last.fill(0);
  }

  #bit(taken: number): number {
    const { bytes } = this.#register;
    const last = this.#last;
    bytes.set(last);
    this.#register.encrypt();
    const given = taken ^ (bytes[0]! >> 7);
    let carry = this.#decrypt ? taken : given;
    for (let at = BLOCK - 1; at >= 0; at--) {
      const shifted = (last[at]! << 1) | carry;
      last[at] = shifted & 0xff;
      carry = shifted >> 8;
    }
    return given;
  }
}

class CtrState implements StreamState {
  readonly #cipher: ReturnType<NodeCrypto["createCipheriv"]>;

  constructor(cipher: string, start: Start) {
    this.#cipher = nodeCrypto().createCipheriv(cipher, start.key, start.iv);
  }

  update(input: Uint8Array, output: Uint8Array): void {
    output.set(this.#cipher.update(input));
  }

  /** Frees the native state, which only the end of a message does. */
  [Symbol.dispose](): void {
    this.#cipher.final();
  }
}
