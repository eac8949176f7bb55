/**
 * The outgoing side of one UDP client.
 *
 * @module
 */

import {
  type DatagramSocket,
  FAILED,
  type Recipient,
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
import type { DatagramSender, UDPServer } from "./udp_server.ts";

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

/** One path of the datagrams of an association: an outbound and its state. */
export interface PacketPath {
  /** What has picked the outbound. */
  readonly route: Route;
  /** Where the path leads through. */
  readonly outbound: Outbound;
  /** Its datagrams. */
  readonly packets: OutboundPackets;
  /** Where its destination is; undefined before the first datagram. */
  server: UDPServer | undefined;
  /**
   * Milliseconds of the loop's clock when the oldest datagram was sent that
   * nothing has come back for; 0: there is none.
   */
  unansweredSince: number;
  /**
   * True once the path did not answer in time; false again when another path
   * of its route has answered.
   */
  isAbandoned: boolean;
}

/** A question that a datagram waits for. */
export interface PendingQuestion {
  /** Takes it back; the datagram is lost. */
  takeBack(): void;
}

/** The address of a target's name that took the last datagram. */
export interface ReachedAddress {
  /** The target. */
  readonly target: Target;
  /** Its address. */
  readonly address: SocketAddress;
  /** Milliseconds of the loop's clock when it was seen to take one. */
  readonly since: number;
}

/**
 * A client, the paths that its datagrams take, and its outgoing sockets: one
 * for each IP version, whatever the targets, so that a target sees one source
 * address and anybody may answer to it (full cone).
 */
export class UDPAssociation implements DatagramSender {
  /** What it is found by. */
  readonly key: string;
  /** What is known about it. */
  readonly session: Session;
  /** Where answers go: who sent its newest datagram. */
  client: SocketAddress;
  /** Where answers leave from: where that datagram was sent to, if known. */
  recipient: Recipient | undefined = undefined;
  /** What the inbound wants to know again when it answers. */
  state: unknown = undefined;
  /** Whether only who was sent something last may answer. */
  isNarrow = false;
  /** Why nothing was sent yet; undefined once something was. */
  failure: Status | undefined = undefined;
  /** The target of the newest datagram. */
  lastTarget: Target | undefined = undefined;
  /** The path of that datagram; undefined: it had none. */
  lastPath: PacketPath | undefined = undefined;
  /** What its datagrams wait for; undefined: none ever has. */
  questions: Set<PendingQuestion> | undefined = undefined;
  /** Where the newest datagram to a name with several addresses went. */
  reached: ReachedAddress | undefined = undefined;
  readonly #hooks: AssociationHooks;
  /** The newest taken last. */
  readonly #paths: PacketPath[] = [];
  /** How many of them are abandoned. */
  #abandoned = 0;
  /** Where the newest datagram was sent to. */
  #sentTo: SocketAddress | undefined;
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
   * The newest path by a route: an association stays with it.
   *
   * @param route The route.
   * @returns undefined: the route has picked none yet.
   */
  pathFor(route: Route): PacketPath | undefined {
    return this.#paths.findLast((path) => path.route === route);
  }

  /**
   * Makes the path by an outbound the newest; begins it if there is none.
   *
   * @param outbound The outbound.
   * @param route What has picked it.
   * @returns The path, or why the outbound has no UDP.
   */
  take(outbound: Outbound, route: Route): PacketPath | NoPackets {
    const paths = this.#paths;
    const index = paths.findIndex((path) =>
      path.outbound === outbound && path.route === route
    );
    const path = paths.splice(index, index < 0 ? 0 : 1)[0] ??
      this.#newPath(outbound, route);
    if (!("refused" in path)) paths.push(path);
    return path;
  }

  /**
   * Notes that a path has not answered in time, so that its route picks
   * another outbound.
   *
   * @param path One of its paths.
   */
  abandon(path: PacketPath): void {
    if (!path.isAbandoned) this.#abandoned++;
    path.isAbandoned = true;
  }

  /**
   * The outbounds of a route whose paths were abandoned.
   *
   * @param route The route.
   */
  abandonedOf(route: Route): readonly Outbound[] {
    if (this.#abandoned === 0) return [];
    return this.#paths.filter((path) =>
      path.isAbandoned && path.route === route
    )
      .map(({ outbound }) => outbound);
  }

  /**
   * Has every abandoned path of a route count again: one of its paths has
   * answered, or none is left to try.
   *
   * @param route The route.
   */
  restore(route: Route): void {
    if (this.#abandoned === 0) return;
    for (const path of this.#paths) {
      if (!path.isAbandoned || path.route !== route) continue;
      path.isAbandoned = false;
      this.#abandoned--;
    }
  }

  /**
   * The path that an answer came by: that of the server with this address.
   * Without one it is a path whose answers may come from anywhere: the newest
   * to targets themselves, else the oldest whose packets prove their sender.
   * Where nothing proves an answer, it has to come from the newest target.
   *
   * @param from Who sent the answer.
   * @returns undefined: no path takes it.
   */
  pathFrom(from: SocketAddress): PacketPath | undefined {
    if (this.isNarrow && this.#sentTo?.key !== from.key) return undefined;
    let guess: PacketPath | undefined;
    for (const path of this.#paths) {
      if (path.packets.destination === undefined) guess = path;
      else if (path.server?.has(from) === true) return path;
      else if (guess === undefined && path.packets.checksSource !== true) {
        guess = path;
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
    this.#sentTo = address;
    const socket = this.#socketFor(address);
    return socket !== undefined && socket.sendTo(data, address) !== FAILED;
  }

  /**
   * Sends a datagram by itself, so that it is known if the system refuses it.
   *
   * @param data The datagram.
   * @param address Where to.
   * @param onFailed Called with the datagram where that is known only later.
   * @returns False if it is known at once that it was not sent.
   */
  sendAlone(
    data: Uint8Array,
    address: SocketAddress,
    onFailed: (data: Uint8Array) => void,
  ): boolean {
    this.#sentTo = address;
    const socket = this.#socketFor(address);
    return socket !== undefined &&
      socket.sendAlone(data, address, onFailed) !== FAILED;
  }

  /** Closes its sockets and paths; nothing waits for an answer any more. */
  close(): void {
    this.#closed = true;
    for (const question of this.questions ?? []) question.takeBack();
    for (const socket of [this.#ipv4, this.#ipv6]) {
      if (socket === undefined) continue;
      this.#hooks.onClose(socket);
      socket.close();
    }
    this.#ipv4 = this.#ipv6 = undefined;
    for (const { packets } of this.#paths.splice(0)) packets[Symbol.dispose]();
    this.lastPath = undefined;
  }

  #newPath(outbound: Outbound, route: Route): PacketPath | NoPackets {
    const packets = outbound.openPackets(this.session);
    if ("refused" in packets) return packets;
    return {
      route,
      outbound,
      packets,
      server: undefined,
      unansweredSince: 0,
      isAbandoned: false,
    };
  }

  #socketFor(address: SocketAddress): DatagramSocket | undefined {
    if (this.#closed) return undefined;
    return address.family === 4
      ? this.#ipv4 ??= this.#open(address)
      : this.#ipv6 ??= this.#open(address);
  }

  #open(address: SocketAddress): DatagramSocket | undefined {
    const socket = this.#hooks.open(address, this);
    if (socket !== undefined) this.#hooks.onOpen(socket, this);
    return socket;
  }
}
