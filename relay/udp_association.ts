/**
 * The outgoing side of one UDP client.
 *
 * @module
 */

import {
  type DatagramSocket,
  FAILED,
  type SocketAddress,
} from "../loop/mod.ts";
import type {
  NoPackets,
  Outbound,
  OutboundPackets,
  Route,
} from "./outbound.ts";
import type { Session } from "./session.ts";
import type { Status } from "./status.ts";
import type { Target } from "./target.ts";

/** What an association needs of its relay. */
export interface AssociationHooks {
  /** Makes a socket that can send to `address`; undefined: none to be had. */
  readonly open: (
    address: SocketAddress,
    self: UDPAssociation,
  ) => DatagramSocket | undefined;
  /** Called with each socket made. */
  readonly onOpen: (socket: DatagramSocket, self: UDPAssociation) => void;
  /** Called with each socket before it is closed. */
  readonly onClose: (socket: DatagramSocket) => void;
}

/** One way that datagrams of an association take. */
export interface Way {
  /** What gave the way. */
  readonly route: Route;
  /** The way. */
  readonly outbound: Outbound;
  /** Its datagrams. */
  readonly packets: OutboundPackets;
  /** The address of its destination, once it is known. */
  address: SocketAddress | undefined;
  /**
   * Milliseconds of the loop's clock when the oldest datagram was sent that
   * nothing has come back for; 0: there is none.
   */
  unansweredSince: number;
  /** True once it did not answer in time; false again when its route does. */
  isLeft: boolean;
}

/**
 * A client, the ways that its datagrams take, and its outgoing sockets: one
 * for each IP version, whatever the targets, so that a target sees one source
 * address and anybody may answer to it (full cone).
 */
export class UDPAssociation {
  /** What it is found by. */
  readonly key: string;
  /** What is known about it. */
  readonly session: Session;
  /** Where answers go: who sent its newest datagram. */
  client: SocketAddress;
  /** What the inbound wants to know again when it answers. */
  state: unknown = undefined;
  /** Why nothing was sent yet; undefined once something was. */
  failure: Status | undefined = undefined;
  /** The target of the newest datagram, and the way it took. */
  lastTarget: Target | undefined = undefined;
  /** The way of {@linkcode UDPAssociation.lastTarget}. */
  lastWay: Way | undefined = undefined;
  readonly #hooks: AssociationHooks;
  /** The newest taken last. */
  readonly #ways: Way[] = [];
  /** How many of them are left. */
  #left = 0;
  #ipv4: DatagramSocket | undefined;
  #ipv6: DatagramSocket | undefined;
  #closed = false;

  /**
   * Makes an association without sockets.
   *
   * @param key What it is found by.
   * @param session What is known about it.
   * @param hooks What its relay does for it.
   */
  constructor(key: string, session: Session, hooks: AssociationHooks) {
    this.key = key;
    this.session = session;
    this.client = session.client;
    this.#hooks = hooks;
  }

  /** True once it is over. */
  get closed(): boolean {
    return this.#closed;
  }

  /**
   * The way that a route has given last: an association stays with it.
   *
   * @param route The route.
   * @returns undefined: it has given none.
   */
  wayFor(route: Route): Way | undefined {
    return this.#ways.findLast((way) => way.route === route);
  }

  /**
   * Takes the way by an outbound; makes it if there is none.
   *
   * @param outbound The outbound.
   * @param route What has picked it.
   * @returns Why there is none, if the outbound has no UDP.
   */
  take(outbound: Outbound, route: Route): Way | NoPackets {
    const ways = this.#ways;
    const index = ways.findIndex((way) =>
      way.outbound === outbound && way.route === route
    );
    const way = ways.splice(index, index < 0 ? 0 : 1)[0] ??
      this.#newWay(outbound, route);
    if (!("refused" in way)) ways.push(way);
    return way;
  }

  /**
   * Leaves a way that has not answered in time.
   *
   * @param way One of its ways.
   */
  leave(way: Way): void {
    if (!way.isLeft) this.#left++;
    way.isLeft = true;
  }

  /**
   * The ways of a route that were left.
   *
   * @param route The route.
   */
  leftOf(route: Route): readonly Outbound[] {
    if (this.#left === 0) return [];
    return this.#ways.filter((way) => way.isLeft && way.route === route)
      .map(({ outbound }) => outbound);
  }

  /**
   * Has every way of a route count again: one of them has answered, or all
   * of them were left.
   *
   * @param route The route.
   */
  forgive(route: Route): void {
    if (this.#left === 0) return;
    for (const way of this.#ways) {
      if (!way.isLeft || way.route !== route) continue;
      way.isLeft = false;
      this.#left--;
    }
  }

  /**
   * The way that a datagram came by.
   *
   * @param from Who sent it.
   * @returns undefined: nobody would have sent it.
   */
  wayOf(from: SocketAddress): Way | undefined {
    let guess: Way | undefined;
    for (const way of this.#ways) {
      if (way.packets.destination === undefined) guess = way;
      else if (way.address?.key === from.key) return way;
      else if (guess === undefined && way.packets.checksSource !== true) {
        guess = way;
      }
    }
    return guess;
  }

  /**
   * Sends a datagram; it may be lost, as datagrams are.
   *
   * @param data The datagram.
   * @param address Where to.
   * @returns False if it is known at once that it was not sent.
   */
  sendTo(data: Uint8Array, address: SocketAddress): boolean {
    if (this.#closed) return false;
    const socket = address.family === 4
      ? this.#ipv4 ??= this.#open(address)
      : this.#ipv6 ??= this.#open(address);
    if (socket === undefined) return false;
    return socket.sendTo(data, address) !== FAILED;
  }

  /** Closes its sockets and ways. */
  close(): void {
    this.#closed = true;
    for (const socket of [this.#ipv4, this.#ipv6]) {
      if (socket === undefined) continue;
      this.#hooks.onClose(socket);
      socket.close();
    }
    this.#ipv4 = this.#ipv6 = undefined;
    for (const { packets } of this.#ways.splice(0)) packets[Symbol.dispose]();
    this.lastWay = undefined;
  }

  #newWay(outbound: Outbound, route: Route): Way | NoPackets {
    const packets = outbound.openPackets(this.session);
    if ("refused" in packets) return packets;
    return {
      route,
      outbound,
      packets,
      address: packets.destination?.address,
      unansweredSince: 0,
      isLeft: false,
    };
  }

  #open(address: SocketAddress): DatagramSocket | undefined {
    const socket = this.#hooks.open(address, this);
    if (socket !== undefined) this.#hooks.onOpen(socket, this);
    return socket;
  }
}
