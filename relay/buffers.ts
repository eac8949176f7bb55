/**
 * The buffers that all connections and UDP relays of a loop share.
 *
 * @module
 */

import { DECODE_ROOM, encodeRoom } from "./codec.ts";
import { CARRY_SIZE, STREAM_BUF_SIZE } from "./constants.ts";

/**
 * What is read, and what is made of it. An idle connection has no buffer of
 * its own. What is to outlive the handling of one event must be copied out.
 */
export class RelayBuffers {
  /** Bytes as read. */
  readonly input: Uint8Array = new Uint8Array(CARRY_SIZE + STREAM_BUF_SIZE);
  /** Bytes as sent, or payload between two codecs. */
  readonly output: Uint8Array = new Uint8Array(
    Math.max(this.input.length + DECODE_ROOM, encodeRoom(this.input.length)),
  );
  #second: Uint8Array | undefined;

  /** Bytes as sent where both sides have a codec; made at first use. */
  get second(): Uint8Array {
    return this.#second ??= new Uint8Array(encodeRoom(this.output.length));
  }

  /**
   * A buffer for what is made of some bytes, which does not overlap them.
   *
   * @param bytes The buffer that they stand in.
   */
  besides(bytes: Uint8Array): Uint8Array {
    return bytes === this.output ? this.second : this.output;
  }
}
