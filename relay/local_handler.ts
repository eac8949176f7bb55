/**
 * The client side of a connection: SOCKS5 with the application (RFC 1928),
 * the cipher with the server.
 *
 * The answer to CONNECT is sent once the server is connected, so that an
 * unreachable server shows as a SOCKS error and not as a dead connection. With
 * fast open it must be sent before: the application speaks only after it.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import {
  CMD_UDP_ASSOCIATE,
  greetingReply,
  METHOD_NO_ACCEPTABLE,
  METHOD_NOAUTH,
  type ParsedAddress,
  parseGreeting,
  parseRequest,
  reply,
  REPLY_COMMAND_NOT_SUPPORTED,
  REPLY_CONNECTION_REFUSED,
  REPLY_GENERAL_FAILURE,
  REPLY_HOST_UNREACHABLE,
  REPLY_NETWORK_UNREACHABLE,
  REPLY_NOT_ALLOWED,
  REPLY_SUCCEEDED,
  type Request,
  REQUEST_ADDRESS_OFFSET,
} from "../socks5/mod.ts";
import { ClientHandler } from "./client_handler.ts";
import {
  STAGE_ADDR,
  STAGE_INIT,
  STAGE_UDP_ASSOC,
  STREAM_DOWN,
} from "./constants.ts";
import { ipTarget } from "./ip_target.ts";

const logger = getLogger(["shadowsocks", "relay"]);

/** Errors of a look-up or a connect, as SOCKS5 replies; all others: general failure. */
const REPLIES: Readonly<Record<string, number>> = {
  ECONNREFUSED: REPLY_CONNECTION_REFUSED,
  ENETUNREACH: REPLY_NETWORK_UNREACHABLE,
  EHOSTUNREACH: REPLY_HOST_UNREACHABLE,
  EHOSTDOWN: REPLY_HOST_UNREACHABLE,
  ETIMEDOUT: REPLY_HOST_UNREACHABLE,
  "not-found": REPLY_HOST_UNREACHABLE,
  "no-address": REPLY_HOST_UNREACHABLE,
  timeout: REPLY_HOST_UNREACHABLE,
  failed: REPLY_HOST_UNREACHABLE,
  EACCES: REPLY_NOT_ALLOWED,
};

/** The two answers of every connection, made once. */
const GREETED = greetingReply(METHOD_NOAUTH);
const CONNECTED = reply(REPLY_SUCCEEDED);

/** A connection of the SOCKS5 proxy. */
export class LocalHandler extends ClientHandler {
  /** Whether the application was told that it is connected. */
  #replied = false;
  #endAssociation: (() => void) | undefined;

  /** An association is alive as long as its datagrams flow. */
  override keepsAlive(): boolean {
    return this.stage === STAGE_UDP_ASSOC &&
      this.relay.udpRelay!.isActive(this.localSocket.remoteAddress.host);
  }

  /** Takes greeting and request, in whatever pieces they come. */
  protected override onHandshakeRead(data: Uint8Array): void {
    if (this.stage === STAGE_UDP_ASSOC) return;
    let rest = data;
    if (this.stage === STAGE_INIT) {
      const length = this.#onGreeting(rest);
      if (length === 0) return;
      rest = rest.subarray(length);
    }
    if (this.stage === STAGE_ADDR) this.#onRequest(rest);
    else super.onHandshakeRead(rest);
  }

  /** Says success early: the first payload decides when to connect. */
  protected override onFastOpen(): void {
    this.#replied = true;
    this.write(STREAM_DOWN, CONNECTED);
  }

  /** Says success, then sends the header. */
  protected override onConnected(): void {
    if (!this.#replied) this.write(STREAM_DOWN, CONNECTED);
    if (!this.isDestroyed()) this.sendHeader();
  }

  /** Answers with the code that fits, or resets if success was said. */
  onConnectFailed(code: string): void {
    logger.warn("cannot connect to server for {name}: {code}", {
      name: this.remoteName,
      code,
    });
    if (this.#replied) this.destroy({ reset: true });
    else this.#refuse(REPLIES[code] ?? REPLY_GENERAL_FAILURE);
  }

  /** Ends the UDP association that this connection held. */
  protected override onDestroy(): void {
    super.onDestroy();
    this.#endAssociation?.();
  }

  /** @returns The length of the greeting; 0 if there is nothing to go on with. */
  #onGreeting(data: Uint8Array): number {
    const greeting = parseGreeting(data);
    switch (greeting.status) {
      case "need-more":
        this.upstream.carry = data.slice();
        return 0;
      case "invalid":
        logger.error("connection from {client} {message}", {
          client: this.clientName,
          message: greeting.message,
        });
        this.destroy();
        return 0;
      case "ok":
        break;
    }
    this.upstream.carry = undefined;
    if (!greeting.offersNoAuth) {
      logger.error(
        "connection from {client} offers no method without authentication",
        { client: this.clientName },
      );
      this.write(STREAM_DOWN, greetingReply(METHOD_NO_ACCEPTABLE));
      this.destroyAfterWrite();
      return 0;
    }
    this.stage = STAGE_ADDR;
    this.write(STREAM_DOWN, GREETED);
    return this.isDestroyed() ? 0 : greeting.length;
  }

  #onRequest(data: Uint8Array): void {
    const request = parseRequest(data);
    switch (request.status) {
      case "need-more":
        this.upstream.carry = data.slice();
        return;
      case "invalid":
        logger.error("cannot serve the request of {client}: {message}", {
          client: this.clientName,
          message: request.message,
        });
        this.#refuse(request.reply);
        return;
      case "ok":
        break;
    }
    this.upstream.carry = undefined;
    if (request.command === CMD_UDP_ASSOCIATE) this.#associate();
    else this.#connect(data, request);
  }

  #connect(data: Uint8Array, request: Request): void {
    if (this.relay.settings.mode === "udp_only") {
      this.#refuse(REPLY_NOT_ALLOWED);
      return;
    }
    this.connectToServer(data.slice(REQUEST_ADDRESS_OFFSET), {
      headerLength: request.length - REQUEST_ADDRESS_OFFSET,
      name: targetName(data, request.address),
    });
  }

  #associate(): void {
    const { udpRelay } = this.relay;
    if (udpRelay === undefined) {
      this.#refuse(REPLY_COMMAND_NOT_SUPPORTED);
      return;
    }
    const { host } = this.localSocket.remoteAddress;
    this.stage = STAGE_UDP_ASSOC;
    this.relay.endHandshake(this);
    this.#endAssociation = udpRelay.associate(host);
    logger.debug("UDP associate from {client}", {
      client: this.clientName,
    });
    const { bytes } = this.localSocket.localAddress;
    this.write(STREAM_DOWN, reply(REPLY_SUCCEEDED, bytes, udpRelay.listenPort));
  }

  #refuse(code: number): void {
    this.write(STREAM_DOWN, reply(code));
    this.destroyAfterWrite();
  }
}

function targetName(data: Uint8Array, address: ParsedAddress): string {
  const ip = ipTarget(data, address);
  return ip === undefined ? `${address.domain}:${address.port}` : `${ip}`;
}
