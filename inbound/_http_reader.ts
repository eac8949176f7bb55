/**
 * Reads the heads of one HTTP client, in whatever pieces they come.
 *
 * @module
 */

import {
  HEAD_INCOMPLETE,
  HEAD_TOO_LONG,
  HeadBuffer,
  isTokenByte,
  parseRequestHead,
  type RequestFault,
  type RequestHead,
  skipLineEnds,
  TLS_HANDSHAKE,
} from "../http/mod.ts";
import { parseIp } from "../loop/mod.ts";

/** Length of an IPv6 address. */
const IPV6_LENGTH = 16;

/** Collects heads of requests. */
export class RequestReader {
  /** Behind the head that the last `read` has found. */
  next = 0;
  readonly #head = new HeadBuffer();

  /** Whether no byte of a head is kept. */
  get isEmpty(): boolean {
    return this.#head.isEmpty;
  }

  /** Length of the head that the last `read` has found. */
  get size(): number {
    return this.#head.end - this.#head.start;
  }

  /**
   * Looks for a head. The bytes are taken if it is not whole; else the same
   * bytes may be read again, until {@linkcode RequestReader.clear}.
   *
   * @param input Holds the next bytes.
   * @param start The first of them.
   * @param end Behind the last of them.
   * @returns The head, valid as long as `input` is; or what is wrong with it;
   * undefined: it is not whole yet.
   */
  read(
    input: Uint8Array,
    start: number,
    end: number,
  ): RequestHead | RequestFault | undefined {
    const foreign = this.#head.isEmpty
      ? foreignProtocol(input, start, end)
      : undefined;
    if (foreign !== undefined) return fault(400, foreign);
    const next = this.#head.find(input, start, end);
    if (next === HEAD_INCOMPLETE) return undefined;
    if (next === HEAD_TOO_LONG) {
      return fault(431, "the head is longer than 64 KiB");
    }
    this.next = next;
    const { bytes } = this.#head;
    const head = parseRequestHead(bytes, this.#head.start, this.#head.end);
    if (
      head.kind === "request" && head.isBracketed &&
      parseIp(head.host)?.length !== IPV6_LENGTH
    ) {
      return fault(400, "the host in brackets is not an IPv6 address");
    }
    return head;
  }

  /** Takes the head that was found: the next one begins behind it. */
  clear(): void {
    this.#head.clear();
  }
}

/** @returns What the bytes look like; undefined: HTTP, or nothing yet. */
function foreignProtocol(
  input: Uint8Array,
  start: number,
  end: number,
): string | undefined {
  const at = skipLineEnds(input, start, end);
  if (at === end || isTokenByte(input[at])) return undefined;
  return input[at] === TLS_HANDSHAKE
    ? "this is TLS: an https:// proxy is not served; use http://"
    : "this is not HTTP";
}

function fault(status: number, message: string): RequestFault {
  return { kind: "fault", status, message };
}
