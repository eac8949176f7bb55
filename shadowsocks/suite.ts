/**
 * `CipherSuite`: a method, a password's key and the library that does the
 * work, made once for each port.
 *
 * @module
 */

import {
  CipherError,
  type CipherMethod,
  type CryptoProvider,
  deriveKey,
  findMethod,
} from "../crypto/mod.ts";
import { AeadFraming } from "./_aead_2017_framing.ts";
import type {
  Framing,
  OpenPacketOptions,
  PacketPart,
  SealPacketOptions,
} from "./_framing.ts";
import type { SaltPool } from "./_salt_pool.ts";
import { StreamFraming } from "./_stream_framing.ts";
import { Cryptor } from "./cryptor.ts";

/** Where libraries come from; a `ProviderSet` is one. */
export interface ProviderSource {
  /**
   * Finds the library for a method.
   *
   * @param method The method.
   * @returns The library.
   * @throws {CipherError} If none has it.
   */
  forMethod(method: CipherMethod): Promise<CryptoProvider>;
}

/** The ciphers of one port. */
export class CipherSuite implements Disposable {
  /** The method. */
  readonly method: CipherMethod;
  /** The key made from the password; with `table` the password itself. */
  readonly masterKey: Uint8Array;
  /** The library that does the work, such as `OpenSSL 3.0.19`. */
  readonly providerVersion: string;
  readonly #framing: Framing;
  /** The framing, if it is one whose bytes prove their key. */
  readonly #aead: AeadFraming | undefined;

  /**
   * Makes a suite with a given library.
   *
   * @param method The method.
   * @param password The port's password.
   * @param source The library, which must outlive the suite; or a suite of the
   * same AEAD method, to share its cipher, which either of them frees.
   * @throws {CipherError} If the library does not have the method's cipher.
   */
  constructor(
    method: CipherMethod,
    password: string,
    source: CryptoProvider | CipherSuite,
  ) {
    const masterKey = deriveKey(password, method.keyLength);
    this.method = method;
    this.masterKey = masterKey;
    if (source instanceof CipherSuite) {
      this.providerVersion = source.providerVersion;
      const like = source.#aead;
      if (like === undefined || source.method !== method) {
        throw new TypeError("Cannot share a cipher: it is of another kind");
      }
      this.#aead = new AeadFraming(method, masterKey, like);
      this.#framing = this.#aead;
      return;
    }
    this.providerVersion = source.version;
    this.#aead = method.kind === "aead"
      ? new AeadFraming(method, masterKey, source.aead(method))
      : undefined;
    this.#framing = this.#aead ??
      new StreamFraming(method, masterKey, source.stream(method));
  }

  /**
   * Makes the suite of a port.
   *
   * @param methodName The method's name in any case.
   * @param password The port's password.
   * @param providers Where the libraries come from; must outlive the suite.
   * @returns The suite.
   * @throws {CipherError} `unknown_method`, or if no library has it.
   */
  static async create(
    methodName: string,
    password: string,
    providers: ProviderSource,
  ): Promise<CipherSuite> {
    const method = requireMethod(methodName);
    return new CipherSuite(
      method,
      password,
      await providers.forMethod(method),
    );
  }

  /** Bytes that {@linkcode sealPacket} adds to a payload. */
  get packetOverhead(): number {
    return this.#framing.packetOverhead;
  }

  /**
   * The salt or IV of the packet last sealed or opened; overwritten by the
   * next.
   */
  get packetSalt(): Uint8Array {
    return this.#framing.packetSalt;
  }

  /**
   * Tells whether a connection begins under this key.
   *
   * @param head Holds the salt and the sealed length of the first chunk; the
   * same buffer again is the cheapest.
   * @returns Whether it does; false of a method that proves nothing.
   */
  opensHead(head: Uint8Array): boolean {
    return this.#aead?.opensHead(head) ?? false;
  }

  /**
   * Makes the two directions of a connection.
   *
   * @param salts Where the salt of what is sent is drawn from. Default: a stock
   * of the suite's own.
   * @returns A cryptor; must not outlive the suite.
   */
  newCryptor(salts?: SaltPool): Cryptor {
    return new Cryptor(this.#framing, salts);
  }

  /**
   * Seals the payload of a UDP packet under a fresh salt.
   *
   * @param plaintext Holds the payload, which may be empty.
   * @param out Takes the payload's bytes and `packetOverhead` more; must not
   * overlap `plaintext`.
   * @param options Where the payload is, and whom to tell the salt before it
   * is used.
   * @returns Bytes written.
   * @throws {RangeError} If there is too little room, or no such payload.
   */
  sealPacket(
    plaintext: Uint8Array,
    out: Uint8Array,
    options: SealPacketOptions = {},
  ): number {
    const needed = partLength(plaintext, options) + this.packetOverhead;
    if (out.length < needed) {
      throw new RangeError(
        `Cannot seal a packet: ${needed} bytes of room are needed, not ${out.length}`,
      );
    }
    return this.#framing.sealPacket(plaintext, out, options);
  }

  /**
   * Opens a UDP packet.
   *
   * @param packet Holds the packet.
   * @param out Takes the packet's bytes less `packetOverhead`; must not
   * overlap `packet`.
   * @param options Where the packet is, and where the payload goes.
   * @returns Bytes of payload, or `DECRYPT_FAILED`: it is too short or not
   * genuine.
   * @throws {RangeError} If there is too little room, or no such packet.
   */
  openPacket(
    packet: Uint8Array,
    out: Uint8Array,
    options: OpenPacketOptions = {},
  ): number {
    const needed = partLength(packet, options) - this.packetOverhead;
    const { at = 0 } = options;
    if (!(at >= 0 && out.length - at >= needed)) {
      throw new RangeError(
        `Cannot open a packet: ${needed} bytes of room are needed, not ${out.length}`,
      );
    }
    return this.#framing.openPacket(packet, out, options);
  }

  /** Frees the ciphers and wipes the key. */
  [Symbol.dispose](): void {
    this.#framing[Symbol.dispose]();
    this.masterKey.fill(0);
  }
}

/**
 * Finds a method that must be there.
 *
 * @param name Its name in any case.
 * @returns The method.
 * @throws {CipherError} `unknown_method`.
 */
export function requireMethod(name: string): CipherMethod {
  const method = findMethod(name);
  if (method !== undefined) return method;
  throw new CipherError(
    "unknown_method",
    `Cannot use method ${JSON.stringify(name)}: there is no such method`,
  );
}

function partLength(
  bytes: Uint8Array,
  { start = 0, end = bytes.length }: PacketPart,
): number {
  if (start >= 0 && start <= end && end <= bytes.length) return end - start;
  throw new RangeError(
    `Cannot use bytes ${start} to ${end} of a buffer of ${bytes.length}`,
  );
}
