/**
 * For tests: a client of an inbound without sockets, and the log lines that it
 * causes.
 *
 * @module
 */

import { SocketAddress } from "../loop/mod.ts";
import {
  type Inbound,
  type InboundAnswer,
  type InboundStream,
  type Session,
  Sessions,
} from "../relay/mod.ts";
import { bytesOf } from "../tests/support/bytes.ts";

/** Who the client is. */
export const CLIENT: SocketAddress = SocketAddress.parse("198.51.100.1", 4000);

/** What the buffer of a read is overwritten with after each call. */
const POISON = 0xee;

/** Makes a session of {@linkcode CLIENT}. */
export function openSession(): Session {
  const listener = { protocol: "test", port: 1080 };
  return new Sessions().open({ listener, network: "tcp", client: CLIENT }, 0);
}

/** A client, driven as the relay does it. */
export class ProxyClient {
  /** The session of the connection. */
  readonly session: Session = openSession();
  /** The client's side. */
  readonly stream: InboundStream;
  /** The newest answer. */
  answer: InboundAnswer;
  /** All replies so far. */
  sent: Uint8Array = new Uint8Array(0);
  /** Bytes that were not consumed yet. */
  rest: Uint8Array = new Uint8Array(0);
  readonly #output = new Uint8Array(1024);

  /**
   * Connects.
   *
   * @param inbound The protocol.
   */
  constructor(inbound: Inbound) {
    this.stream = inbound.accept(this.session);
    this.answer = this.#receive();
  }

  /** Brings bytes, one read a piece. */
  bring(...pieces: readonly Uint8Array[]): this {
    for (const piece of pieces) {
      this.rest = bytesOf(this.rest, piece);
      while (this.answer.kind === "more") {
        const { length } = this.rest;
        this.answer = this.#receive();
        if (this.rest.length === length || this.rest.length === 0) break;
      }
    }
    return this;
  }

  /** What was asked for, as text; the kind of the answer if nothing was. */
  get asked(): string {
    const { answer } = this;
    return answer.kind === "request" ? `${answer.target}` : answer.kind;
  }

  /** Status and ending of a refusal; "" if there is none. */
  get refused(): string {
    const { answer } = this;
    return answer.kind === "refuse" ? `${answer.status} ${answer.ending}` : "";
  }

  #receive(): InboundAnswer {
    const data = this.rest.slice();
    const answer = this.stream.receive(data, this.#output);
    if ("reply" in answer && answer.reply !== undefined) {
      this.sent = bytesOf(this.sent, answer.reply);
    }
    if ("consumed" in answer) this.rest = this.rest.slice(answer.consumed);
    if (answer.kind === "request") this.session.target = answer.target;
    data.fill(POISON);
    return answer;
  }
}
