/**
 * What the connections and packets of one key share in the 2022 edition.
 *
 * @module
 */

import type {
  AeadCipher,
  AeadKey,
  BlockCipher,
  CipherMethod,
} from "../crypto/mod.ts";
import { type ChunkContext, newChunkContext } from "./_aead_chunks.ts";
import { SaltPool } from "./_salt_pool.ts";
import { PSK_HASH_LENGTH, pskHash, sessionSubkey } from "./_sip022_keys.ts";
import { newUser, type Sip022User, Sip022Users } from "./_sip022_users.ts";
import { WorkBuffer } from "./_work_buffer.ts";
import type { EditionClock } from "./clock.ts";
import type { RecentSalts } from "./recent_salts.ts";
import type { KeySalts, ReplayMemory } from "./replay_memory.ts";
import type { SaltFilter } from "./salt_filter.ts";

/** SIP022: the most payload in a chunk. */
export const MAX_CHUNK_LENGTH = 0xffff;
/**
 * The most payload that is put into one: of what reads bring, 64 KiB to 512,
 * all chunks are full. Measured with OpenSSL 3.0.19 on x86-64, to seal takes
 * 0.24 s a GB of AES-256-GCM in chunks of 16 KiB, 0.23 in these and 0.22 in the
 * longest (ChaCha20: 0.35, 0.32, 0.30); longer ones make receivers wait and
 * keep more, and cost them copies of what is not whole.
 */
export const SEND_CHUNK_LENGTH = 0x8000;

/** Ciphers, keys and memory of a port. */
export interface Sip022Setup {
  /** The method. */
  readonly method: CipherMethod;
  /**
   * The identity keys and the key. A client writes an identity header for each
   * but the last; a server has one.
   */
  readonly keys: readonly Uint8Array[];
  /** Those that a server has under its identity key; undefined: no users. */
  readonly users: readonly Sip022User[] | undefined;
  /** The AEAD cipher of subkeys. */
  readonly cipher: AeadCipher;
  /** XChaCha20-Poly1305 for packets; undefined: the method has AES. */
  readonly packetCipher: AeadCipher | undefined;
  /** AES of single blocks; undefined: the method has ChaCha. */
  readonly blocks: BlockCipher | undefined;
  /** Where salts are remembered. */
  readonly memory: ReplayMemory;
  /** What time it is. */
  readonly clock: EditionClock;
}

/** Cipher, keys and memory of one port. */
export class Sip022Port implements Disposable {
  /** What it was made from. */
  readonly setup: Sip022Setup;
  /** The method. */
  readonly method: CipherMethod;
  /** What time it is. */
  readonly clock: EditionClock;
  /** The last of the keys: what a client's sessions are sealed with. */
  readonly psk: Uint8Array;
  /**
   * For a client, what its identity headers say: the hash of the key after each
   * but the last.
   */
  readonly hashes: readonly Uint8Array[];
  /** The users of a server that reads identity headers; undefined: none do. */
  #users: Sip022Users | undefined;
  /** Whose requests are those of a server without users. */
  readonly nobody: Sip022User;
  /** What chunks share. */
  readonly chunks: ChunkContext;
  /** Fresh salts. */
  readonly salts: SaltPool;
  /** For the duration of one call. */
  readonly buffer: WorkBuffer = new WorkBuffer();
  /** Scratch for what stands in an identity header. */
  readonly identity: Uint8Array = new Uint8Array(PSK_HASH_LENGTH);
  readonly #subkey: Uint8Array;
  readonly #random = new SaltPool(2);
  #client: KeySalts | undefined;
  #server: KeySalts | undefined;

  /**
   * Makes what a key's connections share.
   *
   * @param setup Ciphers, keys and memory; become the port's own.
   */
  constructor(setup: Sip022Setup) {
    const { method, keys, users, clock } = setup;
    this.setup = setup;
    this.method = method;
    this.clock = clock;
    this.psk = keys[keys.length - 1]!;
    this.hashes = keys.slice(1).map(pskHash);
    this.#users = users && new Sip022Users(users);
    this.nobody = newUser("", this.psk);
    this.#subkey = new Uint8Array(method.keyLength);
    this.salts = new SaltPool(method.saltLength);
    this.chunks = newChunkContext(method, {
      maxLength: MAX_CHUNK_LENGTH,
      sendLength: SEND_CHUNK_LENGTH,
      newKey: (salt) => this.sessionKey(this.psk, salt),
    });
  }

  /** The users of a server that reads identity headers; undefined: none do. */
  get users(): Sip022Users | undefined {
    return this.#users;
  }

  /**
   * Takes other users; see {@linkcode Sip022Users.replace}.
   *
   * @param users All of them.
   */
  setUsers(users: readonly Sip022User[]): void {
    if (this.#users === undefined) this.#users = new Sip022Users(users);
    else this.#users.replace(users);
  }

  /** The salts that a client was answered under. */
  get clientSalts(): RecentSalts {
    this.#client ??= this.#saltsOf("client");
    return this.#client.recent;
  }

  /** The salts of requests that a server has taken. */
  get serverSalts(): RecentSalts {
    this.#server ??= this.#saltsOf("server");
    return this.#server.recent;
  }

  /**
   * The salts of requests that a server has passed on to another. Only that one
   * can tell how old they are, so they are kept for as long as there is room.
   */
  get passedSalts(): SaltFilter {
    this.#server ??= this.#saltsOf("server");
    return this.#server.streams;
  }

  /** The headers of packets that a server has taken. */
  get serverPackets(): SaltFilter {
    this.#server ??= this.#saltsOf("server");
    return this.#server.packets;
  }

  /**
   * Makes the key of one direction of a connection, or of a UDP session.
   *
   * @param psk The user's key.
   * @param salt The salt; of a UDP session its ID.
   * @returns The key.
   */
  sessionKey(psk: Uint8Array, salt: Uint8Array): AeadKey {
    const subkey = sessionSubkey(psk, salt, this.#subkey);
    try {
      return this.setup.cipher.importKey(subkey);
    } finally {
      subkey.fill(0);
    }
  }

  /**
   * Draws a length of padding.
   *
   * @param end At most 65,536; the shorter, the more evenly it is drawn.
   * @returns From 0 to `end` less 1.
   */
  randomBelow(end: number): number {
    const two = this.#random.draw();
    return Math.floor((two[0]! << 8 | two[1]!) * end / 0x1_0000);
  }

  /** Frees the ciphers and wipes the keys. */
  [Symbol.dispose](): void {
    const { cipher, packetCipher, blocks, keys } = this.setup;
    cipher[Symbol.dispose]();
    packetCipher?.[Symbol.dispose]();
    blocks?.[Symbol.dispose]();
    for (const key of keys) key.fill(0);
    this.#users?.wipe();
    this.buffer[Symbol.dispose]();
  }

  #saltsOf(side: "client" | "server"): KeySalts {
    const masterKey = this.psk;
    return this.setup.memory.forKey({ masterKey, isProven: true, side });
  }
}
