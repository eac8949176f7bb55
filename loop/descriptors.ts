/**
 * How many descriptors a loop may have, and who gives way when they run short.
 *
 * A process that has used its last descriptor can neither connect for a client
 * that it has accepted, nor ask a name server, nor open its log again. So a
 * listener says that descriptors have run out (`EMFILE`) while some are left,
 * and the sockets of UDP associations, of which one client may have any number,
 * never take more than half.
 *
 * @module
 */

/**
 * Most descriptors that listeners leave to others: the 32 connections that are
 * accepted at one event need one more each, and as many are left for name
 * servers, probes, connects beside others (RFC 8305) and files.
 */
const MAX_RESERVE = 64;
/** The same as a part of all, where there are few. */
const RESERVED_PART = 1 / 4;
/** The part of all that UDP associations may have. */
const ASSOCIATED_PART = 1 / 2;
/** So many connections are tried however few descriptors there seem to be. */
const ALWAYS_TRIED = 4;

/** Has sockets that can be closed for those of others. */
export interface DescriptorHolder {
  /** How many it has that can be closed. */
  readonly held: number;
  /**
   * Closes what was used least recently.
   *
   * @param asking Not to be closed: that for which there should be room.
   * @returns Whether anything was closed.
   */
  release(asking: unknown): boolean;
}

/** The descriptors of one loop. */
export class DescriptorBudget {
  /** How many sockets the poller has open; counted by the poller. */
  open = 0;
  /** How many of them belong to UDP associations; counted by their relays. */
  associated = 0;
  #total: number;
  #shortFrom = 0;
  #maxAssociated = 0;
  readonly #holders = new Set<DescriptorHolder>();

  /**
   * Makes the budget of a loop without sockets.
   *
   * @param total How many descriptors it may have; default: nobody knows.
   */
  constructor(total: number = Infinity) {
    this.#total = total;
    this.#divide();
  }

  /** Whether what is left should go to connections that are accepted already. */
  get isShort(): boolean {
    return this.open >= this.#shortFrom;
  }

  /** Whether UDP associations have all that they may have. */
  get isAssociationFull(): boolean {
    return this.associated >= this.#maxAssociated;
  }

  /**
   * Takes an open socket out of the count: a relay's own, which is there as
   * long as the relay is, and of which a server may have many.
   *
   * @param count 1; -1 before it is closed.
   */
  fix(count: 1 | -1): void {
    this.#total -= count;
    this.open -= count;
    this.#divide();
  }

  /**
   * Notes who can make room.
   *
   * @param holder Until {@linkcode DescriptorBudget.removeHolder}.
   */
  addHolder(holder: DescriptorHolder): void {
    this.#holders.add(holder);
  }

  /**
   * Ends what `addHolder` began.
   *
   * @param holder The same.
   */
  removeHolder(holder: DescriptorHolder): void {
    this.#holders.delete(holder);
  }

  /**
   * Has the holder of the most make room, so that many sockets of one listener
   * do not cost others theirs.
   *
   * @param asking What the room is for, which is not closed.
   * @returns Whether anything was closed.
   */
  makeRoom(asking: unknown): boolean {
    let most: DescriptorHolder | undefined;
    for (const holder of this.#holders) {
      if (holder.held > (most?.held ?? 0)) most = holder;
    }
    if (most?.release(asking)) return true;
    for (const holder of this.#holders) {
      if (holder !== most && holder.release(asking)) return true;
    }
    return false;
  }

  #divide(): void {
    const total = Math.max(0, this.#total);
    const reserve = Math.min(MAX_RESERVE, Math.floor(total * RESERVED_PART));
    this.#shortFrom = Math.max(ALWAYS_TRIED, total - reserve);
    this.#maxAssociated = Math.max(1, Math.floor(total * ASSOCIATED_PART));
  }
}
