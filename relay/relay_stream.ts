/**
 * One direction of a relayed connection.
 *
 * @module
 */

import {
  POLL_IN,
  POLL_NULL,
  POLL_OUT,
  type StreamSocket,
} from "../loop/mod.ts";
import type { StreamCodec } from "./codec.ts";
import {
  MIN_READ_SIZE,
  STREAM_UP,
  WAIT_STATUS_INIT,
  WAIT_STATUS_READING,
  WAIT_STATUS_WRITING,
} from "./constants.ts";

/** What one direction holds between two events; all empty while it is idle. */
export class RelayStream {
  /** `STREAM_UP` or `STREAM_DOWN`. */
  readonly direction: number;
  /** What the stream waits for: `WAIT_STATUS_*`. */
  status: number = WAIT_STATUS_INIT;
  /** Where bytes are read; undefined before there is a socket. */
  source: StreamSocket | undefined = undefined;
  /** Where bytes are sent; undefined before there is a socket. */
  sink: StreamSocket | undefined = undefined;
  /** Turns bytes of the source into payload; undefined: they are payload. */
  decoder: StreamCodec | undefined = undefined;
  /** Turns payload into bytes for the sink; undefined: they are the same. */
  encoder: StreamCodec | undefined = undefined;
  /**
   * Bytes to put in front of the next read: what the decoder, or before that
   * the inbound, has not used yet.
   */
  carry: Uint8Array | undefined = undefined;
  /**
   * True while `carry` is more than the front of the next read, and is moved
   * as soon as the sink has taken what waits for it.
   */
  carryWaits = false;
  /** Most bytes of the next read. */
  readSize: number = MIN_READ_SIZE;
  /** Bytes that the sink had no room for; the source is not read meanwhile. */
  pending: Uint8Array | undefined = undefined;
  /** What of it the sink had taken and its other end not, when looked at last. */
  #unsent = 0;
  /** True while the decoder takes nothing until the other direction moves. */
  paused = false;
  /** True once the source has sent its end. */
  ended = false;
  /** True once the end was passed on to the sink. */
  finished = false;

  /**
   * Makes a stream without sockets.
   *
   * @param direction `STREAM_UP` or `STREAM_DOWN`.
   */
  constructor(direction: number) {
    this.direction = direction;
  }

  /** True for the direction from client to target. */
  get isUp(): boolean {
    return this.direction === STREAM_UP;
  }

  /**
   * Puts bytes behind those that the sink had no room for.
   *
   * @param data The bytes; copied.
   */
  hold(data: Uint8Array): void {
    const { pending } = this;
    if (pending === undefined) {
      this.pending = data.slice();
      return;
    }
    this.pending = new Uint8Array(pending.length + data.length);
    this.pending.set(pending);
    this.pending.set(data, pending.length);
  }

  /**
   * Drops the first of those bytes: the sink has taken them.
   *
   * @param length How many.
   */
  release(length: number): void {
    const { pending } = this;
    if (pending === undefined || length === 0) return;
    this.pending = length < pending.length
      ? pending.subarray(length)
      : undefined;
  }

  /**
   * Tells whether the sink's other end has taken bytes since the last call: the
   * system may have megabytes to send while nothing can be read or written.
   *
   * @returns True also if it is not known yet, and some are still to be taken.
   */
  moved(): boolean {
    const before = this.#unsent;
    const unsent = this.#unsent = this.sink?.unsent ?? 0;
    return unsent > 0 && unsent !== before;
  }

  /**
   * Most bytes of the next read: a large one brings what the sink has room for,
   * since the rest would be held for as long as nobody takes it.
   */
  get nextRead(): number {
    const { readSize } = this;
    if (readSize === MIN_READ_SIZE) return readSize;
    const room = this.sink?.room;
    if (room === undefined) return readSize;
    // The system counts more than the bytes, and frames make them longer.
    const fitting = room - (room >> 3);
    return Math.max(MIN_READ_SIZE, Math.min(readSize, fitting));
  }

  /**
   * Chooses the size of the next read. Large ones make a fast transfer cheap;
   * but what a slow sink does not take is held, so there they stay small.
   *
   * @param count Bytes of the last read.
   * @param limit Most bytes of a read.
   */
  adaptReadSize(count: number, limit: number): void {
    if (this.pending !== undefined) this.readSize = MIN_READ_SIZE;
    else if (count === this.readSize) {
      this.readSize = Math.min(2 * count, limit);
    }
  }

  /** Drops all bytes and forgets the codecs, which their owners dispose of. */
  clear(): void {
    this.carry =
      this.pending =
      this.decoder =
      this.encoder =
        undefined;
  }
}

/**
 * The events that a socket is watched for.
 *
 * @param asSource What the stream waits for whose source it is.
 * @param asSink What the stream waits for whose sink it is.
 * @returns A mask of `POLL_*`.
 */
export function eventsOf(asSource: number, asSink: number): number {
  return ((asSource & WAIT_STATUS_READING) !== 0 ? POLL_IN : POLL_NULL) |
    ((asSink & WAIT_STATUS_WRITING) !== 0 ? POLL_OUT : POLL_NULL);
}
