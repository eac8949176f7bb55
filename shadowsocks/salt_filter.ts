/**
 * Salts that have been seen: what comes under one of them again is a replay.
 * What comes under one of our own is our own words sent back.
 *
 * ```text
 * our own salt    random bytes ‖ mark 4
 * ```
 *
 * The mark is a keyed hash of the bytes before it, so that our own salts are
 * known for ever without being kept; to all who have no secret of ours it is
 * as random as the rest. Salts of less than 16 bytes, which a few old stream
 * ciphers have, have no bytes to spare: those of our own are kept.
 *
 * @module
 */

import type { SaltHash } from "./_salt_hash.ts";
import type { SaltSet } from "./salt_set.ts";

/** Shorter ones repeat by chance, or are absent: they are not kept. */
const MIN_LENGTH = 8;
/** Salts of this length and more still have 96 random bits beside a mark. */
const MARKED_LENGTH = 16;
const MARK_BYTES = 4;

/** What is remembered of salts of one kind. */
export interface SaltSets {
  /** Salts of messages that came and were authentic. */
  readonly seen: SaltSet;
  /**
   * Short salts of messages that were sent. They are kept apart, since it may
   * be a stranger who has us send.
   */
  readonly own: SaltSet;
}

/** What one side of a key remembers, of connections or of packets. */
export class SaltFilter {
  readonly #hash: SaltHash | undefined;
  readonly #seen: SaltSet;
  readonly #own: SaltSet;

  /**
   * Makes a filter.
   *
   * @param hash The hash of the key, not shared by two calls at once;
   * undefined: every salt is new, and none is marked.
   * @param sets Where the salts are kept, which other filters may share.
   */
  constructor(hash: SaltHash | undefined, { seen, own }: SaltSets) {
    this.#hash = hash;
    this.#seen = seen;
    this.#own = own;
  }

  /**
   * Adds the salt of a message that is authentic, in one step with the look
   * whether it is new.
   *
   * @param salt The salt or IV.
   * @returns False if it was there: a replay, or our own. A fresh salt is taken
   * for our own with a probability of 2⁻³².
   */
  add(salt: Uint8Array): boolean {
    const { length } = salt;
    const hash = this.#hash;
    if (hash === undefined || length < MIN_LENGTH) return true;
    if (length < MARKED_LENGTH) {
      hash.update(salt, length);
      if (this.#own.has(hash.first, hash.second)) return false;
    } else {
      const end = length - MARK_BYTES;
      hash.update(salt, end);
      if (hasMark(salt, end, hash.mark)) return false;
    }
    return this.#seen.add(hash.first, hash.second);
  }

  /**
   * Adds what names a message that has no salt, in one step with the look
   * whether it is new.
   *
   * @param name Some bytes, a multiple of four, which repeat with a replay alone.
   * @returns False if it was there.
   */
  addName(name: Uint8Array): boolean {
    const hash = this.#hash;
    if (hash === undefined) return true;
    hash.update(name, name.length);
    return this.#seen.add(hash.first, hash.second);
  }

  /**
   * Marks a salt that was drawn as our own, before it is used.
   *
   * @param salt The salt or IV; its last four bytes change.
   */
  mark(salt: Uint8Array): void {
    const { length } = salt;
    const hash = this.#hash;
    if (hash === undefined || length < MARKED_LENGTH) return;
    const end = length - MARK_BYTES;
    hash.update(salt, end);
    setMark(salt, end, hash.mark);
  }

  /**
   * Adds a salt of our own that is too short for a mark.
   *
   * @param salt The salt or IV.
   */
  addOwn(salt: Uint8Array): void {
    const { length } = salt;
    if (length < MIN_LENGTH || length >= MARKED_LENGTH) return;
    const hash = this.#hash;
    if (hash === undefined) return;
    hash.update(salt, length);
    this.#own.add(hash.first, hash.second);
  }
}

function hasMark(salt: Uint8Array, at: number, mark: number): boolean {
  return salt[at] === (mark & 0xff) && salt[at + 1] === (mark >>> 8 & 0xff) &&
    salt[at + 2] === (mark >>> 16 & 0xff) && salt[at + 3] === mark >>> 24;
}

function setMark(salt: Uint8Array, at: number, mark: number): void {
  salt[at] = mark;
  salt[at + 1] = mark >>> 8;
  salt[at + 2] = mark >>> 16;
  salt[at + 3] = mark >>> 24;
}
