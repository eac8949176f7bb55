/**
 * Connections of shadowsocks clients: what a server listens for.
 *
 * Until a header is whole and authentic the client hears nothing at all:
 * whoever fails is read and thrown away until the deadline that counts from
 * accept, so that neither the moment nor the manner of closing tells how many
 * bytes were looked at.
 *
 * @module
 */

import type {
  FinalRefusal,
  Inbound,
  InboundAnswer,
  InboundStream,
  Refusal,
  Session,
  StreamCodec,
} from "../relay/mod.ts";
import type {
  Edition,
  ServerStream,
  ServerStreamListener,
} from "../shadowsocks/mod.ts";
import { logUnauthenticated } from "./_refusals.ts";
import { logDroppedChunk, logRefusedConnection } from "./_shadowsocks_log.ts";
import { headerTarget } from "./header_target.ts";

/** Nothing has come yet. */
const NOTHING: InboundAnswer = { kind: "more", consumed: 0 };
/** An abort: the client shall not take it for a clean end. */
const RESET: Refusal = { ending: "reset" };
/** Bytes of an open connection were altered. */
const ALTERED: FinalRefusal = {
  status: "auth_failed",
  ending: "drain",
};

/**
 * What a client of the 2022 edition notices that does not authenticate
 * (SIP022, section 3.1.3):
 *
 * - `reset`: its connection is reset at once.
 * - `drain`: it gets our end at once, and what it sends is thrown away until
 *   the deadline that counts from accept.
 * - `silent`: nothing until that deadline, as with all older methods.
 */
export type Reject = "reset" | "drain" | "silent";

/** What a {@linkcode ShadowsocksInbound} may be told. */
export interface ShadowsocksInboundOptions {
  /**
   * What whoever does not authenticate notices; default `reset`. With methods
   * older than the 2022 edition it is always `silent`.
   */
  readonly reject?: Reject | undefined;
  /**
   * Whom connections are passed on to that do not authenticate, with all that
   * they have sent: a web server. Absent: nobody.
   */
  readonly fallback?:
    | { readonly host: string; readonly port: number }
    | undefined;
}

/** The connections of a shadowsocks server. */
export class ShadowsocksInbound implements Inbound {
  readonly #edition: Edition;

  /**
   * Makes the protocol of a port.
   *
   * @param edition The wire protocol, with method and key; not owned.
   * @param _options What differs from the defaults.
   */
  constructor(edition: Edition, _options: ShadowsocksInboundOptions = {}) {
    this.#edition = edition;
  }

  /**
   * Makes the client's side of a connection that was accepted.
   *
   * @param session Its session.
   * @returns The client's side.
   */
  accept(session: Session): InboundStream {
    return new ShadowsocksInboundStream(this.#edition, session);
  }
}

/** The client's side of one connection. */
class ShadowsocksInboundStream implements InboundStream, ServerStreamListener {
  /** There may be thousands of keys to try. */
  readonly hidesWork = true;
  readonly #session: Session;
  readonly #stream: ServerStream;
  #passes = false;

  constructor(edition: Edition, session: Session) {
    this.#session = session;
    const from = edition.usesAddress === true ? session.client.host : undefined;
    this.#stream = edition.newServerStream(this, from);
  }

  /** None for what is passed on to a server behind this one. */
  get codec(): StreamCodec | undefined {
    return this.#passes ? undefined : this.#stream;
  }

  receive(data: Uint8Array, output: Uint8Array): InboundAnswer {
    if (data.length === 0) return NOTHING;
    const answer = this.#stream.receive(data, output);
    switch (answer.kind) {
      case "more":
        return answer;
      case "request": {
        const { consumed, user, address, bytes, payload } = answer;
        this.#session.user = user;
        this.#passes = answer.passes === true;
        const target = headerTarget(bytes, address);
        return { kind: "request", consumed, target, payload };
      }
      case "refuse": {
        logRefusedConnection(this.#session.client, answer, answer.addressType);
        return { kind: "refuse", status: answer.status, ending: "drain" };
      }
    }
  }

  connected(): undefined {
    return undefined;
  }

  failed(): Refusal {
    return RESET;
  }

  onCodecFailed(): FinalRefusal {
    logUnauthenticated(this.#session.client, "authentication error");
    return ALTERED;
  }

  onChunkDropped(): void {
    logDroppedChunk(this.#session.client);
  }

  [Symbol.dispose](): void {
    this.#stream[Symbol.dispose]();
  }
}
