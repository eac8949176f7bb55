/**
 * Follows a body to its end (RFC 9112, sections 6 and 7) without looking at
 * its content.
 *
 * ```text
 * chunked: { SIZE [; EXTENSIONS] CRLF  DATA CRLF }  0 [; EXTENSIONS] CRLF
 *          { FIELD CRLF }  CRLF
 * ```
 *
 * @module
 */

import { MAX_HEAD_SIZE } from "./head_buffer.ts";
import { CR, isBlank, isControl, isTokenByte, LF } from "./text.ts";

/** The length of a body that is chunked. */
export const BODY_CHUNKED: number = -1;
/** The length of a body that ends with its connection. */
export const BODY_UNTIL_CLOSE: number = -2;

/** Most digits of a chunk's size: 52 bits, which a number holds exactly. */
const MAX_SIZE_DIGITS = 13;
/** Most bytes of one chunk's extensions: nobody uses them for more. */
const MAX_EXTENSIONS = 4096;

const COLON = 0x3a;
const SEMICOLON = 0x3b;

/** Data of known length, or of a chunk. */
const DATA = 0;
/** Data until the connection ends. */
const DATA_UNTIL_CLOSE = 1;
const CHUNK_SIZE = 2;
const CHUNK_BLANK = 3;
const CHUNK_EXTENSION = 4;
const CHUNK_SIZE_LF = 5;
const CHUNK_DATA_CR = 6;
const CHUNK_DATA_LF = 7;
const TRAILER_START = 8;
const TRAILER_NAME = 9;
const TRAILER_VALUE = 10;
const TRAILER_LF = 11;
const LAST_LF = 12;
const DONE = 13;
const FAILED = 14;

/** Follows one body after another. */
export class BodyFollower {
  readonly #isLenient: boolean;
  #state: number = DONE;
  #isChunked = false;
  /** Bytes of the data that are still to come. */
  #left = 0;
  /** Digits of the chunk's size so far. */
  #digits = 0;
  /** Bytes of the extensions, or of all trailers, so far. */
  #extra = 0;

  /**
   * Makes a follower that is at its end.
   *
   * @param options `isLenient`: takes blanks behind a chunk's size, as old
   * servers send them.
   */
  constructor(options: { readonly isLenient: boolean }) {
    this.#isLenient = options.isLenient;
  }

  /** Whether the body is whole. */
  get isDone(): boolean {
    return this.#state === DONE;
  }

  /** Whether the framing of the body was wrong. */
  get failed(): boolean {
    return this.#state === FAILED;
  }

  /** Whether the end of the connection would end the body, or came after it. */
  get endsCleanly(): boolean {
    return this.#state === DONE || this.#state === DATA_UNTIL_CLOSE;
  }

  /** Whether the bytes that come next are content, and no framing. */
  get isAtData(): boolean {
    return this.#state === DATA || this.#state === DATA_UNTIL_CLOSE;
  }

  /**
   * Begins with a body.
   *
   * @param length Its length, {@linkcode BODY_CHUNKED} or
   * {@linkcode BODY_UNTIL_CLOSE}.
   */
  begin(length: number): void {
    this.#extra = 0;
    this.#isChunked = length === BODY_CHUNKED;
    if (length === BODY_CHUNKED) this.#beginChunk();
    else if (length === BODY_UNTIL_CLOSE) this.#state = DATA_UNTIL_CLOSE;
    else {
      this.#left = length;
      this.#state = length === 0 ? DONE : DATA;
    }
  }

