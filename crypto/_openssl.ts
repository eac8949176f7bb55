/**
 * OpenSSL (libcrypto 1.1 or 3) as a provider: AES-GCM, AES-OCB and
 * ChaCha20-Poly1305, and the stream ciphers. It is the fastest of the
 * libraries, so it comes first.
 *
 * @module
 */

import { cString } from "./_ffi.ts";
import type { DeriveSubkey } from "./_hkdf.ts";
import { OpensslAeadCipher } from "./_openssl_aead.ts";
import {
  CfbCipher,
  type CfbParts,
  isCfbFaster,
  type StartCfb,
} from "./_openssl_cfb.ts";
import { makeOpensslHkdf } from "./_openssl_hkdf.ts";
import { loadOpenssl, type OpensslLibrary } from "./_openssl_library.ts";
import { OpensslStream } from "./_openssl_stream.ts";
import { findShortGcm, SHORT_CIPHER, type ShortGcm } from "./_sodium_short.ts";
import { makeStreamCipher } from "./_stream_cipher.ts";
import { CipherError } from "./errors.ts";
import { md5 } from "./key.ts";
import type { CipherMethod } from "./methods.ts";
import type { AeadCipher, CryptoProvider, StreamCipher } from "./provider.ts";

/** How a method's cipher is had from OpenSSL. */
interface Recipe {
  /** OpenSSL's name for the cipher. */
  readonly name: string;
  /** Whether OpenSSL 3 keeps it in its module for outdated ciphers. */
  readonly legacy?: boolean;
  /** Zero bytes put before the method's IV. */
  readonly ivPrefix?: number;
  /** Whether key and IV are hashed to one key: `rc4-md5`. */
  readonly hashed?: boolean;
}

/** By canonical cipher name, for the names that OpenSSL does not share. */
const RECIPES: ReadonlyMap<string, Recipe> = new Map<string, Recipe>([
  ["chacha20-ietf-poly1305", { name: "chacha20-poly1305" }],
  // OpenSSL's IV of 16 bytes is the first state row: block counter, nonce. It
  // carries over from the first 32 bits of the counter to the next, so that
  // it serves the original layout (8 and 8 bytes) as well as RFC 8439's.
  ["chacha20-ietf", { name: "chacha20", ivPrefix: 4 }],
  ["chacha20", { name: "chacha20", ivPrefix: 8 }],
  ["bf-cfb", { name: "bf-cfb", legacy: true }],
  ["cast5-cfb", { name: "cast5-cfb", legacy: true }],
  ["des-cfb", { name: "des-cfb", legacy: true }],
  ["idea-cfb", { name: "idea-cfb", legacy: true }],
  ["rc2-cfb", { name: "rc2-cfb", legacy: true }],
  ["seed-cfb", { name: "seed-cfb", legacy: true }],
  ["rc4", { name: "rc4", legacy: true }],
  ["rc4-md5", { name: "rc4", legacy: true, hashed: true }],
]);

/** The families that OpenSSL has under our own names. */
const SAME_NAME =
  /^(aes-(128|192|256)-(gcm|ocb|cfb|cfb1|cfb8|ofb|ctr)|camellia-(128|192|256)-cfb)$/;

/** Whose modes can do each other's work; no other cipher gains by it. */
const AES_CFB = /^(aes-(?:128|192|256))-cfb$/;

/** Options of {@linkcode openOpenssl}. */
export interface OpensslOptions {
  /** A file of libsodium chosen by the user, for short messages. */
  readonly libsodium?: string | undefined;
}

/**
 * Opens OpenSSL. Where libsodium does a short message quicker it may do that,
 * unless the user has said which OpenSSL is to be used.
 *
 * @param path A file chosen by the user.
 * @param options How it is to be used.
 * @returns The provider.
 * @throws {CipherError} `no_library`, if it cannot be loaded.
 */
export function openOpenssl(
  path?: string,
  options: OpensslOptions = {},
): CryptoProvider {
  const library = loadOpenssl(path);
  return new OpensslProvider(
    library,
    () => path === undefined ? findShortGcm(options.libsodium) : undefined,
  );
}

class OpensslProvider implements CryptoProvider {
  readonly name = "openssl";
  readonly version: string;
  readonly #library: OpensslLibrary;
  readonly #derive: DeriveSubkey | undefined;
  readonly #findShort: () => ShortGcm | undefined;
  #triedLegacy = false;
  /** `EVP_CIPHER *` by OpenSSL's name; null if it is not there. */
  readonly #ciphers = new Map<string, Deno.PointerValue>();
  /** Whether a cipher works, by its canonical name. */
  readonly #supported = new Map<string, boolean>();
  /** Whether the work of its CFB is better done by other modes, by family. */
  readonly #cfbFaster = new Map<string, boolean>();

  constructor(
    library: OpensslLibrary,
    findShort: () => ShortGcm | undefined,
  ) {
    this.#library = library;
    this.#findShort = findShort;
    this.version = library.version;
    this.#derive = makeOpensslHkdf(library.symbols);
  }

