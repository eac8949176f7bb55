/**
 * What the two client sides, SOCKS5 and tunnel, have in common: a header that
 * leaves with the first payload, towards one of the configured servers.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import { FIRST_PAYLOAD_WAIT, STAGE_STREAM, STREAM_UP } from "./constants.ts";
import { pickServer } from "./settings.ts";
import { TCPRelayHandler } from "./tcp_relay_handler.ts";

const logger = getLogger(["shadowsocks", "relay"]);

/** A connection of the client side. */
export abstract class ClientHandler extends TCPRelayHandler {
  protected readonly encryptsUpstream = true;

  /**
   * Connects to a server.
   *
   * @param header The address of the target, and payload if it is known.
   * @param name The target as the user names it.
   */
  protected connectToServer(header: Uint8Array, name: string): void {
    this.upstream.carry = header;
    this.remoteName = name;
    this.relay.endHandshake(this);
    logger.info("connecting {name} from {client}", {
      name,
      client: this.clientName,
    });
    const server = pickServer(this.relay.settings.servers);
    this.connect(server.host, server.port);
  }

  /**
   * Sends what stands before the payload: at once if payload stands with it,
   * else with the first payload, which is waited for a moment.
   *
   * @param hasPayload Whether payload stands with the header.
   */
  protected sendHeader(hasPayload: boolean): void {
    if (hasPayload) {
      this.#sendCarry();
      return;
    }
    this.relay.loop.addTimer(FIRST_PAYLOAD_WAIT, () => this.#sendCarry());
  }

  protected onDecryptFailed(): void {
    logger.error(
      "cannot decrypt the answer of {server}: wrong password or method, or it was altered",
      { server: `${this.remoteSocket?.remoteAddress}` },
    );
    this.destroy({ reset: true });
  }

  #sendCarry(): void {
    const { carry } = this.upstream;
    if (carry === undefined || this.stage !== STAGE_STREAM) return;
    this.upstream.carry = undefined;
    this.writeEncrypted(STREAM_UP, carry);
  }
}
