/**
 * Packets of shadowsocks clients: what a server's UDP port gets.
 *
 * @module
 */

import type { SocketAddress } from "../loop/mod.ts";
import {
  NOT_SENDABLE,
  type Packet,
  type PacketInbound,
  type PacketRequest,
} from "../relay/mod.ts";
import type { Edition, ServerPackets } from "../shadowsocks/mod.ts";
import { addressLength, writeAddress } from "../socks5/mod.ts";
import { logRefusedPacket } from "./_shadowsocks_log.ts";
import { headerTarget } from "./header_target.ts";

/** The packets of a shadowsocks server. */
export class ShadowsocksPackets implements PacketInbound {
  /** A packet proves by itself that its sender has the key. */
  readonly needsAssociation = false;
  readonly #packets: ServerPackets;
  readonly #usesAddress: boolean;

  /**
   * Makes the protocol of a port.
   *
   * @param edition The wire protocol, with method and key; not owned.
   * @param associations How many there are at most. Default: no more than the
   * edition takes for usual.
   */
  constructor(edition: Edition, associations?: number) {
    this.#packets = edition.newServerPackets(associations);
    this.#usesAddress = edition.usesAddress === true;
  }

  /**
   * Opens a packet; logs why it is dropped.
   *
   * @param packet What was received.
   * @param from Who sent it.
   * @param output Takes the address header and the payload.
   * @returns Its association; undefined: it is dropped.
   */
  open(
    packet: Packet,
    from: SocketAddress,
    output: Uint8Array,
  ): PacketRequest | undefined {
    const address = this.#usesAddress ? from.host : undefined;
    const opened = this.#packets.open(packet, output, address);
    if ("refused" in opened) {
      logRefusedPacket(from, opened.refused, opened.reason, opened.skew);
      return undefined;
    }
    packet.target = headerTarget(output, opened.address);
    const { user, state, passes, key = keyOf(from, user) } = opened;
    return { key, user, state, isNarrow: passes };
  }

  /**
   * Seals an answer.
   *
   * @param packet The payload and its source.
   * @param state What `open` gave for the newest packet of the association.
   * @param output Takes the sealed packet.
   * @returns Bytes in `output`, `NOT_SENDABLE`, or `SEALED_IN_PLACE` for the
   * answer of a server behind this one.
   */
  seal(packet: Packet, state: unknown, output: Uint8Array): number {
    if (packet.head < 0 && !writeSource(packet)) return NOT_SENDABLE;
    return this.#packets.seal(packet, state, output);
  }

  /** Ends the sessions of the protocol. */
  [Symbol.dispose](): void {
    this.#packets[Symbol.dispose]();
  }
}

/** Two users behind one address and port are two associations. */
function keyOf({ key }: SocketAddress, user: string): string {
  return user === "" ? key : `${key} ${user}`;
}

/** Puts the source in front of the payload; false: it has no room, or none. */
function writeSource(packet: Packet): boolean {
  const { bytes, source, start } = packet;
  if (source === undefined) return false;
  const head = start - addressLength(source);
  if (head < 0) return false;
  writeAddress(bytes, head, source);
  packet.head = head;
  return true;
}
