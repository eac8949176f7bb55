/**
 * The tunnel: everything goes to one fixed target, so there is no handshake
 * with the client and no header in its datagrams.
 *
 * @module
 */

import type { SocketAddress } from "../loop/mod.ts";
import {
  type Inbound,
  type InboundAnswer,
  type InboundStream,
  type Packet,
  type PacketInbound,
  type PacketRequest,
  type Refusal,
  SEALED_IN_PLACE,
  type Target,
} from "../relay/mod.ts";
import { targetHeader } from "./header_target.ts";

/** Aborts: there is no protocol to say it in. */
const ABORT: Refusal = { ending: "reset" };

/** The connections of a tunnel. */
export class TunnelInbound implements Inbound {
  readonly #stream: InboundStream;

  /**
   * Makes the protocol.
   *
   * @param target Where everything goes.
   */
  constructor(target: Target) {
    this.#stream = new TunnelStream(target);
  }

  /** Gives the client's side: one for all, since it holds nothing. */
  accept(): InboundStream {
    return this.#stream;
  }
}

/** A connection of a tunnel. */
class TunnelStream implements InboundStream {
  readonly codec = undefined;
  readonly #request: InboundAnswer;

  constructor(target: Target) {
    this.#request = { kind: "request", consumed: 0, target };
  }

  /** Asks for the target without a word of the client. */
  receive(): InboundAnswer {
    return this.#request;
  }

  /** Says nothing. */
  connected(): undefined {}

  /** Aborts the connection. */
  failed(): Refusal {
    return ABORT;
  }

  /** Holds nothing. */
  [Symbol.dispose](): void {}
}

/** The datagrams of a tunnel. */
export class TunnelPackets implements PacketInbound {
  /** A tunnel has no associations to ask for. */
  readonly needsAssociation = false;
  readonly #target: Target;
  /** What an answer would have in front, were it SOCKS5. */
  readonly #header: Uint8Array;

  /**
   * Makes the protocol.
   *
   * @param target Where every datagram goes.
   * @throws {RangeError} If the target has no address header.
   */
  constructor(target: Target) {
    this.#target = target;
    this.#header = targetHeader(target);
  }

  /** Puts the header of the target in front of the datagram. */
  open(packet: Packet, from: SocketAddress): PacketRequest {
    const head = packet.start - this.#header.length;
    if (head >= 0) packet.bytes.set(this.#header, head);
    packet.head = head >= 0 ? head : -1;
    packet.target = this.#target;
    return { key: from.key, user: "", state: undefined };
  }

  /** Gives the payload of the answer as it is. */
  seal(): number {
    return SEALED_IN_PLACE;
  }

  /** Holds nothing. */
  [Symbol.dispose](): void {}
}