  /**
   * Follows the body.
   *
   * @param bytes Holds its next bytes.
   * @param start The first of them.
   * @param end Behind the last that is there.
   * @returns Behind the last that belongs to the body, or before the first
   * wrong one.
   */
  follow(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    while (at < end && this.#state < DONE) at = this.step(bytes, at, end);
    return at;
  }

  /**
   * Follows the body as far as it is all content, or all framing, whichever
   * {@linkcode BodyFollower.isAtData} says.
   *
   * @param bytes Holds its next bytes.
   * @param start The first of them.
   * @param end Behind the last that is there.
   * @returns Behind the last of that kind, or before the first wrong one.
   */
  step(bytes: Uint8Array, start: number, end: number): number {
    if (this.#state === DATA_UNTIL_CLOSE) return end;
    if (this.#state === DATA) return this.#skipData(start, end);
    let at = start;
    while (at < end && this.#state !== DATA && this.#state < DONE) {
      this.#onFraming(bytes[at]!);
      if (this.#state === FAILED) return at;
      at++;
    }
    return at;
  }

  #skipData(start: number, end: number): number {
    const count = Math.min(this.#left, end - start);
    this.#left -= count;
    if (this.#left === 0) {
      this.#state = this.#isChunked ? CHUNK_DATA_CR : DONE;
    }
    return start + count;
  }

  #beginChunk(): void {
    this.#left = this.#digits = 0;
    this.#state = CHUNK_SIZE;
  }

  #onFraming(byte: number): void {
    switch (this.#state) {
      case CHUNK_SIZE:
        return this.#onSize(byte);
      case CHUNK_BLANK:
        if (!isBlank(byte)) {
          this.#onSizeEnd(byte, { mayEnd: this.#isLenient });
        } else if (++this.#extra > MAX_EXTENSIONS) this.#state = FAILED;
        return;
      case CHUNK_EXTENSION:
        if (byte === CR) this.#state = CHUNK_SIZE_LF;
        else if (isControl(byte) || ++this.#extra > MAX_EXTENSIONS) {
          this.#state = FAILED;
        }
        return;
      case CHUNK_SIZE_LF:
        this.#extra = 0;
        return this.#expect(byte, LF, this.#left === 0 ? TRAILER_START : DATA);
      case CHUNK_DATA_CR:
        return this.#expect(byte, CR, CHUNK_DATA_LF);
      case CHUNK_DATA_LF:
        if (byte === LF) this.#beginChunk();
        else this.#state = FAILED;
        return;
      case LAST_LF:
        return this.#expect(byte, LF, DONE);
      default:
        return this.#onTrailer(byte);
    }
  }

  #onSize(byte: number): void {
    const digit = hexDigit(byte);
    if (digit < 0) {
      if (this.#digits === 0) this.#state = FAILED;
      else if (isBlank(byte)) this.#state = CHUNK_BLANK;
      else this.#onSizeEnd(byte, { mayEnd: true });
    } else if (++this.#digits > MAX_SIZE_DIGITS) this.#state = FAILED;
    else this.#left = this.#left * 16 + digit;
  }

  #onSizeEnd(byte: number, options: { readonly mayEnd: boolean }): void {
    if (byte === SEMICOLON) this.#state = CHUNK_EXTENSION;
    else if (byte === CR && options.mayEnd) this.#state = CHUNK_SIZE_LF;
    else this.#state = FAILED;
  }

  #onTrailer(byte: number): void {
    if (++this.#extra > MAX_HEAD_SIZE) {
      this.#state = FAILED;
      return;
    }
    switch (this.#state) {
      case TRAILER_START:
        if (byte === CR) this.#state = LAST_LF;
        else this.#state = isTokenByte(byte) ? TRAILER_NAME : FAILED;
        return;
      case TRAILER_NAME:
        if (byte === COLON) this.#state = TRAILER_VALUE;
        else if (!isTokenByte(byte)) this.#state = FAILED;
        return;
      case TRAILER_VALUE:
        if (byte === CR) this.#state = TRAILER_LF;
        else if (isControl(byte)) this.#state = FAILED;
        return;
      case TRAILER_LF:
        return this.#expect(byte, LF, TRAILER_START);
    }
  }

  #expect(byte: number, expected: number, next: number): void {
    this.#state = byte === expected ? next : FAILED;
  }
}

/** @returns 0 to 15, or -1. */
function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x61 + 10 : -1;
}
