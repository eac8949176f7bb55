/**
 * One direction of a relayed connection.
 *
 * @module
 */

import { POLL_IN, POLL_NULL, POLL_OUT } from "../loop/mod.ts";
import {
  MIN_READ_SIZE,
  WAIT_STATUS_INIT,
  WAIT_STATUS_READING,
  WAIT_STATUS_WRITING,
} from "./constants.ts";

/** What some connections do with the plaintext of a direction. */
export interface StreamTransform {
  /** Whether an end of the stream would be a clean one now. */
  readonly atBoundary: boolean;
  /**
   * Turns the next bytes into others.
   *
   * @param data Bytes of the stream.
   * @param out Takes the others; does not overlap `data`.
   * @returns How many others.
   */
  apply(data: Uint8Array, out: Uint8Array): number;
}

/** What one direction holds between two events; all empty while it is idle. */
export class RelayStream {
  /** What it waits for: `WAIT_STATUS_*`. */
  status: number = WAIT_STATUS_INIT;
  /**
   * Bytes to put in front of the next read: the part of a frame that is not
   * whole yet, or the header that waits for the first payload.
   */
  carry: Uint8Array | undefined = undefined;
  /** Most bytes of the next read. */
  readSize: number = MIN_READ_SIZE;
  /** Bytes that the sink had no room for; the source is not read meanwhile. */
  pending: Uint8Array | undefined = undefined;
  /** Before encrypting, or after decrypting; most often there is none. */
  transform: StreamTransform | undefined = undefined;
  /** The peer's salt was accepted, so what it sends counts. */
  accepted = false;
  /** The source has sent its end. */
  ended = false;
  /** The end was passed on to the sink. */
  finished = false;

  /**
   * What the transform, if there is one, makes of bytes.
   *
   * @param data The bytes.
   * @param scratch Where the others go; does not overlap `data`.
   */
  transformed(data: Uint8Array, scratch: Uint8Array): Uint8Array {
    const { transform } = this;
    if (transform === undefined) return data;
    return scratch.subarray(0, transform.apply(data, scratch));
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

  /** Drops all bytes. */
  clear(): void {
    this.carry = this.pending = this.transform = undefined;
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
