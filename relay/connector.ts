/**
 * The way to the other end of a connection: looks the name up, and connects to
 * the first address that answers.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import type { DnsAnswer } from "../dns/mod.ts";
import {
  POLL_ERR,
  POLL_HUP,
  POLL_OUT,
  SocketAddress,
  SocketError,
  type StreamSocket,
  type Timer,
} from "../loop/mod.ts";
import { CONNECT_TIMEOUT } from "./constants.ts";
import type { TCPRelay } from "./tcp_relay.ts";

/** Whom a {@linkcode Connector} works for; the handler is one. */
export interface ConnectorOwner {
  /** The names are known; the first connect begins. */
  onResolved(): void;
  /** Whether an address may be connected to. */
  isAllowed(address: SocketAddress): boolean;
  /** A socket was made: events of it belong to the owner from now on. */
  onRemoteSocket(socket: StreamSocket): void;
  /** The socket is connected; the connector's work is done. */
  onRemoteConnected(): void;
  /** A socket failed, and the next address is tried with another. */
  onRemoteFailed(socket: StreamSocket): void;
  /** No address could be connected to; `code` is the last error. */
  onConnectFailed(code: string): void;
  /** First data for fast open, the same for every address; undefined: none. */
  readonly fastOpenData: Uint8Array | undefined;
  /** Who asked, for log lines. */
  readonly clientName: string;
}

const logger = getLogger(["shadowsocks", "relay"]);

/** One attempt to reach a host. */
export class Connector {
  readonly #relay: TCPRelay;
  readonly #owner: ConnectorOwner;
  /** Addresses still to be tried, in order. */
  #candidates: SocketAddress[] = [];
  #socket: StreamSocket | undefined;
  #timer: Timer | undefined;
  #onAnswer: ((answer: DnsAnswer) => void) | undefined;

  /**
   * Makes a connector that does nothing yet.
   *
   * @param relay Gives the poller, the loop and the resolver.
   * @param owner Told what happens.
   */
  constructor(relay: TCPRelay, owner: ConnectorOwner) {
    this.#relay = relay;
    this.#owner = owner;
  }

  /**
   * Looks a host up, then connects.
   *
   * @param hostname A name or an IP literal.
   * @param port The port.
   */
  start(hostname: string, port: number): void {
    const onAnswer = (answer: DnsAnswer): void => {
      if (this.#onAnswer !== onAnswer) return;
      this.#onAnswer = undefined;
      if (answer.error === undefined) {
        this.startAt(
          answer.addresses.map((bytes) => new SocketAddress(bytes, port)),
        );
        return;
      }
      logger.error("{reason} when handling connection from {client}", {
        reason: answer.error.message,
        client: this.#owner.clientName,
      });
      this.#owner.onConnectFailed(answer.error.code);
    };
    this.#onAnswer = onAnswer;
    this.#relay.dnsResolver.resolve(hostname, onAnswer);
  }

  /**
   * Connects to the first of several addresses that answers.
   *
   * @param addresses In the order to try; emptied.
   */
  startAt(addresses: SocketAddress[]): void {
    this.#candidates = addresses;
    this.#owner.onResolved();
    this.#next("");
  }

  /**
   * Takes an event of the socket that is being connected.
   *
   * @param event A mask of `POLL_*`.
   */
  handleEvent(event: number): void {
    if ((event & (POLL_ERR | POLL_HUP)) !== 0) {
      this.#next(this.#socket?.takeError() || "ECONNREFUSED");
      return;
    }
    this.#timer?.cancel();
    this.#owner.onRemoteConnected();
  }

  /** Gives up; nobody is told anything any more. */
  cancel(): void {
    this.#timer?.cancel();
    this.#candidates = [];
    if (this.#onAnswer === undefined) return;
    this.#relay.dnsResolver.removeCallback(this.#onAnswer);
    this.#onAnswer = undefined;
  }

  #next(lastError: string): void {
    this.#timer?.cancel();
    if (this.#socket !== undefined) {
      this.#owner.onRemoteFailed(this.#socket);
      this.#socket = undefined;
    }
    let error = lastError;
    for (;;) {
      const address = this.#candidates.shift();
      if (address === undefined) {
        this.#owner.onConnectFailed(error);
        return;
      }
      if (!this.#owner.isAllowed(address)) {
        error = "EACCES";
        continue;
      }
      try {
        this.#open(address);
        return;
      } catch (failure) {
        if (!(failure instanceof SocketError)) throw failure;
        error = failure.code;
      }
    }
  }

  #open(address: SocketAddress): void {
    const { poller, loop } = this.#relay;
    const { fastOpenData } = this.#owner;
    const socket = fastOpenData === undefined
      ? poller.connectTcp(address)
      : poller.connectTcp(address, { fastOpenData });
    if (fastOpenData !== undefined && socket.fastOpenTaken === undefined) {
      this.#relay.fastOpen = false;
    }
    this.#socket = socket;
    this.#owner.onRemoteSocket(socket);
    if (socket.connected) {
      this.#owner.onRemoteConnected();
      return;
    }
    loop.add(socket, POLL_OUT, this.#relay);
    this.#timer = loop.addTimer(CONNECT_TIMEOUT, () => this.#next("ETIMEDOUT"));
  }
}
