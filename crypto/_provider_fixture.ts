/**
 * What the tests of the providers share: every provider that opens on this
 * machine, the methods that each has, and repeatable bytes.
 *
 * @module
 */

import { CipherError } from "./errors.ts";
import { openMbedtls } from "./mbedtls/provider.ts";
import { CIPHER_METHODS, type CipherMethod, findMethod } from "./methods.ts";
import { openOpenssl } from "./openssl/provider.ts";
import { openPortable } from "./portable/provider.ts";
import type { AeadKey, CryptoProvider } from "./provider.ts";
import { openSodium } from "./sodium/provider.ts";

/** The lengths at which a block, a chunk or a tag starts or ends. */
export const SIZES: readonly number[] = [
  0,
  1,
  15,
  16,
  17,
  63,
  64,
  65,
  1023,
  16383,
];

const OPENERS = [openOpenssl, openSodium, openMbedtls, openPortable];

// Libraries that stay loaded for the whole process are loaded here, before
// the first test, lest that test be blamed for it. This method needs two.
for (const open of OPENERS) {
  using provider = tryOpen(open);
  provider?.supports(findMethod("aes-256-gcm")!);
}

/** One method of one provider. */
export interface Served {
  /** For the name of a test step. */
  readonly name: string;
  /** The provider. */
  readonly provider: CryptoProvider;
  /** The method, which the provider has. */
  readonly method: CipherMethod;
}

/** The providers of this machine, closed together. */
export class Providers implements Disposable {
  /** Those that opened; the portable one is always among them. */
  readonly all: readonly CryptoProvider[];

  constructor() {
    this.all = OPENERS.flatMap((open) => tryOpen(open) ?? []);
  }

  /** Every provider with every method of a kind that it has. */
  serving(kind: "aead" | "stream"): Served[] {
    const served: Served[] = [];
    for (const provider of this.all) {
      for (const method of CIPHER_METHODS.values()) {
        if (method.kind !== kind) continue;
        if ((method.provider ?? provider.name) !== provider.name) continue;
        if (!provider.supports(method)) continue;
        served.push({
          name: `${method.name} of ${provider.name}`,
          provider,
          method,
        });
      }
    }
    return served;
  }

  /** Closes the libraries. */
  [Symbol.dispose](): void {
    for (const provider of this.all) provider[Symbol.dispose]();
  }
}

function tryOpen(open: () => CryptoProvider): CryptoProvider | undefined {
  try {
    return open();
  } catch (error) {
    if (error instanceof CipherError) return undefined;
    throw error;
  }
}

/**
 * Seals a whole buffer into another.
 *
 * @param key The key.
 * @param nonce As long as the method's.
 * @param plaintext The message.
 * @param sealed Takes ciphertext ‖ tag.
 */
export function seal(
  key: AeadKey,
  nonce: Uint8Array,
  plaintext: Uint8Array,
  sealed: Uint8Array,
): void {
  const { length } = plaintext;
  const part = { input: plaintext, start: 0, length, output: sealed, at: 0 };
  key.sealPart(nonce, part);
}

/**
 * Opens a whole buffer into another.
 *
 * @param key The key.
 * @param nonce As long as the method's.
 * @param sealed Ciphertext ‖ tag.
 * @param plaintext Takes the message.
 * @returns Whether it is genuine.
 */
export function open(
  key: AeadKey,
  nonce: Uint8Array,
  sealed: Uint8Array,
  plaintext: Uint8Array,
): boolean {
  const length = sealed.length - 16;
  const part = { input: sealed, start: 0, length, output: plaintext, at: 0 };
  return key.openPart(nonce, part);
}

/**
 * Reads hexadecimal digits.
 *
 * @param text An even number of digits.
 * @returns The bytes.
 */
export function fromHex(text: string): Uint8Array {
  const pairs = text.match(/../g) ?? [];
  return Uint8Array.from(pairs, (pair) => parseInt(pair, 16));
}

/**
 * Writes hexadecimal digits.
 *
 * @param bytes The bytes.
 * @returns Two digits for each.
 */
export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"))
    .join("");
}

/**
 * Makes numbers that look random and are the same in every run (mulberry32).
 *
 * @param seed Any 32-bit number.
 * @returns A function that gives the next integer from 0 to 2^32 - 1.
 */
export function seededNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

/**
 * Makes bytes that look random and are the same in every run.
 *
 * @param length How many.
 * @param seed Any 32-bit number.
 * @returns The bytes.
 */
export function seededBytes(length: number, seed: number): Uint8Array {
  const next = seededNumbers(seed);
  return Uint8Array.from({ length }, () => next() & 0xff);
}

/**
 * Makes an array that starts at an odd address and is followed by a guard.
 *
 * @param length Bytes of the array.
 * @returns The array, and whether the bytes around it are still as they were.
 */
export function guarded(
  length: number,
): { bytes: Uint8Array; intact: () => boolean } {
  const whole = new Uint8Array(length + 33).fill(0xa5);
  return {
    bytes: whole.subarray(1, 1 + length),
    intact: () =>
      whole[0] === 0xa5 &&
      whole.subarray(1 + length).every((byte) => byte === 0xa5),
  };
}
