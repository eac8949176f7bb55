/**
 * The server side of UDP: sealed packets of clients, plain ones of targets.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import { DECRYPT_FAILED } from "../crypto/mod.ts";
import type { SocketAddress } from "../loop/mod.ts";
import {
  addressLength,
  parseAddress,
  type ParsedAddress,
  writeAddress,
} from "../socks5/mod.ts";
import { isAuthentic, ONETIMEAUTH_BYTES } from "./ota.ts";
import { ALLOW_ONE_TIME_AUTH, ipTarget } from "./ip_target.ts";
import type { UDPAssociation } from "./udp_association.ts";
import { HEADER_ROOM, UDPRelay } from "./udp_relay.ts";

const logger = getLogger(["shadowsocks", "relay"]);

/** UDP of the server. */
export class UDPServerRelay extends UDPRelay {
  /** Opens a packet of a client and sends it to its target. */
  protected onClientPacket(length: number, from: SocketAddress): void {
    const { suite } = this.settings;
    const plainLength = suite.openPacket(this.input, this.output, {
      start: HEADER_ROOM,
      end: HEADER_ROOM + length,
    });
    if (plainLength === DECRYPT_FAILED) {
      refuse(from);
      return;
    }
    const plain = this.output.subarray(0, plainLength);
    const address = parseAddress(plain, ALLOW_ONE_TIME_AUTH);
    const end = address.status === "ok" ? this.#dataEnd(plain, address) : -1;
    if (address.status !== "ok" || end < 0) {
      refuse(from);
      return;
    }
    if (!suite.packetSalts.add(suite.packetSalt)) {
      refuse(from);
      return;
    }
    const data = plain.subarray(address.length, end);
    const ip = ipTarget(plain, address);
    if (ip !== undefined) {
      this.#send(data, from, ip);
      return;
    }
    // The answer may come later, when the buffer holds something else.
    const { domain, port } = address;
    let kept = data;
    let sent = false;
    this.resolve(domain, port, (target) => {
      sent = true;
      this.#send(kept, from, target);
    });
    if (!sent) kept = data.slice();
  }

  /** Seals the answer of a target for its client. */
  protected onRemotePacket(
    association: UDPAssociation,
    length: number,
    from: SocketAddress,
  ): void {
    const start = HEADER_ROOM - addressLength(from);
    writeAddress(this.input, start, from);
    const { suite } = this.settings;
    const sealed = suite.sealPacket(this.input, this.output, {
      start,
      end: HEADER_ROOM + length,
    });
    // Sent back to us, it would look like a request.
    suite.packetSalts.add(suite.packetSalt);
    this.touch(association.client);
    this.serverSocket.sendTo(
      this.output.subarray(0, sealed),
      association.client,
    );
  }

  /** Where the data ends; -1: the packet is not, or badly, authenticated. */
  #dataEnd(plain: Uint8Array, address: ParsedAddress): number {
    const { suite, oneTimeAuth } = this.settings;
    if (!address.oneTimeAuth) {
      if (!oneTimeAuth) return plain.length;
      logger.warn("client one time auth is required");
      return -1;
    }
    const end = plain.length - ONETIMEAUTH_BYTES;
    if (end < address.length) {
      logger.warn("UDP one time auth header is too short");
      return -1;
    }
    const tagged = plain.subarray(0, end);
    const key = { iv: suite.packetSalt, masterKey: suite.masterKey };
    if (isAuthentic(tagged, plain.subarray(end), key)) return end;
    logger.warn("UDP one time auth fail");
    return -1;
  }

  #send(data: Uint8Array, client: SocketAddress, target: SocketAddress): void {
    if (this.settings.forbiddenIp.contains(target.bytes)) {
      logger.error(
        "IP {ip} is in forbidden list, drop, UDP from {client}",
        { ip: target.host, client: `${client}` },
      );
      return;
    }
    if (target.port === 0) return;
    logger.debug("udp data to {target} from {client}", () => ({
      target: `${target}`,
      client: `${client}`,
    }));
    this.association(client).sendTo(data, target);
  }
}

function refuse(client: SocketAddress): void {
  logger.error("can not parse header when handling UDP packet from {client}", {
    client: `${client}`,
  });
}
