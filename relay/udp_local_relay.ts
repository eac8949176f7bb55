/**
 * The client side of UDP: SOCKS5 datagrams of applications (or plain ones, in
 * a tunnel), sealed packets of servers.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import { DECRYPT_FAILED } from "../crypto/mod.ts";
import { SocketAddress } from "../loop/mod.ts";
import {
  parseAddress,
  parseUdpHeader,
  UDP_PREFIX_LENGTH,
} from "../socks5/mod.ts";
import { authenticate, ONETIMEAUTH_BYTES } from "./ota.ts";
import { pickServer } from "./settings.ts";
import { addressHeader } from "./tunnel_handler.ts";
import type { UDPAssociation } from "./udp_association.ts";
import { HEADER_ROOM, UDPRelay, type UDPRelayOptions } from "./udp_relay.ts";
import type { RelaySettings } from "./settings.ts";

const logger = getLogger(["shadowsocks", "relay"]);

/** UDP of the SOCKS5 proxy and of the tunnel. */
export class UDPLocalRelay extends UDPRelay {
  /** Tunnel: what stands before every datagram. */
  readonly #tunnelHeader: Uint8Array | undefined;

  /**
   * Binds.
   *
   * @param settings The settings of this port.
   * @param options Its surroundings.
   * @throws {SocketError} If the address cannot be bound.
   */
  constructor(settings: RelaySettings, options: UDPRelayOptions) {
    super(settings, options);
    if (settings.tunnel !== undefined) {
      this.#tunnelHeader = addressHeader(settings.tunnel);
    }
  }

  /** Seals a datagram of an application. */
  protected onClientPacket(length: number, from: SocketAddress): void {
    const plain = this.#plaintext(length);
    if (plain === undefined) {
      logger.debug("drop a UDP packet without a valid header from {client}", {
        client: `${from}`,
      });
      return;
    }
    const association = this.association(from);
    if (association.server !== undefined) {
      this.#seal(plain, association, association.server);
      return;
    }
    const server = pickServer(this.settings.servers);
    let kept = plain;
    this.resolve(server.host, server.port, (address) => {
      association.server = address;
      this.#seal(kept, association, address);
    });
    if (association.server === undefined) {
      const bytes = plain.bytes.slice(plain.start, plain.end);
      kept = { bytes, start: 0, end: bytes.length };
    }
  }

  /** Opens an answer and gives it to its application. */
  protected onRemotePacket(
    association: UDPAssociation,
    length: number,
    from: SocketAddress,
  ): void {
    const { suite } = this.settings;
    if (suite.method.kind !== "aead" && from.key !== association.server?.key) {
      return;
    }
    const plainLength = suite.openPacket(this.input, this.output, {
      start: HEADER_ROOM,
      end: HEADER_ROOM + length,
      at: UDP_PREFIX_LENGTH,
    });
    if (plainLength === DECRYPT_FAILED) {
      logger.error(
        "cannot decrypt a UDP answer from {server}: wrong password or method",
        { server: `${from}` },
      );
      return;
    }
    const end = UDP_PREFIX_LENGTH + plainLength;
    const address = parseAddress(this.output, {
      offset: UDP_PREFIX_LENGTH,
      end,
    });
    if (address.status !== "ok") return;
    const start = this.#tunnelHeader === undefined
      ? 0
      : UDP_PREFIX_LENGTH + address.length;
    this.output.fill(0, 0, UDP_PREFIX_LENGTH);
    this.touch(association.client);
    this.serverSocket.sendTo(
      this.output.subarray(start, end),
      association.client,
    );
  }

  /** What is to be sealed: ADDR ‖ data. */
  #plaintext(length: number): Plaintext | undefined {
    const bytes = this.input;
    const end = HEADER_ROOM + length;
    const header = this.#tunnelHeader;
    if (header !== undefined) {
      const start = HEADER_ROOM - header.length;
      if (start >= 0) {
        bytes.set(header, start);
        return { bytes, start, end };
      }
      const joined = new Uint8Array(header.length + length);
      joined.set(header);
      joined.set(bytes.subarray(HEADER_ROOM, end), header.length);
      return { bytes: joined, start: 0, end: joined.length };
    }
    return parseUdpHeader(bytes.subarray(HEADER_ROOM, end)).status === "ok"
      ? { bytes, start: HEADER_ROOM + UDP_PREFIX_LENGTH, end }
      : undefined;
  }

  /** The tag at the end depends on the salt, which is drawn when sealing. */
  #sealAuthenticated({ bytes, start, end }: Plaintext): number {
    const { suite } = this.settings;
    const { masterKey } = suite;
    const length = end - start;
    const tagged = new Uint8Array(length + ONETIMEAUTH_BYTES);
    tagged.set(bytes.subarray(start, end));
    return suite.sealPacket(tagged, this.output, {
      onSalt: (iv) => {
        const message = tagged.subarray(0, length);
        tagged.set(authenticate(message, { iv, masterKey }), length);
      },
    });
  }

  #seal(
    plain: Plaintext,
    association: UDPAssociation,
    server: SocketAddress,
  ): void {
    const { suite, oneTimeAuth } = this.settings;
    const { bytes, start, end } = plain;
    const extra = oneTimeAuth ? ONETIMEAUTH_BYTES : 0;
    if (end - start + extra + suite.packetOverhead > this.output.length) {
      return;
    }
    const length = oneTimeAuth
      ? this.#sealAuthenticated(plain)
      : suite.sealPacket(bytes, this.output, { start, end });
    association.sendTo(this.output.subarray(0, length), server);
  }
}

/** Bytes in a part of a buffer. */
interface Plaintext {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}
