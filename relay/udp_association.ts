/**
 * The outgoing side of one UDP client.
 *
 * @module
 */

import type { DatagramSocket, SocketAddress } from "../loop/mod.ts";

/** What an association needs of its relay. */
export interface AssociationHooks {
  /** Makes a socket that can send to `address`; undefined: none to be had. */
  readonly open: (address: SocketAddress) => DatagramSocket | undefined;
  /** Called with each socket made. */
  readonly onOpen: (socket: DatagramSocket, self: UDPAssociation) => void;
  /** Called with each socket before it is closed. */
  readonly onClose: (socket: DatagramSocket) => void;
}

/** A client and its outgoing sockets, at most one for each IP version. */
export class UDPAssociation {
  /** The client. */
  readonly client: SocketAddress;
  /** Client side: the server that was picked for it. */
  server: SocketAddress | undefined = undefined;
  readonly #hooks: AssociationHooks;
  #ipv4: DatagramSocket | undefined;
  #ipv6: DatagramSocket | undefined;
  #closed = false;

  /**
   * Makes an association without sockets.
   *
   * @param client The client.
   * @param hooks What its relay does for it.
   */
  constructor(client: SocketAddress, hooks: AssociationHooks) {
    this.client = client;
    this.#hooks = hooks;
  }

  /**
   * Sends a datagram; it may be lost, as datagrams are.
   *
   * @param data The datagram.
   * @param address Where to.
   */
  sendTo(data: Uint8Array, address: SocketAddress): void {
    if (this.#closed) return;
    const socket = address.family === 4
      ? this.#ipv4 ??= this.#open(address)
      : this.#ipv6 ??= this.#open(address);
    socket?.sendTo(data, address);
  }

  /** Closes its sockets. */
  close(): void {
    this.#closed = true;
    for (const socket of [this.#ipv4, this.#ipv6]) {
      if (socket === undefined) continue;
      this.#hooks.onClose(socket);
      socket.close();
    }
    this.#ipv4 = this.#ipv6 = undefined;
  }

  #open(address: SocketAddress): DatagramSocket | undefined {
    const socket = this.#hooks.open(address);
    if (socket !== undefined) this.#hooks.onOpen(socket, this);
    return socket;
  }
}
