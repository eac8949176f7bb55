/**
 * How long the body of a message is, by its fields (RFC 9112, section 6.3).
 *
 * @module
 */

import { type Field, fieldText } from "./fields.ts";

/** Up to 15 digits a number holds exactly. */
const LENGTH_REGEXP = /^\d{1,15}$/;

/** What `Content-Length` and `Transfer-Encoding` say. */
export interface Framing {
  /** The values of `Content-Length`, one for each element and field. */
  readonly lengths: readonly string[];
  /** The codings of `Transfer-Encoding`, in lower case, in order. */
  readonly codings: readonly string[];
}

/** What a head without those fields says. */
const NO_FRAMING: Framing = { lengths: [], codings: [] };

/**
 * Collects the two fields.
 *
 * @param bytes The head.
 * @param fields Its fields.
 */
export function framingOf(
  bytes: Uint8Array,
  fields: readonly Field[],
): Framing {
  let lengths: string[] | undefined;
  let codings: string[] | undefined;
  for (const field of fields) {
    if (field.name === "content-length") {
      lengths ??= [];
      lengths.push(...elementsOf(fieldText(bytes, field)));
    } else if (field.name === "transfer-encoding") {
      codings ??= [];
      codings.push(...elementsOf(fieldText(bytes, field).toLowerCase()));
    }
  }
  if (lengths === undefined && codings === undefined) return NO_FRAMING;
  return { lengths: lengths ?? [], codings: codings ?? [] };
}

/**
 * The elements of a list. Each is trimmed by itself: a pattern that looks for
 * blanks around commas would take the square of their number.
 */
function elementsOf(text: string): string[] {
  return text.split(",").map((element) => element.trim());
}

/**
 * Reads the value of `Content-Length`.
 *
 * @param text The value.
 * @returns The length; -1 if it is none.
 */
export function parseLength(text: string): number {
  return LENGTH_REGEXP.test(text) ? Number(text) : -1;
}

/**
 * Tells whether "chunked" is the last coding, and stands nowhere else.
 *
 * @param codings The codings in order.
 */
export function isChunkedLast(codings: readonly string[]): boolean {
  return codings.length > 0 &&
    codings.indexOf("chunked") === codings.length - 1;
}
