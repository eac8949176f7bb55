/**
 * The outbound through a shadowsocks server.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import type { SocketAddress } from "../loop/mod.ts";
import {
  namedPlace,
  type Outbound,
  type OutboundPackets,
  type OutboundStream,
  type Session,
  type StreamCodec,
  type Target,
} from "../relay/mod.ts";
import type { Edition } from "../shadowsocks/mod.ts";
import { ShadowsocksOutboundPackets } from "./_shadowsocks_packets.ts";
import { pickSelf } from "./_pick_self.ts";
import { logServerSkew } from "./_skew_log.ts";

/**
 * Seconds without an answer that say something about a server: one with
 * another password or method reads on in silence, for a minute in our case; a
 * target that cannot be reached shows at once.
 */
const SILENCE = 5;

/**
 * Seconds without an answer that count if others follow: longer than a way
 * there and back, and shorter than people wait.
 */
const PATIENCE = 1;

/**
 * Unanswered connections in a row after which the server is suspected, once:
 * single ones are dead targets.
 */
const SUSPECT = 3;

const logger = getLogger(["shadowsocks", "outbound"]);

/** What a {@linkcode ShadowsocksOutbound} is made with. */
export interface ShadowsocksOutboundOptions {
  /** The name, for logs and rules. */
  readonly name: string;
  /** Where the server is. */
  readonly server: Target;
  /** The wire protocol, with method and key; not owned. */
  readonly edition: Edition;
  /** Whether the first bytes may leave with the SYN. Default false. */
  readonly fastOpen?: boolean | undefined;
}

/** Leads to targets through a shadowsocks server. */
export class ShadowsocksOutbound implements Outbound {
  /** The name, for logs and rules. */
  readonly name: string;
  /** Where the server is. */
  readonly server: Target;
  readonly #edition: Edition;
  readonly #fastOpen: boolean;
  /** Connections without an answer since the last one that had one. */
  #unanswered = 0;

  /**
   * Makes the outbound.
   *
   * @param options Where the server is, and what it speaks.
   */
  constructor(options: ShadowsocksOutboundOptions) {
    this.name = options.name;
    this.server = options.server;
    this.#edition = options.edition;
    this.#fastOpen = options.fastOpen ?? false;
  }

  /**
   * Picks itself.
   *
   * @param _session Of no use here.
   * @param tried Ways that could not be reached.
   * @returns This outbound, unless it was tried.
   */
  pick(_session: Session, tried: readonly Outbound[]): Outbound | undefined {
    return pickSelf(this, tried);
  }

  /**
   * Prepares a connection.
   *
   * @param target What was asked for.
   * @returns The far side; it has no destination if the target has no address
   * header, as a name of more than 255 bytes.
   */
  open(target: Target): OutboundStream {
    const codec = this.#newCodec(target);
    return new ShadowsocksOutboundStream(
      codec === undefined ? undefined : this.server,
      codec,
      this.#fastOpen,
    );
  }

  /**
   * Prepares the packets of an association.
   *
   * @returns The far side.
   */
  openPackets(): OutboundPackets {
    return new ShadowsocksOutboundPackets(this.server, this.#edition);
  }

  /** Logs that a server's answer cannot be opened, or is not of now. */
  onCodecFailed(remote: SocketAddress, skew?: number): void {
    if (skew !== undefined) return logServerSkew(remote, skew);
    logger.error(
      "cannot decrypt the answer of {server}: wrong password or method, or it was altered",
      { server: `${remote}` },
    );
  }

  /** Forgets what was not answered before. */
  onAnswered(): void {
    this.#unanswered = 0;
  }

  /**
   * Logs what may be wrong with a server that never says anything.
   *
   * @param session The session, which has ended.
   * @param byFarSide Whether the server has ended it.
   */
  onUnanswered(session: Session, byFarSide: boolean): void {
    const waited = (session.ended - session.started) / 1000;
    // The client has left before anything can be said about the server.
    if (waited < PATIENCE && !byFarSide) return;
    this.#logUnanswered(session, Math.round(waited), byFarSide);
    this.#unanswered++;
    if (this.#unanswered !== SUSPECT) return;
    logger.warn(
      "server {server} can be reached, but has closed or left unanswered {count} connections in a row: wrong password or method, or not a shadowsocks server; or it reaches none of the targets",
      { server: this.#place, count: SUSPECT },
    );
  }

  /** Logs one connection, unless it was too short to tell. */
  #logUnanswered(session: Session, seconds: number, byFarSide: boolean): void {
    if (seconds < SILENCE && !byFarSide) return;
    const names = {
      server: this.#place,
      name: `${session.target}`,
      client: `${session.client}`,
    };
    if (seconds < SILENCE) {
      logger.info(
        "server {server} has ended the connection to {name} from {client} without an answer: it cannot reach the target, or refuses it",
        names,
      );
    } else {
      logger.warn(
        "server {server} has answered nothing in {seconds} s to {name} from {client}: wrong password or method there, or the target is silent",
        { ...names, seconds },
      );
    }
  }

  /** The name, and the address unless the name says it. */
  get #place(): string {
    return namedPlace(this.name, this.server);
  }

  #newCodec(target: Target): StreamCodec | undefined {
    try {
      return this.#edition.newClientStream(target.address ?? target);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      logger.debug("cannot ask {name} for a target: {reason}", {
        name: this.name,
        reason: error.message,
      });
      return undefined;
    }
  }
}

/** The far side of one connection. */
class ShadowsocksOutboundStream implements OutboundStream {
  readonly isDirect = false;
  readonly handshake = undefined;
  readonly destination: Target | undefined;
  readonly codec: StreamCodec | undefined;
  readonly fastOpen: boolean;

  constructor(
    destination: Target | undefined,
    codec: StreamCodec | undefined,
    fastOpen: boolean,
  ) {
    this.destination = destination;
    this.codec = codec;
    this.fastOpen = fastOpen;
  }

  [Symbol.dispose](): void {
    this.codec?.[Symbol.dispose]();
  }
}
