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
import type { CryptoProvider } from "./provider.ts";
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
