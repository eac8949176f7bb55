/**
 * Which library serves a method: the first of OpenSSL, libsodium, Mbed TLS
 * and the portable provider that has its cipher.
 *
 * @module
 */

import { openOpenssl } from "./openssl/provider.ts";
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
  readonly open: (
    path: string | undefined,
    paths: ProviderPaths,
  ) => CryptoProvider | Promise<CryptoProvider>;
}

/**
 * In order of speed. Most processes ask the first one only: the modules of the
 * others, a sixth of the time to start, are loaded when they are asked.
 */
const SLOTS: readonly Slot[] = [
  {
    name: "openssl",
    setting: "libopenssl",
    open: (path, { libsodium }) => openOpenssl(path, libsodium),
  },
  {
    name: "sodium",
    setting: "libsodium",
    open: async (path, { libopenssl }) =>
      (await import("./sodium/provider.ts")).openSodium(path, libopenssl),
  },
  {
    name: "mbedtls",
    setting: "libmbedtls",
    open: async (path) =>
      (await import("./mbedtls/provider.ts")).openMbedtls(path),
  },
  {
    name: "portable",
    setting: undefined,
    open: async () => (await import("./portable/provider.ts")).openPortable(),
  },
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
export async function openProviders(
  paths: ProviderPaths = {},
): Promise<ProviderSet> {
  const providers = new ProviderSet(paths);
  await providers.openChosen();
  return providers;
}

/** The libraries of a process; made by {@linkcode openProviders}. */
export class ProviderSet implements Disposable {
  readonly #paths: ProviderPaths;
  /** By name: the library, or why it cannot be had. */
  readonly #found = new Map<string, Promise<CryptoProvider | CipherError>>();
  /** Those to close. */
  readonly #opened: CryptoProvider[] = [];
  #fallbackReason: string | undefined;

  /**
   * Makes a set in which nothing is open.
   *
   * @param paths Files chosen by the user.
   */
  constructor(paths: ProviderPaths) {
    this.#paths = paths;
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
   * Opens the files chosen by the user, so that one which cannot be used is
   * known before it is needed.
   *
   * @throws {CipherError} `no_library`, if one of them cannot be used; then
   * none is open.
   */
  async openChosen(): Promise<void> {
    for (const slot of SLOTS) {
      if (slot.setting === undefined) continue;
      if (this.#paths[slot.setting] === undefined) continue;
      const found = await this.#open(slot);
      if (found instanceof CipherError) {
        this[Symbol.dispose]();
        throw found;
      }
    }
  }

  /**
   * Finds the library for a method.
   *
   * @param method The method; its own `provider` is the only one asked if it
   * names one.
   * @returns The library.
   * @throws {CipherError} `no_library` or `not_supported`.
   */
  async forMethod(method: CipherMethod): Promise<CryptoProvider> {
    const failures: CipherError[] = [];
    for (const slot of SLOTS) {
      if (method.provider !== undefined && method.provider !== slot.name) {
        continue;
      }
      const found = await this.#open(slot);
      if (found instanceof CipherError) {
        failures.push(found);
      } else if (found.supports(method)) {
        // No native library has the table, so nothing was missed.
        if (slot.name === "portable" && method.kind !== "table") {
          this.#fallbackReason ??= describe(failures);
        }
        return found;
      }
    }
    const chosen = method.provider !== undefined && failures.length > 0;
    const reasons = describe(failures) ?? "";
    throw new CipherError(
      chosen ? "no_library" : "not_supported",
      chosen
        ? `Cannot use ${method.name}: ${reasons}`
        : `Cannot use ${method.name}: no library here has it` +
          (reasons && `; ${reasons}`),
      { cause: failures[0] },
    );
  }

  /** Closes the libraries. */
  [Symbol.dispose](): void {
    for (const provider of this.#opened.splice(0)) provider[Symbol.dispose]();
    this.#found.clear();
  }

  #open(slot: Slot): Promise<CryptoProvider | CipherError> {
    let found = this.#found.get(slot.name);
    if (found === undefined) {
      found = this.#tryOpen(slot);
      this.#found.set(slot.name, found);
    }
    return found;
  }

  async #tryOpen(slot: Slot): Promise<CryptoProvider | CipherError> {
    try {
      const path = slot.setting && this.#paths[slot.setting];
      const provider = await slot.open(path, this.#paths);
      this.#opened.push(provider);
      return provider;
    } catch (error) {
      if (error instanceof CipherError) return error;
      throw error;
    }
  }
}

/** One text for several failures, the same reason once; undefined for none. */
function describe(failures: readonly CipherError[]): string | undefined {
  if (failures.length === 0) return undefined;
  const reasons = failures.map((failure) =>
    failure.cause instanceof Deno.errors.NotCapable
      ? "native libraries are not allowed (--allow-ffi)"
      : failure.message
  );
  return [...new Set(reasons)].join("; ");
}
