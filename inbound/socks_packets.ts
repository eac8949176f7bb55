/**
 * The datagrams of a SOCKS5 proxy (RFC 1928, section 7).
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import type { SocketAddress } from "../loop/mod.ts";
import {
  NOT_SENDABLE,
  type Packet,
  type PacketInbound,
  type PacketRequest,
  SEALED_IN_PLACE,
} from "../relay/mod.ts";
import {
  addressLength,
  parseUdpHeader,
  UDP_PREFIX_LENGTH,
  writeAddress,
  writeUdpHeader,
} from "../socks5/mod.ts";
import { headerTarget } from "./header_target.ts";

const logger = getLogger(["shadowsocks", "inbound"]);

/** Options of {@linkcode SocksPackets}. */
export interface SocksPacketsOptions {
  /**
   * Whether the listener has users. A datagram has no password, so it is then
   * taken only from an address that holds an association. Default false.
   */
  readonly hasUsers?: boolean | undefined;
}

/** The datagrams of a SOCKS5 listener. */
export class SocksPackets implements PacketInbound {
  /** True where the listener has users. */
  readonly needsAssociation: boolean;

  /**
   * Makes the protocol.
   *
   * @param options What is known of the listener.
   */
  constructor(options: SocksPacketsOptions = {}) {
    this.needsAssociation = options.hasUsers ?? false;
  }

  /** Finds the payload behind RSV, FRAG and the address; nothing is copied. */
  open(packet: Packet, from: SocketAddress): PacketRequest | undefined {
    const { bytes, start, end } = packet;
    const header = parseUdpHeader(bytes, end, start);
    if (header.status === "drop") {
      logger.debug(
        "drop a UDP packet without a valid header from {client}",
        () => ({ client: `${from}` }),
      );
      return undefined;
    }
    packet.head = start + UDP_PREFIX_LENGTH;
    packet.start = start + header.length;
    packet.target = headerTarget(bytes, header.address);
    return { key: from.key, user: "", state: undefined };
  }

  /** Puts RSV, FRAG and the address in front, in place if there is room. */
  seal(packet: Packet, _state: unknown, output: Uint8Array): number {
    const { bytes, source } = packet;
    if (packet.head < 0) {
      if (source === undefined) return NOT_SENDABLE;
      const head = packet.start - addressLength(source);
      if (head < UDP_PREFIX_LENGTH) return copyWhole(packet, source, output);
      writeAddress(bytes, head, source);
      packet.head = head;
    }
    const start = packet.head - UDP_PREFIX_LENGTH;
    if (start < 0) return copyHeaded(packet, output);
    bytes.fill(0, start, packet.head);
    packet.start = start;
    packet.head = -1;
    return SEALED_IN_PLACE;
  }

  /** Holds nothing. */
  [Symbol.dispose](): void {}
}

/** For a payload without room in front: header and payload into `output`. */
function copyWhole(
  { bytes, start, end }: Packet,
  source: SocketAddress,
  output: Uint8Array,
): number {
  const headerLength = UDP_PREFIX_LENGTH + addressLength(source);
  const length = headerLength + end - start;
  if (length > output.length) return NOT_SENDABLE;
  writeUdpHeader(output, 0, source);
  output.set(bytes.subarray(start, end), headerLength);
  return length;
}

/** For an address without room in front: address and payload into `output`. */
function copyHeaded({ bytes, head, end }: Packet, output: Uint8Array): number {
  const length = UDP_PREFIX_LENGTH + end - head;
  if (length > output.length) return NOT_SENDABLE;
  output.fill(0, 0, UDP_PREFIX_LENGTH);
  output.set(bytes.subarray(head, end), UDP_PREFIX_LENGTH);
  return length;
}
