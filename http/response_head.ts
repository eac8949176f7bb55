/**
 * The head of a response (RFC 9112, section 4), as a proxy reads it from an
 * origin and writes it for a client.
 *
 * @module
 */

import { framingOf, isChunkedLast, parseLength } from "./_framing.ts";
import { BODY_CHUNKED, BODY_UNTIL_CLOSE } from "./body.ts";
import type { ByteWriter } from "./byte_writer.ts";
import {
  type ConnectionOptions,
  connectionOptions,
  type Field,
  isHopByHop,
  lineEnd,
  nextLine,
  parseFields,
} from "./fields.ts";
import { isControl, textOf } from "./text.ts";

const LENIENT = { isLenient: true };

/** Version, status and reason; the blank behind the status may be missing. */
const STATUS_LINE_REGEXP = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: |$)/;
/** Length of `HTTP/1.1 `. */
const VERSION_LENGTH = 9;

/** The status of a response after which the protocol is another one. */
export const SWITCHING_PROTOCOLS = 101;
const NO_CONTENT = 204;
const NOT_MODIFIED = 304;
const UPGRADE_REQUIRED = 426;

/** The head of a response. Its places are those of the head's bytes. */
export interface ResponseHead {
  /** The bytes of the head. */
  readonly bytes: Uint8Array;
  /** The status, 100 to 999. */
  readonly status: number;
  /** Where the status begins. */
  readonly statusStart: number;
  /** Behind the reason. */
  readonly reasonEnd: number;
  /** The fields, in order. */
  readonly fields: readonly Field[];
  /** What `Connection` says. */
  readonly connection: ConnectionOptions;
  /** What `Content-Length` says; undefined: nothing that counts. */
  readonly contentLength: number | undefined;
  /** Whether there is a `Transfer-Encoding`. */
  readonly isCoded: boolean;
  /** Whether that ends in "chunked". */
  readonly isChunked: boolean;
  /** Whether the origin will take another request after this one. */
  readonly persists: boolean;
}

/** What a client is to get. */
export interface WriteResponseOptions {
  /** Whether the client may send another request. */
  readonly persists: boolean;
  /** Whether the chunks are taken out of the body. */
  readonly unchunk: boolean;
}

/**
 * Reads the head of a response.
 *
 * @param bytes Holds the head.
 * @param start Where it begins.
 * @param end Behind its empty line.
 * @returns Undefined if it is none.
 */
export function parseResponseHead(
  bytes: Uint8Array,
  start: number,
  end: number,
): ResponseHead | undefined {
  const stop = lineEnd(bytes, start, LENIENT);
  if (stop < 0 || stop >= end) return undefined;
  for (let i = start; i < stop; i++) {
    if (isControl(bytes[i]!)) return undefined;
  }
  const match = STATUS_LINE_REGEXP.exec(textOf(bytes, start, stop));
  const fields = parseFields(bytes, nextLine(bytes, stop), LENIENT);
  if (match === null || typeof fields === "string") return undefined;
  const { lengths, codings } = framingOf(bytes, fields);
  let contentLength: number | undefined;
  if (codings.length === 0 && lengths.length > 0) {
    contentLength = parseLength(lengths[0]!);
    // The same length said twice is one length (RFC 9112, 6.3).
    const isOne = lengths.every((length) => length === lengths[0]);
    if (contentLength < 0 || !isOne) return undefined;
  }
  const connection = connectionOptions(bytes, fields);
  // A coding in HTTP/1.0 is faulty framing: the connection ends (6.1).
  const isKept = match[1] === "1" ||
    (connection.keepAlive && codings.length === 0);
  return {
    bytes,
    status: Number(match[2]),
    statusStart: start + VERSION_LENGTH,
    reasonEnd: stop,
    fields,
    connection,
    contentLength,
    isCoded: codings.length > 0,
    isChunked: isChunkedLast(codings),
    persists: isKept && !connection.close,
  };
}

/**
 * The length of the body of a response (RFC 9112, 6.3).
 *
 * @param head Its head.
 * @param isHead Whether it answers HEAD.
 * @returns The length, or `BODY_CHUNKED`, or `BODY_UNTIL_CLOSE`.
 */
export function responseBodyLength(
  head: ResponseHead,
  isHead: boolean,
): number {
  const { status } = head;
  if (
    isHead || status < 200 || status === NO_CONTENT || status === NOT_MODIFIED
  ) {
    return 0;
  }
  if (head.isCoded) return head.isChunked ? BODY_CHUNKED : BODY_UNTIL_CLOSE;
  return head.contentLength ?? BODY_UNTIL_CLOSE;
}

/**
 * Writes the head of a response as the client gets it: in the proxy's own
 * version, without what concerned the connection to the origin.
 *
 * @param head The response.
 * @param writer Takes the head.
 * @param options What the client is to get.
 */
export function writeResponseHead(
  head: ResponseHead,
  writer: ByteWriter,
  options: WriteResponseOptions,
): void {
  const { bytes, status } = head;
  const isInterim = status < 200;
  const switches = status === SWITCHING_PROTOCOLS;
  const isFramed = !isInterim && status !== NO_CONTENT;
  const keepsUpgrade = (switches || status === UPGRADE_REQUIRED) &&
    head.connection.upgrade;
  writer.text("HTTP/1.1 ");
  writer.copy(bytes, head.statusStart, head.reasonEnd);
  writer.text("\r\n");
  for (const field of head.fields) {
    const { name } = field;
    if (name === "content-length") continue;
    if (name === "transfer-encoding") {
      if (!isFramed || options.unchunk) continue;
    } else if (name === "trailer") {
      if (options.unchunk) continue;
    } else if (name === "upgrade" && keepsUpgrade) {
      // Kept: it says what the connection becomes, or must become.
    } else if (isHopByHop(name, head.connection)) continue;
    writer.copy(bytes, field.start, field.nameEnd);
    writer.copy(bytes, field.colon, field.valueEnd);
    writer.text("\r\n");
  }
  if (isFramed && head.contentLength !== undefined) {
    writer.text(`Content-Length: ${head.contentLength}\r\n`);
  }
  if (keepsUpgrade) writer.text("Connection: Upgrade\r\n");
  if (!isInterim && !options.persists) writer.text("Connection: close\r\n");
  writer.text("\r\n");
}
