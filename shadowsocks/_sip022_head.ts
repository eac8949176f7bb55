/**
 * What the heads of connections have in them (SIP022, section 3.1.3).
 *
 * ```text
 * request, fixed     type 0 ‖ time 8 ‖ length of the next 2
 * request, variable  address ‖ length of padding 2 ‖ padding ‖ first payload
 * answer             type 1 ‖ time 8 ‖ salt of the request ‖ length of the next 2
 * ```
 *
 * @module
 */

import { TIME_LENGTH } from "./_sip022_time.ts";

/** HeaderTypeClientStream. */
export const REQUEST = 0;
/** HeaderTypeServerStream. */
export const ANSWER = 1;
/** Bytes of a type. */
export const TYPE_LENGTH = 1;
/** Bytes of a length. */
const LENGTH_LENGTH = 2;
/** Bytes of the fixed header of a request. */
export const FIXED_LENGTH: number = TYPE_LENGTH + TIME_LENGTH + LENGTH_LENGTH;
/** MaxPaddingLength: the most that is sent; more is taken. */
export const MAX_PADDING = 900;

/**
 * Tells how long the header of an answer is.
 *
 * @param saltLength Bytes of a salt.
 * @returns Bytes, without the tag.
 */
export function answerHeaderLength(saltLength: number): number {
  return FIXED_LENGTH + saltLength;
}
