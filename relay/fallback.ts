/**
 * The way of a connection that is led elsewhere since its client has shown no
 * right to be served: to one place that the operator has named.
 *
 * @module
 */

import type { NoPackets, Outbound, OutboundStream } from "./outbound.ts";
import { type Peer, Session } from "./session.ts";
import type { Target } from "./target.ts";

/**
 * Leads to the place itself. No rule about addresses is asked: the place is the
 * operator's own, and most often on this machine.
 */
export class FallbackOutbound implements Outbound {
  readonly name = "fallback";
  readonly #stream: OutboundStream;

  /**
   * Makes the way.
   *
   * @param destination The place.
   */
  constructor(destination: Target) {
    this.#stream = {
      destination,
      isDirect: false,
      fastOpen: false,
      handshake: undefined,
      codec: undefined,
      [Symbol.dispose]: () => {},
    };
  }

  /** Picks itself, once. */
  pick(_session: Session, tried: readonly Outbound[]): Outbound | undefined {
    return tried.length === 0 ? this : undefined;
  }

  /** Prepares the connection. */
  open(): OutboundStream {
    return this.#stream;
  }

  /** Says that there are no datagrams. */
  openPackets(): NoPackets {
    return { refused: "blocked", reason: "the fallback has no UDP" };
  }
}

/**
 * What takes the place of a session that is over while its connection is led
 * elsewhere: nobody observes it, so that no user pays for strangers.
 *
 * @param before The session.
 * @param client Whose connection it is.
 * @returns A session for logs alone.
 */
export function unobserved(before: Session, client: Peer): Session {
  const { listener, network, id, ended } = before;
  return new Session({ listener, network, client }, id, ended, []);
}
