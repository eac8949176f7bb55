/**
 * What the connections and packets of one key share in the classic editions.
 *
 * @module
 */

import { WorkBuffer } from "./_work_buffer.ts";
import { SaltPool } from "./_salt_pool.ts";
import { type KeySalts, ReplayMemory, type Side } from "./replay_memory.ts";
import type { CipherSuite } from "./suite.ts";

/** Which part of a packet the suite is to seal or open. */
export interface PacketRange {
  /** Where it begins. */
  start: number;
  /** Where it ends. */
  end: number;
  /** Where what is opened goes. */
  at: number;
  /** Where the salt of what is sealed is drawn from. */
  salts: SaltPool | undefined;
}

/** The salts of one side. */
export interface ClassicSalts extends KeySalts {
  /** Fresh ones, for connections and packets. */
  readonly fresh: SaltPool;
}

/** Cipher, options and memory of one key. */
export class ClassicPort {
  /** Method, key and cipher. */
  readonly suite: CipherSuite;
  /** Client: send one-time authentication; server: require it. */
  readonly oneTimeAuth: boolean;
  readonly #memory: ReplayMemory;
  #client: ClassicSalts | undefined;
  #server: ClassicSalts | undefined;
  /** Told to the suite for each packet: one object, used again. */
  readonly part: PacketRange = { start: 0, end: 0, at: 0, salts: undefined };
  /** For the duration of one call. */
  readonly buffer: WorkBuffer = new WorkBuffer();

  /**
   * Makes what a key's connections share.
   *
   * @param suite Method, key and cipher.
   * @param oneTimeAuth Client: send it; server: require it.
   * @param memory Where salts are remembered.
   */
  constructor(
    suite: CipherSuite,
    oneTimeAuth: boolean,
    memory: ReplayMemory = ReplayMemory.inMemory(),
  ) {
    this.suite = suite;
    this.oneTimeAuth = oneTimeAuth;
    this.#memory = memory;
  }

  /** The salts of the client's side. */
  get client(): ClassicSalts {
    return this.#client ??= this.#saltsOf("client");
  }

  /** The salts of the server's side. */
  get server(): ClassicSalts {
    return this.#server ??= this.#saltsOf("server");
  }

  #saltsOf(side: Side): ClassicSalts {
    const { method, masterKey } = this.suite;
    const isProven = method.kind === "aead";
    const known = this.#memory.forKey({ masterKey, isProven, side });
    const fresh = new SaltPool(method.saltLength, known.streams);
    return { ...known, fresh };
  }

  /**
   * Makes an end behind it no clean one: a byte of a chunk's sealed length, as
   * random as that is.
   *
   * @param output Takes it.
   * @returns How many bytes: 0 with a stream cipher, which has no chunks.
   */
  cut(output: Uint8Array): number {
    if (this.suite.method.kind !== "aead") return 0;
    crypto.getRandomValues(output.subarray(0, 1));
    return 1;
  }
}
