/**
 * A datagram on its way through the relay, and the contract of those who speak
 * datagrams with clients.
 *
 * @module
 */

import type { SocketAddress } from "../loop/mod.ts";
import type { Session } from "./session.ts";
import type { Target } from "./target.ts";

/**
 * Room in front of a payload for whatever is put before it in place: the
 * longest address header has 259 bytes (RFC 1928, section 5), SOCKS5 puts 3
 * before that.
 */
export const PACKET_ROOM = 288;

/** The answer of a `seal`: what is sent is the packet's own payload. */
export const SEALED_IN_PLACE: number = -1;
/** The answer of a `seal`: the packet cannot be sent. */
export const NOT_SENDABLE: number = -2;

/** One datagram; the relay uses one object again and again. */
export class Packet {
  /** The buffer that holds it, with {@linkcode PACKET_ROOM} bytes in front. */
  bytes: Uint8Array = new Uint8Array(0);
  /** Where its payload begins. */
  start = 0;
  /** Where its payload ends. */
  end = 0;
  /**
   * Where an address header (RFC 1928, section 5: ATYP ‖ ADDR ‖ PORT) begins
   * that ends at `start`: of the target on the way up, of the source on the
   * way down. -1: none is written.
   */
  head: number = -1;
  /** On the way up: what the client asked for. */
  target: Target | undefined = undefined;
  /** On the way down: who sent it. */
  source: SocketAddress | undefined = undefined;
}

/**
 * What is sent of a packet that was sealed.
 *
 * @param packet The packet.
 * @param output Where it was sealed to.
 * @param sealed What `seal` has answered.
 * @returns A view of the bytes; undefined: it cannot be sent.
 */
export function sealedBytes(
  packet: Packet,
  output: Uint8Array,
  sealed: number,
): Uint8Array | undefined {
  if (sealed >= 0) return output.subarray(0, sealed);
  return sealed === SEALED_IN_PLACE
    ? packet.bytes.subarray(packet.start, packet.end)
    : undefined;
}

/** What an inbound makes of a datagram. */
export interface PacketRequest {
  /**
   * The association it belongs to: equal keys are one association. The
   * client's address in most protocols, a session number in the 2022 edition.
   */
  readonly key: string;
  /** The user's name; `""` if there are no users. */
  readonly user: string;
  /** What the inbound wants to know again when it answers. */
  readonly state: unknown;
  /**
   * Whether answers count only where they come from the target of the newest
   * datagram: what proves them the client alone can tell. Absent: from anybody.
   */
  readonly isNarrow?: boolean | undefined;
}

/** The datagrams of a listener; disposed of when that has ended. */
export interface PacketInbound extends Disposable {
  /**
   * True if a client's datagrams are taken only while a connection of it
   * holds an association, which was asked for under a user's name.
   */
  readonly needsAssociation: boolean;
  /**
   * Understands a datagram: sets its payload, `head` and `target`; logs why it
   * is refused.
   *
   * @param packet The bytes as they came.
   * @param from Who sent it.
   * @param output Room for the payload, with `PACKET_ROOM` left in front.
   * @returns What it asks for; undefined: it is dropped, and was logged.
   */
  open(
    packet: Packet,
    from: SocketAddress,
    output: Uint8Array,
  ): PacketRequest | undefined;
  /**
   * Wraps an answer for the client.
   *
   * @param packet The payload and its source; may be changed in place.
   * @param state What `open` gave for the newest datagram of the association.
   * @param output Room for what is sent, as long as the relay's buffers.
   * @param session The association's session.
   * @returns Bytes in `output`, {@linkcode SEALED_IN_PLACE} (`packet.start` to
   * `packet.end`) or {@linkcode NOT_SENDABLE}.
   */
  seal(
    packet: Packet,
    state: unknown,
    output: Uint8Array,
    session: Session,
  ): number;
}
