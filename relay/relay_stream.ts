/**
 * One direction of a relayed connection.
 *
 * @module
 */

import { WAIT_STATUS_INIT } from "./constants.ts";

/** What one direction holds between two events; all empty while it is idle. */
export class RelayStream {
  /** What it waits for: `WAIT_STATUS_*`. */
  status: number = WAIT_STATUS_INIT;
  /**
   * Bytes to put in front of the next read: the part of a frame that is not
   * whole yet, or the header that waits for the first payload.
   */
  carry: Uint8Array | undefined = undefined;
  /** Bytes that the sink had no room for; the source is not read meanwhile. */
  pending: Uint8Array | undefined = undefined;
  /** The source has sent its end. */
  ended = false;
  /** The end was passed on to the sink. */
  finished = false;

  /** Drops all bytes. */
  clear(): void {
    this.carry = this.pending = undefined;
  }
}
