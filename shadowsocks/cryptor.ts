/**
 * `Cryptor`: what turns the bytes of one connection into ciphertext and back,
 * whatever the method.
 *
 * @module
 */

import {
  DECRYPT_FAILED,
  type FrameDecoder,
  type FrameEncoder,
  type Framing,
} from "./_framing.ts";
import type { SaltPool } from "./_salt_pool.ts";

export { DECRYPT_FAILED };

/**
 * Both directions of one connection. Nothing is made before it is needed: the
 * sending direction with the first call that asks for it, the receiving one
 * with the first bytes. It keeps no payload: what is left of an unfinished
 * frame stays with the caller. Where the last buffers lie may be remembered,
 * so calls with the same ones again are the cheapest.
 *
 * @example Sealing and opening
 * ```ts ignore
 * import { openProviders } from "crypto/mod.ts";
 * import { CipherSuite } from "shadowsocks/mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * using providers = await openProviders();
 * using suite = await CipherSuite.create("aes-256-gcm", "secret", providers);
 * using sender = suite.newCryptor();
 * using receiver = suite.newCryptor();
 *
 * const plaintext = new TextEncoder().encode("hello");
 * const sealed = new Uint8Array(sender.encryptedLength(plaintext.length));
 * sender.encrypt(plaintext, sealed);
 *
 * const opened = new Uint8Array(sealed.length);
 * const length = receiver.decrypt(sealed, opened);
 * assertEquals(opened.subarray(0, length), plaintext);
 * ```
 */
export class Cryptor implements Disposable {
  readonly #framing: Framing;
  readonly #salts: SaltPool | undefined;
  #encoder: FrameEncoder | undefined;
  #decoder: FrameDecoder | undefined;
  #disposed = false;

  /**
   * Makes a cryptor that holds nothing yet.
   *
   * @param framing The port's framing; `CipherSuite.newCryptor` gives it.
   * @param salts Where the salt is drawn from. Default: as the framing says.
   */
  constructor(framing: Framing, salts?: SaltPool) {
    this.#framing = framing;
    this.#salts = salts;
  }

  /**
   * The salt or IV of what is sent, drawn now if it was not yet; undefined
   * once forgotten.
   */
  get salt(): Uint8Array | undefined {
    return this.#sending().salt;
  }

  /**
   * The salt or IV of what is received; undefined until it is complete, and
   * once forgotten.
   */
  get peerSalt(): Uint8Array | undefined {
    return this.#decoder?.salt;
  }

  /** How many bytes of its `data` the last {@linkcode decrypt} has used. */
  get consumed(): number {
    return this.#decoder?.consumed ?? 0;
  }

  /**
   * Whether the tag of a first payload has been verified: only then is the
   * peer's salt worth remembering. Always false with a stream cipher.
   */
  get authenticated(): boolean {
    return this.#decoder?.authenticated ?? false;
  }

  /** Whether received bytes were not genuine: nothing more will come out. */
  get failed(): boolean {
    return this.#decoder?.failed ?? false;
  }

  /**
   * Frees the salts that have been sent and received: half of the memory of
   * an idle connection. For when nobody will ask for them any more.
   */
  forgetSalts(): void {
    this.#encoder?.forgetSalt();
    if (this.#decoder !== undefined) this.#decoder.salt = undefined;
  }

  /**
   * Tells how much room {@linkcode encrypt} needs.
   *
   * @param length Bytes of plaintext.
   * @returns Bytes that the next call will write for them, with the salt if
   * that has not been written yet.
   */
  encryptedLength(length: number): number {
    return this.#sending().encryptedLength(length);
  }

  /**
   * Encrypts the next bytes. The first call puts the salt in front, even if
   * there is no plaintext; an empty plaintext is never made a chunk.
   *
   * @param plaintext The bytes, at the start of a buffer.
   * @param out Takes `encryptedLength(length)` bytes; must not overlap
   * `plaintext`.
   * @param length How many bytes. Default: all of the buffer.
   * @returns Bytes written.
   * @throws {RangeError} If there is too little room.
   */
  encrypt(
    plaintext: Uint8Array,
    out: Uint8Array,
    length: number = plaintext.length,
  ): number {
    const encoder = this.#sending();
    const needed = encoder.encryptedLength(length);
    if (out.length < needed) throw noRoom("encrypt", needed, out.length);
    return encoder.encrypt(plaintext, out, length);
  }

  /**
   * Decrypts all whole frames at the start of `data`. The bytes after the
   * first {@linkcode consumed} ones belong to a frame that is not complete:
   * give them again in front of the bytes that follow.
   *
   * What comes before a frame that is not genuine is still delivered, and
   * {@linkcode failed} is set; every later call fails.
   *
   * @param data Received bytes, at the start of a buffer.
   * @param out Takes `length` bytes; must not overlap `data`. What is in it
   * after the delivered bytes has no meaning.
   * @param length How many bytes. Default: all of the buffer.
   * @returns Bytes of plaintext, or {@linkcode DECRYPT_FAILED}: a tag was
   * wrong, or a length above 0x3FFF.
   * @throws {RangeError} If there is too little room.
   */
  decrypt(
    data: Uint8Array,
    out: Uint8Array,
    length: number = data.length,
  ): number {
    if (out.length < length) throw noRoom("decrypt", length, out.length);
    return this.#receiving().decrypt(data, out, length);
  }

  /**
   * Whether the end of the connection would be a clean one now.
   *
   * @param leftover Bytes that the caller keeps for the next
   * {@linkcode decrypt}.
   * @returns False inside a frame, after a failure, and before the salt is
   * complete, so also if nothing has been received.
   */
  atBoundary(leftover: number): boolean {
    return leftover === 0 && (this.#decoder?.betweenFrames ?? false);
  }

  /** Wipes the session keys and frees native memory. */
  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#encoder?.[Symbol.dispose]();
    this.#decoder?.[Symbol.dispose]();
  }

  #sending(): FrameEncoder {
    return this.#encoder ??= this.#alive().newEncoder(this.#salts);
  }

  #receiving(): FrameDecoder {
    return this.#decoder ??= this.#alive().newDecoder();
  }

  #alive(): Framing {
    if (this.#disposed) {
      throw new TypeError("Cannot use a cryptor: it is disposed of");
    }
    return this.#framing;
  }
}

function noRoom(action: string, needed: number, given: number): RangeError {
  return new RangeError(
    `Cannot ${action}: ${needed} bytes of room are needed, not ${given}`,
  );
}
