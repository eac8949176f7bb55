/**
 * OpenSSL (libcrypto 1.1 or 3) as a provider: AES-GCM, AES-OCB and
 * ChaCha20-Poly1305, and the stream ciphers. It is the fastest of the
 * libraries, so it comes first.
 *
 * @module
 */

import type { AeadBinding } from "../_aead_cipher.ts";
import { type Binding, makeProvider } from "../_binding.ts";
import { cString } from "../_ffi.ts";
import type { DeriveSubkey } from "../_hkdf.ts";
import type { StreamBinding } from "../_stream_cipher.ts";
import type { CipherMethod } from "../methods.ts";
import type { BlockCipher, CryptoProvider } from "../provider.ts";
import { bindAead } from "./aead.ts";
import { CfbCipher, type CfbParts, isCfbFaster, type StartCfb } from "./cfb.ts";
import { makeOpensslHkdf } from "./hkdf.ts";
import { loadOpenssl, type OpensslLibrary } from "./library.ts";
import { withShortGcm } from "./short.ts";
import { OpensslStream } from "./stream.ts";

/** How a method's cipher is had from OpenSSL. */
interface Recipe {
  /** OpenSSL's name for the cipher. */
  readonly name: string;
  /** Whether OpenSSL 3 keeps it in its module for outdated ciphers. */
  readonly legacy?: boolean;
  /** Zero bytes put before the method's IV. */
  readonly ivPrefix?: number;
}

/** By canonical cipher name, for the names that OpenSSL does not share. */
const RECIPES: ReadonlyMap<string, Recipe> = new Map<string, Recipe>([
  ["chacha20-ietf-poly1305", { name: "chacha20-poly1305" }],
  // OpenSSL's IV of 16 bytes is the first state row: block counter, nonce. It
  // carries over from the first 32 bits of the counter to the next, so that
  // it serves the original layout (8 and 8 bytes) as well as RFC 8439's.
  ["chacha20-ietf", { name: "chacha20", ivPrefix: 4 }],
  ["chacha20", { name: "chacha20", ivPrefix: 8 }],
  ["rc4-md5", { name: "rc4", legacy: true }],
]);

/** The families that OpenSSL has under our own names. */
const SAME_NAME =
  /^(aes-(128|192|256)-(gcm|ocb|cfb|cfb1|cfb8|ofb|ctr)|camellia-(128|192|256)-cfb)$/;

/** The ciphers under our own names in OpenSSL 3's module of outdated ones. */
const OUTDATED = /^((bf|cast5|des|idea|rc2|seed)-cfb|rc4)$/;

/** The ciphers whose CFB may be made of ECB and CBC; no other gains by it. */
const AES_CFB = /^(aes-(?:128|192|256))-cfb$/;

/**
 * Opens OpenSSL. Where libsodium does a short message quicker it may do that,
 * unless the user has said which OpenSSL is to be used.
 *
 * @param path A file chosen by the user.
 * @param libsodium A file of libsodium chosen by the user, for short messages.
 * @returns The provider.
 * @throws {CipherError} `no_library`, if it cannot be loaded.
 */
export function openOpenssl(path?: string, libsodium?: string): CryptoProvider {
  const library = loadOpenssl(path);
  const short = path === undefined ? { path: libsodium } : undefined;
  return makeProvider(new OpensslBinding(library, short));
}

class OpensslBinding implements Binding {
  readonly name = "openssl";
  readonly version: string;
  readonly #library: OpensslLibrary;
  readonly #derive: DeriveSubkey | undefined;
  /** Where libsodium is, for short messages; undefined: not to be used. */
  readonly #short: { readonly path: string | undefined } | undefined;
  #triedLegacy = false;
  /** `EVP_CIPHER *` by OpenSSL's name; null if it is not there. */
  readonly #ciphers = new Map<string, Deno.PointerValue>();
  /** By family, what {@linkcode isCfbFaster} has said: it takes a millisecond. */
  readonly #cfbFaster = new Map<string, boolean>();

  constructor(
    library: OpensslLibrary,
    short: { readonly path: string | undefined } | undefined,
  ) {
    this.#library = library;
    this.#short = short;
    this.version = library.version;
    this.#derive = makeOpensslHkdf(library.symbols);
  }

  aead(method: CipherMethod): AeadBinding | undefined {
    const cipher = this.#cipher(recipeOf(method));
    if (cipher === null) return undefined;
    const long = bindAead(this.#library, cipher);
    const both = method.cipher === "aes-256-gcm" && this.#short !== undefined
      ? withShortGcm(long, this.#short.path)
      : undefined;
    return { make: both ?? long, derive: this.#derive };
  }

  stream(method: CipherMethod): StreamBinding | undefined {
    const library = this.#library;
    const recipe = recipeOf(method);
    const cipher = this.#cipher(recipe);
    if (cipher === null) return undefined;
    const ivPrefix = recipe?.ivPrefix ?? 0;
    const start: StartCfb = (key, iv, decrypt) =>
      new OpensslStream(library, {
        cipher,
        key,
        iv: ivPrefix === 0 ? iv : prefixed(iv, ivPrefix),
        encrypt: !decrypt,
      });
    const parts = this.#cfbParts(method, start);
    if (parts === undefined) return { start };
    const shared = new CfbCipher(parts, start);
    return { start: shared.start.bind(shared), shared };
  }

  async blocks(keyLength: number): Promise<BlockCipher | undefined> {
    const cipher = this.#find(`aes-${8 * keyLength}-ecb`);
    if (cipher === null) return undefined;
    const { bindBlocks } = await import("./block.ts");
    return bindBlocks(this.#library, cipher, keyLength);
  }

  /** Nothing to do: the library and its ciphers stay loaded. */
  close(): void {}

  #cipher(recipe: Recipe | undefined): Deno.PointerValue {
    if (recipe === undefined) return null;
    if (recipe.legacy === true) this.#loadLegacy();
    return this.#find(recipe.name);
  }

  /** The modes to make a cipher of; undefined: OpenSSL's own is to be used. */
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

/** Puts zero bytes before an IV. */
function prefixed(iv: Uint8Array, zeros: number): Uint8Array {
  const whole = new Uint8Array(zeros + iv.length);
  whole.set(iv, zeros);
  return whole;
}

function recipeOf(method: CipherMethod): Recipe | undefined {
  const { cipher } = method;
  if (SAME_NAME.test(cipher)) return { name: cipher };
  if (OUTDATED.test(cipher)) return { name: cipher, legacy: true };
  return RECIPES.get(cipher);
}
