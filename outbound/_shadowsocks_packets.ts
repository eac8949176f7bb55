/**
 * The packets of an association through a shadowsocks server.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import { SocketAddress } from "../loop/mod.ts";
import {
  NOT_SENDABLE,
  type OutboundPackets,
  type Packet,
  type Target,
} from "../relay/mod.ts";
import type { ClientPackets, Edition } from "../shadowsocks/mod.ts";
import {
  addressLength,
  ATYP_IPV4,
  ATYP_IPV6,
  writeAddress,
} from "../socks5/mod.ts";
import { logServerSkew } from "./_skew_log.ts";

const logger = getLogger(["shadowsocks", "outbound"]);

/** The far side of one association. */
export class ShadowsocksOutboundPackets implements OutboundPackets {
  /** The server. */
  readonly destination: Target;
  /** True where nothing in an answer proves who made it. */
  readonly checksSource: boolean;
  readonly #packets: ClientPackets;
  /** Whether it was logged how far the server's clock is from ours. */
  #isSkewLogged = false;

  /**
   * Makes the far side of an association.
   *
   * @param server Where every packet goes to.
   * @param edition The wire protocol, with method and key; not owned.
   */
  constructor(server: Target, edition: Edition) {
    this.destination = server;
    this.checksSource = !edition.authenticates;
    this.#packets = edition.newClientPackets();
  }

  /**
   * Seals a datagram.
   *
   * @param packet The payload and its target; the target's address header is
   * put in front if there is none.
   * @param output Takes the sealed packet.
   * @returns Bytes in `output`, or `NOT_SENDABLE`.
   */
  seal(packet: Packet, output: Uint8Array): number {
    if (packet.head < 0 && !writeTarget(packet)) return NOT_SENDABLE;
    return this.#packets.seal(packet, output);
  }

  /**
   * Opens an answer; logs if it cannot be decrypted, and the first time that
   * the clocks differ too much.
   *
   * @param packet What was received.
   * @param output Takes the address header and the payload.
   * @returns Whether it is genuine.
   */
  open(packet: Packet, output: Uint8Array): boolean {
    const refused = this.#packets.open(packet, output);
    if (refused !== undefined) {
      if (refused === "auth_failed") {
        logger.error(
          "cannot decrypt a UDP answer from {server}: wrong password or method",
          () => ({ server: `${packet.source}` }),
        );
      } else if (refused === "skew") this.#logSkew(packet);
      return false;
    }
    packet.source = sourceOf(packet);
    return true;
  }

  /** Ends the association. */
  [Symbol.dispose](): void {
    this.#packets[Symbol.dispose]();
  }

  /** The same words as for a connection; once, since all answers are alike. */
  #logSkew({ source }: Packet): void {
    if (this.#isSkewLogged) return;
    this.#isSkewLogged = true;
    logServerSkew(source, this.#packets.skew);
  }
}

/** Puts the target in front of the payload; false: it cannot be written. */
function writeTarget(packet: Packet): boolean {
  const { bytes, target, start } = packet;
  if (target === undefined) return false;
  const endpoint = target.address ?? target;
  const head = start - addressLength(endpoint);
  if (head < 0) return false;
  try {
    writeAddress(bytes, head, endpoint);
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
  packet.head = head;
  return true;
}

/** The address in front of the payload; undefined: it is a name. */
function sourceOf({ bytes, head, start }: Packet): SocketAddress | undefined {
  const port = bytes[start - 2]! << 8 | bytes[start - 1]!;
  switch (bytes[head]) {
    case ATYP_IPV4:
      return SocketAddress.fromIpv4(bytes, head + 1, port);
    case ATYP_IPV6:
      return SocketAddress.fromIpv6(bytes, head + 1, port);
    default:
      return undefined;
  }
}
