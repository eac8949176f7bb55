/**
 * For tests: handshakes with proxies, driven as the relay does it, without
 * sockets.
 *
 * @module
 */

import type { HandshakeAnswer, OutboundHandshake } from "../../relay/mod.ts";
import { bytesOf } from "../../tests/support/bytes.ts";

/** Our side of a handshake, and what became of it. */
export class HandshakeRun {
  /** All that was sent to the proxy. */
  sent: Uint8Array;
  /** Bytes that were not consumed yet. */
  rest: Uint8Array = new Uint8Array(0);
  /** The newest answer. */
  answer: HandshakeAnswer = { kind: "more", consumed: 0 };
  readonly #handshake: OutboundHandshake;

  /**
   * Begins.
   *
   * @param handshake The handshake.
   */
  constructor(handshake: OutboundHandshake) {
    this.#handshake = handshake;
    this.sent = handshake.start().slice();
  }

  /** Brings bytes of the proxy, one read a piece. */
  bring(...pieces: readonly Uint8Array[]): this {
    for (const piece of pieces) {
      this.rest = bytesOf(this.rest, piece);
      while (this.answer.kind === "more") {
        const { length } = this.rest;
        this.#receive();
        if (this.rest.length === length || this.rest.length === 0) break;
      }
    }
    return this;
  }

  /** `more`, `ready`, or status and code of the failure. */
  get result(): string {
    const { answer } = this;
    return answer.kind === "failed"
      ? `${answer.failure.status} ${answer.failure.code}`
      : answer.kind;
  }

  #receive(): void {
    const data = this.rest.slice();
    const answer = this.#handshake.receive(data);
    this.answer = answer;
    if ("consumed" in answer) this.rest = this.rest.slice(answer.consumed);
    if (answer.kind === "more" && answer.send !== undefined) {
      this.sent = bytesOf(this.sent, answer.send);
    }
    data.fill(0xee);
  }
}
