/**
 * A connection of a tunnel: everything goes to one fixed target, so there is
 * no handshake with the client.
 *
 * @module
 */

import { parseIp } from "../loop/mod.ts";
import { addressLength, type Endpoint, writeAddress } from "../socks5/mod.ts";
import type { HostPort } from "../config/mod.ts";
import { ClientHandler } from "./client_handler.ts";

/** A connection of a tunnel. */
export class TunnelHandler extends ClientHandler {
  /** Connects to the server at once. */
  override start(): void {
    const target = this.relay.settings.tunnel!;
    const header = addressHeader(target);
    this.connectToServer(header, {
      headerLength: header.length,
      name: `${target.host}:${target.port}`,
    });
  }

  /** Sends the header, with the first payload if it comes soon. */
  protected override onConnected(): void {
    this.sendHeader();
  }

  /** Aborts: there is no protocol to say it in. */
  onConnectFailed(): void {
    this.destroy({ reset: true });
  }
}

/**
 * The address header of a target.
 *
 * @param target An IP literal or a name, and a port.
 * @returns ATYP ‖ ADDR ‖ PORT.
 */
export function addressHeader(target: HostPort): Uint8Array {
  const bytes = parseIp(target.host);
  const endpoint: Endpoint = bytes === undefined
    ? { domain: target.host, port: target.port }
    : { bytes, port: target.port };
  const header = new Uint8Array(addressLength(endpoint));
  writeAddress(header, 0, endpoint);
  return header;
}
