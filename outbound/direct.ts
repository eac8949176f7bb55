/**
 * The way without anything in between: to the target itself.
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
  readonly name: string;
  /** Every connection goes to the target itself. */
  readonly isDirect = true;
  readonly #fastOpen: boolean;
  readonly #packets = new DirectPackets();

  /**
   * Makes the way.
   *
   * @param options `fastOpen`: the first bytes may leave with the SYN; off by
   * default. `name`: `direct` by default.
   */
  constructor(
    options: { readonly fastOpen?: boolean; readonly name?: string } = {},
  ) {
    this.name = options.name ?? "direct";
    this.#fastOpen = options.fastOpen ?? false;
  }

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
    return new DirectStream(target, this.#fastOpen);
  }

  /** Prepares datagrams: they go out as they are. */
  openPackets(): OutboundPackets {
    return this.#packets;
  }
}

class DirectStream implements OutboundStream {
  readonly destination: Target;
  readonly isDirect = true;
  readonly fastOpen: boolean;
  readonly handshake = undefined;
  readonly codec = undefined;

  constructor(target: Target, fastOpen: boolean) {
    this.destination = target;
    this.fastOpen = fastOpen;
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
