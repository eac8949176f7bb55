/**
 * The outbound to nowhere: for targets that shall not be reached.
 *
 * @module
 */

import type {
  NoPackets,
  Outbound,
  OutboundStream,
  Session,
} from "../relay/mod.ts";
import { pickSelf } from "./_pick_self.ts";

const NO_PACKETS: NoPackets = {
  refused: "blocked",
  reason: "it is blocked",
};

/** Connects to nobody: its sessions are blocked. */
export class BlockOutbound implements Outbound {
  /** The name, for logs and rules. */
  readonly name = "block";
  readonly #stream = new BlockStream();

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
  ): BlockOutbound | undefined {
    return pickSelf(this, tried);
  }

  /** Prepares nothing: there is no destination. */
  open(): OutboundStream {
    return this.#stream;
  }

  /** Sends nothing. */
  openPackets(): NoPackets {
    return NO_PACKETS;
  }
}

/** Has no state: all sessions share it. */
class BlockStream implements OutboundStream {
  readonly destination = undefined;
  readonly isDirect = false;
  readonly fastOpen = false;
  readonly handshake = undefined;
  readonly codec = undefined;

  [Symbol.dispose](): void {}
}
