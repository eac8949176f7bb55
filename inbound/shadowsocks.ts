/**
 * Connections of shadowsocks clients: what a server listens for.
 *
 * Until a header is whole and authentic the client hears nothing at all.
 * Whoever fails is left in one way, whatever was wrong: read and thrown away
 * until the deadline that counts from accept, with the 2022 edition as
 * {@linkcode Reject} says, or passed on to a web server. So neither the moment
 * nor the manner of closing tells how many bytes were looked at.
 *
 * @module
 */

import {
  type FinalRefusal,
  type Inbound,
  type InboundAnswer,
  type InboundStream,
  type Refusal,
  type Session,
  type StreamCodec,
  Target,
} from "../relay/mod.ts";
import type {
  Edition,
  ServerStream,
  ServerStreamListener,
} from "../shadowsocks/mod.ts";
import { type FallbackOptions, FallbackStream } from "./_fallback_stream.ts";
import { logUnauthenticated } from "./_refusals.ts";
import { logDroppedChunk, logRefusedConnection } from "./_shadowsocks_log.ts";
import { headerTarget } from "./header_target.ts";

/** Nothing has come yet. */
const NOTHING: InboundAnswer = { kind: "more", consumed: 0 };
/**
 * An abort: the client shall not take it for a clean end. Who uses a stream
 * method has proved nothing, and asks for some target with three in 256 random
 * flights; so such a client is left like one that is refused.
 */
const RESET: Refusal = { ending: "reset" };

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
  readonly #reaction: Reaction;
  readonly #fallback: FallbackOptions | undefined;

  /**
   * Makes the protocol of a port.
   *
   * @param edition The wire protocol, with method and key; not owned.
   * @param options What differs from the defaults.
   */
  constructor(edition: Edition, options: ShadowsocksInboundOptions = {}) {
    const { reject = "reset", fallback } = options;
    const isNew = edition.method.edition === "2022";
    const refusal: Refusal = { ending: isNew ? reject : "silent" };
    this.#edition = edition;
    this.#reaction = {
      refusal,
      altered: { status: "auth_failed", ...refusal },
      unreached: edition.authenticates ? RESET : refusal,
    };
    this.#fallback = fallback && {
      to: Target.ofPlace(fallback.host, fallback.port),
      refusal,
      isPatient: !isNew,
    };
  }

  /**
   * Makes the client's side of a connection that was accepted.
   *
   * @param session Its session.
   * @returns The client's side.
   */
  accept(session: Session): InboundStream {
    const stream = new ShadowsocksInboundStream(
      this.#edition,
      this.#reaction,
      session,
    );
    if (this.#fallback === undefined) return stream;
    return new FallbackStream(stream, session, this.#fallback);
  }
}

/** How clients of a port are left that are not served. */
interface Reaction {
  /** Who does not authenticate. */
  readonly refusal: Refusal;
  /** Whose bytes were altered once the connection was open. */
  readonly altered: FinalRefusal;
  /** Whose target was not reached. */
  readonly unreached: Refusal;
}

/** The client's side of one connection. */
class ShadowsocksInboundStream implements InboundStream, ServerStreamListener {
  /** There may be thousands of keys to try. */
  readonly hidesWork = true;
  readonly #session: Session;
  readonly #stream: ServerStream;
  #passes = false;
  readonly #reaction: Reaction;

  constructor(edition: Edition, reaction: Reaction, session: Session) {
    this.#session = session;
    this.#reaction = reaction;
    const from = edition.usesAddress === true ? session.client.host : undefined;
    this.#stream = edition.newServerStream(this, from);
  }

  /** None for what is passed on to a server behind this one. */
  get codec(): StreamCodec | undefined {
    return this.#passes ? undefined : this.#stream;
  }

  get resetsStrangers(): boolean {
    return this.#reaction.refusal.ending === "reset";
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
        const { ending } = this.#reaction.refusal;
        return { kind: "refuse", status: answer.status, ending };
      }
    }
  }

  connected(): undefined {
    return undefined;
  }

  failed(): Refusal {
    return this.#reaction.unreached;
  }

  onCodecFailed(): FinalRefusal {
    logUnauthenticated(this.#session.client, "authentication error");
    return this.#reaction.altered;
  }

  onChunkDropped(): void {
    logDroppedChunk(this.#session.client);
  }

  [Symbol.dispose](): void {
    this.#stream[Symbol.dispose]();
  }
}
