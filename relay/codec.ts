/**
 * What stands between the bytes on a socket and the bytes of the application.
 *
 * @module
 */

/** The answer of {@linkcode StreamCodec.decode} for bytes that are wrong. */
export const CODEC_FAILED: number = -1;

/** Room in an output beyond what the length of the input asks for. */
const SPARE_ROOM = 8192;

/**
 * Room that `decode` has in its output beyond the length of its input: 64 KiB
 * for what a codec may have kept of a frame that the input completes (a chunk
 * of one-time authentication has up to 65,535 bytes), and 8 KiB for what it
 * adds itself, such as the fields of an HTTP head.
 */
export const DECODE_ROOM: number = 65_536 + SPARE_ROOM;

/**
 * How long the output of `encode` is: an eighth more than the input for the
 * frames, and 8 KiB for a head. An AEAD chunk has 34 bytes beside its payload
 * of 16,383 at most: the 37 chunks of a full input buffer need 1.2 KiB.
 *
 * @param length The most bytes of payload.
 */
export function encodeRoom(length: number): number {
  return length + (length >> 3) + SPARE_ROOM;
}

/**
 * Both directions of one side of a connection: "wire" is what its socket
 * carries, "payload" what goes on to the other side. It keeps no payload:
 * what is left of an unfinished frame stays with the caller, who gives it
 * again in front of the bytes that follow.
 */
export interface StreamCodec extends Disposable {
  /**
   * Turns bytes of the socket into payload.
   *
   * @param input Received bytes, at the start of a buffer.
   * @param output Takes the payload: `length` bytes and
   * {@linkcode DECODE_ROOM} more; does not overlap `input`.
   * @param length How many bytes of `input`.
   * @returns Bytes of payload, or {@linkcode CODEC_FAILED} if there are none
   * and none will come. What is right before a wrong byte is still delivered;
   * then {@linkcode StreamCodec.failed} is set.
   */
  decode(input: Uint8Array, output: Uint8Array, length: number): number;
  /** How many bytes of its input the last `decode` has used. */
  readonly consumed: number;
  /** True once received bytes were wrong: nothing more will come out. */
  readonly failed: boolean;
  /**
   * Why, if it is that the clocks differ too much: how many seconds that of the
   * peer is ahead of ours. Absent or undefined: for another reason.
   */
  readonly skew?: number | undefined;
  /**
   * Turns payload into bytes for the socket.
   *
   * @param input The payload, at the start of a buffer.
   * @param output Takes the bytes, as many as {@linkcode encodeRoom} says;
   * does not overlap `input`.
   * @param length How many bytes of payload; 0 asks for the head alone.
   * @returns How many bytes for the socket.
   */
  encode(input: Uint8Array, output: Uint8Array, length: number): number;
  /**
   * True while something must be sent even if no payload comes: an address
   * header, or the salt of an empty answer. `encode` puts it in front.
   */
  readonly headPending: boolean;
  /**
   * Makes bytes behind which the end of the connection is no clean one, for
   * systems that cannot reset it: a frame that stays incomplete.
   *
   * @param output Takes them.
   * @returns How many; 0: there are no frames. Absent: 0.
   */
  cut?(output: Uint8Array): number;
  /**
   * Tells whether the end of what the socket sends would be a clean one now.
   *
   * @param leftover Bytes that the caller keeps for the next `decode`.
   */
  atBoundary(leftover: number): boolean;
  /**
   * Tells whether the end of the payload would be a clean one now; a codec
   * that lacks this takes every end.
   */
  endsCleanly?(): boolean;
  /**
   * True while `decode` takes nothing more until `encode` has finished the
   * answer under way (HTTP requests sent ahead). Absent: never.
   */
  readonly awaitsAnswer?: boolean;
  /**
   * Called while it awaits an answer: its socket has sent its end behind the
   * bytes that wait. Absent: they were cut.
   *
   * @returns True: the end is passed on, and what waits is for the next
   * request's far side; false: what waits was cut.
   */
  onEndAhead?(): boolean;
}
