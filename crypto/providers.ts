/**
 * Which library serves a method: the first of OpenSSL, libsodium, Mbed TLS
 * and the portable provider that has its cipher.
 *
 * @module
 */

import { openMbedtls } from "./_mbedtls.ts";
import { openOpenssl } from "./_openssl.ts";
import { openPortable } from "./_portable.ts";
import { openSodium } from "./_sodium.ts";
import { CipherError } from "./errors.ts";
import type { CipherMethod } from "./methods.ts";
import type { CryptoProvider } from "./provider.ts";

/** Library files chosen by the user; the usual places if undefined. */
export interface ProviderPaths {
  /** A file of OpenSSL's libcrypto. */
  readonly libopenssl?: string | undefined;
  /** A file of libsodium. */
  readonly libsodium?: string | undefined;
  /** A file of Mbed TLS's libmbedcrypto. */
  readonly libmbedtls?: string | undefined;
}

/** One library, opened when it is first asked for. */
interface Slot {
  /** `CryptoProvider.name`. */
  readonly name: string;
  /** The configuration key that names its file; undefined: it has no file. */
  readonly setting: keyof ProviderPaths | undefined;
  readonly open: (path?: string) => CryptoProvider;
}

/** In order of speed. */
const SLOTS: readonly Slot[] = [
  { name: "openssl", setting: "libopenssl", open: openOpenssl },
  { name: "sodium", setting: "libsodium", open: openSodium },
  { name: "mbedtls", setting: "libmbedtls", open: openMbedtls },
  { name: "portable", setting: undefined, open: () => openPortable() },
];

/**
 * Makes the set of libraries of a process. Libraries are opened when a method
 * needs them, but a file that the user named at once.
 *
 * @param paths Files chosen by the user.
 * @returns The set; dispose of it after every suite made from it.
 * @throws {CipherError} `no_library`, if a file chosen by the user cannot be
 * used; never for another reason.
 */
export function openProviders(paths: ProviderPaths = {}): ProviderSet {
  return new ProviderSet(paths);
}

/** The libraries of a process; made by {@linkcode openProviders}. */
export class ProviderSet implements Disposable {
  readonly #paths: ProviderPaths;
  /** By name: the library, or why it cannot be had. */
  readonly #opened = new Map<string, CryptoProvider | CipherError>();
  #fallbackReason: string | undefined;

  /**
   * Makes a set; a file chosen by the user is opened at once.
   *
   * @param paths Files chosen by the user.
   * @throws {CipherError} `no_library`, if one of them cannot be used.
   */
  constructor(paths: ProviderPaths) {
    this.#paths = paths;
    for (const slot of SLOTS) {
      if (slot.setting === undefined) continue;
      if (paths[slot.setting] === undefined) continue;
      const opened = this.#open(slot);
      if (opened instanceof CipherError) {
        this[Symbol.dispose]();
        throw opened;
      }
    }
  }

  /**
   * Why a method was given to the slow, portable provider though a native
   * library might have served it; undefined if that has not happened. For one
   * line in the log.
   */
  get fallbackReason(): string | undefined {
    return this.#fallbackReason;
  }

  /**
   * Finds the library for a method.
   *
   * @param method The method; its own `provider` is the only one asked if it
   * names one.
   * @returns The library.
   * @throws {CipherError} `no_library` or `not_supported`.
   */
  forMethod(method: CipherMethod): CryptoProvider {
    const failures: CipherError[] = [];
    for (const slot of SLOTS) {
      if (method.provider !== undefined && method.provider !== slot.name) {
        continue;
      }
      const opened = this.#open(slot);
      if (opened instanceof CipherError) {
        failures.push(opened);
      } else if (opened.supports(method)) {
        this.#noteFallback(slot, method, failures);
        return opened;
      }
    }
    throw this.#unavailable(method, failures);
  }

  /** Closes the libraries. */
  [Symbol.dispose](): void {
    for (const opened of this.#opened.values()) {
      if (!(opened instanceof CipherError)) opened[Symbol.dispose]();
    }
    this.#opened.clear();
  }

  #open(slot: Slot): CryptoProvider | CipherError {
    const known = this.#opened.get(slot.name);
    if (known !== undefined) return known;
    const opened = this.#tryOpen(slot);
    this.#opened.set(slot.name, opened);
    return opened;
  }

  #tryOpen(slot: Slot): CryptoProvider | CipherError {
    try {
      return slot.open(slot.setting && this.#paths[slot.setting]);
    } catch (error) {
      if (error instanceof CipherError) return error;
      throw error;
    }
  }

  #noteFallback(
    slot: Slot,
    method: CipherMethod,
    failures: readonly CipherError[],
  ): void {
    // No native library has the table, so nothing was missed.
    if (slot.setting !== undefined || method.kind === "table") return;
    if (failures.length > 0) this.#fallbackReason ??= describe(failures);
  }

  #unavailable(
    method: CipherMethod,
    failures: readonly CipherError[],
  ): CipherError {
    const cause = failures[0];
    if (method.provider !== undefined && cause !== undefined) {
      return new CipherError(
        "no_library",
        `Cannot use ${method.name}: ${describe(failures)}`,
        { cause },
      );
    }
    const reasons = failures.length === 0 ? "" : `; ${describe(failures)}`;
    return new CipherError(
      "not_supported",
      `Cannot use ${method.name}: no library here has it${reasons}`,
      { cause },
    );
  }
}

/** One text for several failures; the same reason only once. */
function describe(failures: readonly CipherError[]): string {
  const reasons = failures.map((failure) =>
    failure.cause instanceof Deno.errors.NotCapable
      ? "native libraries are not allowed (--allow-ffi)"
      : failure.message
  );
  return [...new Set(reasons)].join("; ");
}
