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
export interface ClassicSalts extends Pick<KeySalts, "streams" | "packets"> {
  /** Fresh ones, for connections and packets. */
  readonly fresh: SaltPool;
}

/** How a {@linkcode ClassicPort} is made. */
export interface ClassicPortOptions {
  /** Client: send one-time authentication; server: require it. */
  readonly oneTimeAuth: boolean;
  /** Where salts are remembered. Default: a memory of its own. */
  readonly memory?: ReplayMemory | undefined;
  /** Whose key it is. Default: `""`, nobody's by name. */
  readonly user?: string | undefined;
  /** What it shares with the ports of other keys. Default: nothing. */
  readonly common?: ClassicCommon | undefined;
}

/** What ports of one method may share: it serves one call at a time. */
export interface ClassicCommon {
  /** Told to the suite for each packet: one object, used again. */
  readonly part: PacketRange;
  /** For the duration of one call. */
  readonly buffer: WorkBuffer;
  /** Random bytes for salts. */
  readonly stock: SaltPool;
}

/**
 * Makes what the keys of a method share.
 *
 * @param saltLength Bytes of a salt.
 */
export function newCommon(saltLength: number): ClassicCommon {
  return {
    part: newRange(),
    buffer: new WorkBuffer(),
    stock: new SaltPool(saltLength),
  };
}

/** Cipher, options and memory of one key. */
export class ClassicPort {
  /** Method, key and cipher. */
  readonly suite: CipherSuite;
  /** Whose key it is; `""`: nobody's by name. */
  readonly user: string;
  /** Client: send one-time authentication; server: require it. */
  readonly oneTimeAuth: boolean;
  readonly #memory: ReplayMemory;
  readonly #stock: SaltPool | undefined;
  #client: ClassicSalts | undefined;
  #server: ClassicSalts | undefined;
  /** Told to the suite for each packet: one object, used again. */
  readonly part: PacketRange;
  /** For the duration of one call. */
  readonly buffer: WorkBuffer;

  /**
   * Makes what a key's connections share.
   *
   * @param suite Method, key and cipher.
   * @param options What else.
   */
  constructor(suite: CipherSuite, options: ClassicPortOptions) {
    const { oneTimeAuth, memory, user = "", common } = options;
    this.suite = suite;
    this.user = user;
    this.oneTimeAuth = oneTimeAuth;
    this.#memory = memory ?? ReplayMemory.inMemory();
    this.#stock = common?.stock;
    this.part = common?.part ?? newRange();
    this.buffer = common?.buffer ?? new WorkBuffer();
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
    const owner = { masterKey, isProven, side };
    const { streams, packets } = this.#memory.forKey(owner);
    const fresh = new SaltPool(method.saltLength, streams, this.#stock);
    return { streams, packets, fresh };
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

function newRange(): PacketRange {
  return { start: 0, end: 0, at: 0, salts: undefined };
}
