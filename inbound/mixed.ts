/**
 * SOCKS and HTTP on one port. The first byte tells them apart: 4 or 5 is the
 * version of SOCKS, a byte of a token begins the method of an HTTP request.
 *
 * @module
 */

import { looksLikeHttp, TLS_HANDSHAKE } from "../http/mod.ts";
import type {
  Failure,
  FinalRefusal,
  Inbound,
  InboundAnswer,
  InboundStream,
  Refusal,
  Session,
  StreamCodec,
} from "../relay/mod.ts";
import type { SocketAddress } from "../loop/mod.ts";
import { SOCKS4_VERSION, SOCKS_VERSION } from "../socks5/mod.ts";
import { logRefused, type RefusedPart } from "./_refusals.ts";

/** Options of {@linkcode MixedInbound}. */
export interface MixedInboundOptions {
  /** Takes connections whose first byte is 4 or 5. */
  readonly socks: Inbound;
  /** Takes connections whose first byte may begin a method. */
  readonly http: Inbound;
}

const NEED_MORE: InboundAnswer = { kind: "more", consumed: 0 };
const REFUSED: InboundAnswer = {
  kind: "refuse",
  status: "error",
  ending: "close",
};

const TLS: RefusedPart = {
  protocol: "TLS",
  what: "handshake",
  reason: "an https:// proxy is not served; use http:// or socks5://",
};
const UNKNOWN: RefusedPart = {
  protocol: "unknown",
  what: "protocol",
  reason: "neither SOCKS nor HTTP; use http:// or socks5://",
};

/** SOCKS and HTTP on one port. */
export class MixedInbound implements Inbound {
  readonly #protocols: MixedInboundOptions;

  /**
   * Makes the protocol.
   *
   * @param options The two that it is mixed of.
   */
  constructor(options: MixedInboundOptions) {
    this.#protocols = options;
  }

  /** Makes the client's side of a connection. */
  accept(session: Session): InboundStream {
    return new MixedStream(this.#protocols, session);
  }

  /** Goes on with the next request, in the protocol of the first. */
  next(stream: InboundStream, session: Session): void {
    if (stream instanceof MixedStream) stream.next(session);
  }
}

/** A connection whose protocol the first byte decides. */
class MixedStream implements InboundStream {
  readonly #protocols: MixedInboundOptions;
  readonly #session: Session;
  #inbound: Inbound | undefined;
  #stream: InboundStream | undefined;

  constructor(protocols: MixedInboundOptions, session: Session) {
    this.#protocols = protocols;
    this.#session = session;
  }

  get codec(): StreamCodec | undefined {
    return this.#stream?.codec;
  }

  get finished(): boolean {
    return this.#stream?.finished ?? false;
  }

  get closes(): boolean {
    return this.#stream?.closes ?? false;
  }

  /** Chooses by the first byte; from then on the chosen one speaks. */
  receive(data: Uint8Array, output: Uint8Array): InboundAnswer {
    if (this.#stream === undefined) {
      const first = data[0];
      if (first === undefined) return NEED_MORE;
      this.#inbound = this.#choose(first);
      if (this.#inbound === undefined) return this.#refuse(first);
      this.#stream = this.#inbound.accept(this.#session);
    }
    return this.#stream.receive(data, output);
  }

  connected(): Uint8Array | undefined {
    return this.#stream?.connected();
  }

  associated(address: SocketAddress): Uint8Array {
    return this.#stream?.associated?.(address) ?? new Uint8Array(0);
  }

  failed(failure: Failure): Refusal {
    return this.#stream?.failed(failure) ?? { ending: "close" };
  }

  onCodecFailed(): FinalRefusal {
    return this.#stream?.onCodecFailed?.() ??
      { status: "error", ending: "reset" };
  }

  /** Whether the connection is between two requests. */
  get idle(): boolean {
    return this.#stream?.idle === true;
  }

  /** What the protocol makes of the target's end. */
  onTargetEnd(): "pass" | "next" | FinalRefusal {
    return this.#stream?.onTargetEnd?.() ?? "pass";
  }

  /** Goes on with the next request. */
  next(session: Session): void {
    if (this.#stream !== undefined) {
      this.#inbound?.next?.(this.#stream, session);
    }
  }

  [Symbol.dispose](): void {
    this.#stream?.[Symbol.dispose]();
  }

  #choose(first: number): Inbound | undefined {
    const { socks, http } = this.#protocols;
    if (first === SOCKS_VERSION || first === SOCKS4_VERSION) return socks;
    return looksLikeHttp(first) ? http : undefined;
  }

  #refuse(first: number): InboundAnswer {
    logRefused(this.#session, first === TLS_HANDSHAKE ? TLS : UNKNOWN);
    return REFUSED;
  }
}
