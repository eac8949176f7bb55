/**
 * The buffers that all connections and UDP relays of a loop share.
 *
 * @module
 */

import { CARRY_SIZE, UP_STREAM_BUF_SIZE } from "./constants.ts";

/**
 * Room in `output` beyond what one read brings: the salts, lengths and tags of
 * the 34 AEAD chunks that a full `input` makes need 1.2 KiB, a rewritten HTTP
 * head a few hundred bytes; the codec contract grants 8 KiB and an eighth.
 */
const OUTPUT_ROOM = 8192;
/**
 * The most payload that a codec has kept from earlier reads, and gives with
 * the one that completes its frame: a chunk of one-time authentication has up
 * to 65,535 bytes.
 */
const KEPT_ROOM = 65_536;

/**
 * What is read, and what is made of it. An idle connection has no buffer of
 * its own. What is to outlive the handling of one event must be copied out.
 */
export class RelayBuffers {
  /** Bytes as read. */
  readonly input: Uint8Array = new Uint8Array(CARRY_SIZE + UP_STREAM_BUF_SIZE);
  /** Bytes as sent, or payload between two codecs. */
  readonly output: Uint8Array = new Uint8Array(
    this.input.length + KEPT_ROOM + OUTPUT_ROOM,
  );
  #second: Uint8Array | undefined;

  /** Bytes as sent where both sides have a codec; made at first use. */
  get second(): Uint8Array {
    return this.#second ??= new Uint8Array(
      this.output.length + (this.output.length >> 3) + OUTPUT_ROOM,
    );
  }
}
