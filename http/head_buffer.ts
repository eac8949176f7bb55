/**
 * Finds where a head ends, in whatever pieces it comes.
 *
 * @module
 */

import { CR, LF, skipLineEnds } from "./text.ts";

/** The longest head that is taken, with all its lines: 64 KiB. */
export const MAX_HEAD_SIZE: number = 64 * 1024;
/** The head is not whole yet; the bytes are kept. */
export const HEAD_INCOMPLETE: number = -1;
/** The head is longer than {@linkcode MAX_HEAD_SIZE}. */
export const HEAD_TOO_LONG: number = -2;

/** First room for a head that comes in pieces. */
const FIRST_SIZE = 1024;

const EMPTY = new Uint8Array(0);

/** Nothing, or no line end, was seen last. */
const IN_LINE = 0;
/** A line feed was seen last. */
const AFTER_LF = 1;
/** A line feed and a carriage return were seen last. */
const AFTER_LF_CR = 2;

/**
 * Collects the bytes of one head. A head that comes in one piece is not
 * copied. Line ends in front of a head are skipped (RFC 9112, 2.2).
 */
export class HeadBuffer {
  /** Holds the head that was found. */
  bytes: Uint8Array = EMPTY;
  /** Where the head begins in `bytes`. */
  start = 0;
  /** Where the head ends in `bytes`, its last empty line included. */
  end = 0;
  #kept: Uint8Array = EMPTY;
  #length = 0;
  #state: number = IN_LINE;

  /** Whether no byte of a head is kept. */
  get isEmpty(): boolean {
    return this.#length === 0;
  }

  /**
   * Looks for the end of the head. Only "incomplete" takes the bytes: after
   * any other answer the same bytes may be given again, with the same answer,
   * until {@linkcode HeadBuffer.clear}.
   *
   * @param input Holds the next bytes.
   * @param from The first of them.
   * @param end Behind the last of them.
   * @returns The place in `input` behind the head, whose bytes are then named
   * by `bytes`, `start` and `end` until `input` is used again; or
   * {@linkcode HEAD_INCOMPLETE}, or {@linkcode HEAD_TOO_LONG}.
   */
  find(input: Uint8Array, from: number, end: number): number {
    const begin = this.#length === 0 ? skipLineEnds(input, from, end) : from;
    const limit = begin + MAX_HEAD_SIZE - this.#length;
    const stop = Math.min(end, limit);
    let state = this.#state;
    for (let at = begin; at < stop; at++) {
      const byte = input[at];
      if (byte === LF) {
        if (state !== IN_LINE) return this.#found(input, begin, at + 1);
        state = AFTER_LF;
      } else {
        state = byte === CR && state === AFTER_LF ? AFTER_LF_CR : IN_LINE;
      }
    }
    if (end > limit) return HEAD_TOO_LONG;
    this.#append(input, begin, end);
    this.#length += end - begin;
    this.#state = state;
    return HEAD_INCOMPLETE;
  }

  /** Forgets the head: the next one begins with the next byte. */
  clear(): void {
    this.bytes = this.#kept = EMPTY;
    this.start = this.end = this.#length = 0;
    this.#state = IN_LINE;
  }

  #found(input: Uint8Array, begin: number, end: number): number {
    if (this.#length === 0) {
      this.bytes = input;
      this.start = begin;
      this.end = end;
    } else {
      this.#append(input, begin, end);
      this.bytes = this.#kept;
      this.start = 0;
      this.end = this.#length + end - begin;
    }
    return end;
  }

  /** Puts bytes behind those that are kept; does not count them yet. */
  #append(input: Uint8Array, begin: number, end: number): void {
    if (begin >= end) return;
    const length = this.#length + end - begin;
    if (length > this.#kept.length) {
      const grown = new Uint8Array(
        Math.min(MAX_HEAD_SIZE, Math.max(FIRST_SIZE, 2 * length)),
      );
      grown.set(this.#kept.subarray(0, this.#length));
      this.#kept = grown;
    }
    this.#kept.set(input.subarray(begin, end), this.#length);
  }
}
