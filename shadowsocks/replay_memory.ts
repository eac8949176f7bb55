/**
 * The memory of salts of a process, or of all that share a table: one for each
 * key, wherever it listens.
 *
 * @module
 */

import { SaltHash, type Side } from "./_salt_hash.ts";
import {
  type ExactSaltSet,
  GrowingRecentSalts,
  NO_RECENT_SALTS,
  RecentSalts,
} from "./recent_salts.ts";
import { SaltFilter } from "./salt_filter.ts";
import { GrowingSaltSet, NO_SALTS, type SaltSet } from "./salt_set.ts";

export type { Side };

/** Where the salts of all keys are kept. */
export interface SaltKeeping {
  /** Connections whose bytes prove that their sender has the key. */
  readonly streams: SaltSet;
  /** Packets that prove it. */
  readonly packets: SaltSet;
  /**
   * Both of methods that prove nothing: whoever sends random bytes fills it,
   * so it is apart from the others.
   */
  readonly unproven: SaltSet;
  /** Our own that are too short for a mark; see `SaltFilter`. */
  readonly own: SaltSet;
  /** Connections of the 2022 edition. */
  readonly recent: ExactSaltSet;
}

/** How much {@linkcode ReplayMemory.inMemory} remembers. */
export interface InMemoryOptions {
  /** Packets of each direction that are surely known. Default: as many. */
  readonly packets?: number | undefined;
  /** Milliseconds since some fixed moment. Default: the system's. */
  readonly passed?: (() => number) | undefined;
}

/** Whose salts are asked for. */
export interface KeyOwner {
  /** The key made from the password. */
  readonly masterKey: Uint8Array;
  /** Whether received bytes prove that their sender has the key. */
  readonly isProven: boolean;
  /** Client and server of one key do not know each other's salts. */
  readonly side: Side;
}

/** What one side of a key remembers. */
export interface KeySalts {
  /** Salts of connections. */
  readonly streams: SaltFilter;
  /** Salts of packets. */
  readonly packets: SaltFilter;
  /** Salts of connections of the 2022 edition. */
  readonly recent: RecentSalts;
}

/** Salts of each kind that are surely known, where nothing else is said. */
const CAPACITY = 1 << 19;
/** Bytes of a secret. */
export const SECRET_BYTES = 16;

/** Makes the filters of keys. */
export class ReplayMemory {
  readonly #secret: Uint8Array | undefined;
  readonly #keeping: SaltKeeping;

  /**
   * Makes a memory.
   *
   * @param secret Keys the hashes, the same for all that share the sets;
   * undefined: nothing is remembered.
   * @param keeping Where the salts are kept.
   */
  constructor(secret: Uint8Array | undefined, keeping: SaltKeeping) {
    this.#secret = secret;
    this.#keeping = keeping;
  }

  /**
   * Makes one that ends with the process, and grows with what is in it.
   *
   * @param options How much it remembers.
   */
  static inMemory(options: InMemoryOptions = {}): ReplayMemory {
    const { packets = CAPACITY, passed = () => performance.now() } = options;
    const secret = crypto.getRandomValues(new Uint8Array(SECRET_BYTES));
    return new ReplayMemory(secret, {
      streams: new GrowingSaltSet(CAPACITY),
      packets: new GrowingSaltSet(packets),
      unproven: new GrowingSaltSet(packets),
      own: new GrowingSaltSet(packets),
      recent: new GrowingRecentSalts({ capacity: CAPACITY, passed }),
    });
  }

  /** Makes one that knows nothing: every salt is new. */
  static none(): ReplayMemory {
    return new ReplayMemory(undefined, {
      streams: NO_SALTS,
      packets: NO_SALTS,
      unproven: NO_SALTS,
      own: NO_SALTS,
      recent: NO_RECENT_SALTS,
    });
  }

  /**
   * Makes the filters of one side of a key. Those of equal keys and sides know
   * the same salts.
   *
   * @param owner The key, and whose it is.
   */
  forKey(owner: KeyOwner): KeySalts {
    return new OwnedSalts(this.#secret, this.#keeping, owner);
  }
}

/** What is asked for is made when it is first asked for. */
class OwnedSalts implements KeySalts {
  readonly streams: SaltFilter;
  readonly packets: SaltFilter;
  readonly #newRecent: () => RecentSalts;
  #recent: RecentSalts | undefined;

  constructor(
    secret: Uint8Array | undefined,
    { streams, packets, unproven, own, recent }: SaltKeeping,
    owner: KeyOwner,
  ) {
    const { masterKey, isProven, side } = owner;
    const hash = secret && new SaltHash(secret, masterKey, side);
    const filterOf = (seen: SaltSet): SaltFilter =>
      new SaltFilter(hash, { seen, own });
    this.streams = filterOf(isProven ? streams : unproven);
    this.packets = filterOf(isProven ? packets : unproven);
    this.#newRecent = () => new RecentSalts(secret, owner, recent);
  }

  get recent(): RecentSalts {
    return this.#recent ??= this.#newRecent();
  }
}
