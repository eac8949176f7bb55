/**
 * The outbound without anything in between: to the target itself.
 *
 * @module
 */

import {
  type Outbound,
  type OutboundPackets,
  type OutboundStream,
  type Packet,
  SEALED_IN_PLACE,
  type Session,
  type Target,
} from "../relay/mod.ts";
import { pickSelf } from "./_pick_self.ts";

/** Connects to targets directly. */
export class DirectOutbound implements Outbound {
  /** The name, for logs and rules. */
  readonly name = "direct";
  /** Every connection goes to the target itself. */
  readonly isDirect = true;
  readonly #packets = new DirectPackets();

  /**
   * Picks itself.
   *
   * @param _session Not looked at.
   * @param tried Those that could not be reached.
   * @returns This; undefined if it was tried.
   */
  pick(
    _session: Session,
    tried: readonly Outbound[],
  ): DirectOutbound | undefined {
    return pickSelf(this, tried);
  }

  /**
   * Prepares a connection.
   *
   * @param target What was asked for: it is connected to.
   */
  open(target: Target): OutboundStream {
    return new DirectStream(target);
  }

  /** Prepares datagrams: they go out as they are. */
  openPackets(): OutboundPackets {
    return this.#packets;
  }
}

class DirectStream implements OutboundStream {
  readonly destination: Target;
  readonly isDirect = true;
  /** As the original: towards targets there is no TCP fast open. */
  readonly fastOpen = false;
  readonly handshake = undefined;
  readonly codec = undefined;

  constructor(target: Target) {
    this.destination = target;
  }

  [Symbol.dispose](): void {}
}

/** Has no state: all associations share it. */
class DirectPackets implements OutboundPackets {
  readonly destination = undefined;

  seal(): number {
    return SEALED_IN_PLACE;
  }

  open(packet: Packet): boolean {
    // The payload is all of it, and its source is who sent it.
    packet.head = -1;
    return true;
  }

  [Symbol.dispose](): void {}
}