  supports(method: CipherMethod): boolean {
    const known = this.#supported.get(method.cipher);
    if (known !== undefined) return known;
    const works = this.#try(method);
    this.#supported.set(method.cipher, works);
    return works;
  }

  aead(method: CipherMethod): AeadCipher {
    if (method.kind !== "aead") throw unsupported(this.version, method);
    const cipher = this.#cipher(method);
    return new OpensslAeadCipher(method, {
      library: this.#library,
      cipher,
      derive: this.#derive,
      short: method.cipher === SHORT_CIPHER ? this.#findShort() : undefined,
    });
  }

  stream(method: CipherMethod): StreamCipher {
    if (method.kind !== "stream") throw unsupported(this.version, method);
    const cipher = this.#cipher(method);
    const library = this.#library;
    const { ivPrefix = 0, hashed = false } = recipeOf(method) ?? {};
    const start: StartCfb = (key, iv, decrypt) => {
      if (hashed) {
        key = md5(key, iv);
        iv = new Uint8Array(0);
      } else if (ivPrefix > 0) {
        const whole = new Uint8Array(ivPrefix + iv.length);
        whole.set(iv, ivPrefix);
        iv = whole;
      }
      return new OpensslStream({ library, cipher, key, iv, decrypt });
    };
    const parts = this.#cfbParts(method, start);
    if (parts === undefined) return makeStreamCipher(method, start);
    const cfb = new CfbCipher(parts, start);
    return makeStreamCipher(method, cfb.start.bind(cfb), cfb);
  }

  /** Nothing to do: the library and its ciphers stay loaded. */
  [Symbol.dispose](): void {}

  /** Uses the cipher once: a context may be refused where a name is known. */
  #try(method: CipherMethod): boolean {
    const key = new Uint8Array(method.keyLength);
    try {
      if (method.kind === "aead") {
        using cipher = this.aead(method);
        using ready = cipher.importKey(key);
        const sealed = new Uint8Array(method.tagLength);
        ready.seal(
          new Uint8Array(method.nonceLength),
          sealed.subarray(0, 0),
          sealed,
        );
        return true;
      }
      using cipher = this.stream(method);
      using state = cipher.start(key, new Uint8Array(method.saltLength));
      state.update(new Uint8Array(1), new Uint8Array(1));
      return true;
    } catch (error) {
      if (error instanceof CipherError) return false;
      throw error;
    }
  }

  #cipher(method: CipherMethod): Deno.PointerObject {
    const recipe = recipeOf(method);
    if (recipe === undefined) throw unsupported(this.version, method);
    if (recipe.legacy === true) this.#loadLegacy();
    const cipher = this.#find(recipe.name);
    if (cipher === null) throw unsupported(this.version, method);
    return cipher;
  }

  /** The modes that do the work of a CFB; undefined: it does its own. */
  #cfbParts(method: CipherMethod, start: StartCfb): CfbParts | undefined {
    const family = AES_CFB.exec(method.cipher)?.[1];
    if (family === undefined) return undefined;
    const ecb = this.#find(`${family}-ecb`);
    const cbc = this.#find(`${family}-cbc`);
    if (ecb === null || cbc === null) return undefined;
    const parts = { library: this.#library, ecb, cbc };
    let faster = this.#cfbFaster.get(family);
    if (faster === undefined) {
      faster = isCfbFaster(parts, start, method.keyLength);
      this.#cfbFaster.set(family, faster);
    }
    return faster ? parts : undefined;
  }

  #find(name: string): Deno.PointerValue {
    let cipher = this.#ciphers.get(name);
    if (cipher === undefined) {
      cipher = this.#fetch(name);
      this.#ciphers.set(name, cipher);
    }
    return cipher;
  }

  #fetch(name: string): Deno.PointerValue {
    const { symbols } = this.#library;
    // Fetched, else OpenSSL 3 looks the cipher up again for every context.
    // Never released: a process has one of each for good.
    const cipher = symbols.EVP_CIPHER_fetch === null
      ? symbols.EVP_get_cipherbyname(cString(name))
      : symbols.EVP_CIPHER_fetch(null, cString(name), null);
    if (cipher === null) symbols.ERR_clear_error();
    return cipher;
  }

  /** Loads OpenSSL 3's module of outdated ciphers, if it is installed. */
  #loadLegacy(): void {
    if (this.#triedLegacy) return;
    this.#triedLegacy = true;
    const { symbols } = this.#library;
    // The last argument keeps the module with all other ciphers as it is.
    symbols.OSSL_PROVIDER_try_load?.(null, cString("legacy"), 1);
    symbols.ERR_clear_error();
  }
}

function recipeOf(method: CipherMethod): Recipe | undefined {
  const { cipher } = method;
  if (SAME_NAME.test(cipher)) return { name: cipher };
  return RECIPES.get(cipher);
}

function unsupported(version: string, method: CipherMethod): CipherError {
  return new CipherError(
    "not_supported",
    `Cannot use ${method.name}: ${version} does not have it`,
  );
}
