/**
 * The original's UDPRelay: one for each listening port. An inbound says what the
 * datagrams of clients mean, outbounds how they travel.
 *
 * ```text
 * client → inbound.open → association → router.route → route.pick
 *        → packets.seal → server or target
 * server or target → packets.open → inbound.seal → client
 * ```
 *
 * Each client has an association: a session, and one outgoing socket for all
 * its targets, which takes answers from anybody (full cone); one more if its
 * targets use the other IP version too. An association begins with the first
 * datagram that is authentic, and ends when it was idle, or makes room for a
 * newer one.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import type { Resolver } from "../dns/mod.ts";
import {
  type DatagramSocket,
  type DescriptorHolder,
  type EventHandler,
  type EventLoop,
  FdTable,
  POLL_ERR,
  POLL_HUP,
  POLL_IN,
  type Poller,
  type Socket,
  SocketAddress,
  SocketError,
} from "../loop/mod.ts";
import type { RelayBuffers } from "./buffers.ts";
import {
  LIMIT_LOG_INTERVAL,
  LOG_INTERVAL,
  STREAM_DOWN,
  STREAM_UP,
} from "./constants.ts";
import {
  Packet,
  PACKET_ROOM,
  type PacketInbound,
  sealedBytes,
} from "./packet.ts";
import type { AssociationRegistry } from "./relay_context.ts";
import type { Router } from "./router.ts";
import type { ListenerInfo, Sessions } from "./session.ts";
import type { Status } from "./status.ts";
import { UDPAssociation } from "./udp_association.ts";
import { UDPAssociations } from "./udp_associations.ts";
import { type ControlConnection, UDPClients } from "./udp_clients.ts";
import { UDPSender } from "./udp_sender.ts";

/** What a {@linkcode UDPRelay} is made with. */
export interface UDPRelayOptions {
  /** Where to listen. */
  readonly listen: SocketAddress;
  /** What sessions call it: {@linkcode ListenerInfo.protocol}. */
  readonly protocol: string;
  /** What the datagrams of clients mean. */
  readonly inbound: PacketInbound;
  /** Decides where sessions go. */
  readonly router: Router;
  /** Begins the sessions. */
  readonly sessions: Sessions;
  /** Idle seconds after which an association ends. */
  readonly timeout: number;
  /** Most associations at once. */
  readonly maxAssociations: number;
  /** Makes the sockets; the poller of the loop it will be added to. */
  readonly poller: Poller;
  /** Looks names up. */
  readonly resolver: Resolver;
  /** The buffers that the relays of the loop share. */
  readonly buffers: RelayBuffers;
  /** Lets several relays share the port (one in each worker). */
  readonly reusePort?: boolean | undefined;
  /** Leaves IPv4 to another listener of the port. */
  readonly ipv6Only?: boolean | undefined;
}

/** Most datagrams read at one event, so that others get their turn. */
const READ_BATCH = 64;

const ANY_IPV4 = SocketAddress.parse("0.0.0.0", 0);
const ANY_IPV6 = SocketAddress.parse("::", 0);

const logger = getLogger(["shadowsocks", "relay"]);

/** A UDP listener and its associations. */
export class UDPRelay
  implements EventHandler, AssociationRegistry, DescriptorHolder {
  readonly #inbound: PacketInbound;
  readonly #router: Router;
  readonly #sessions: Sessions;
  readonly #listener: ListenerInfo;
  readonly #poller: Poller;
  readonly #sender: UDPSender;
  readonly #buffers: RelayBuffers;
  /** Where a datagram is read to: the input buffer after `PACKET_ROOM`. */
  readonly #view: Uint8Array;
  /** The datagram that is being handled. */
  readonly #packet = new Packet();
  readonly #serverSocket: DatagramSocket;
  readonly #sharesPort: boolean;
  readonly #handlePeriodic: () => void;
  readonly #fdToAssociations = new FdTable<UDPAssociation>();
  readonly #associations: UDPAssociations;
  /** The clients that hold their associations by connections. */
  readonly #clients = new UDPClients();
  #eventloop: EventLoop | undefined;
  #closed = false;
  #closeStatus: Status = "ok";
  /** Seconds of the clock before which a lack of sockets is not logged again. */
  #quietUntil = -Infinity;
  readonly #maxAssociations: number;
  /** Seconds of the clock before which the limit is not logged again. */
  #limitQuietUntil = -Infinity;

  /**
   * Binds.
   *
   * @param options What it is made with.
   * @throws {SocketError} If the address cannot be bound.
   */
  constructor(options: UDPRelayOptions) {
    this.#inbound = options.inbound;
    this.#router = options.router;
    this.#sessions = options.sessions;
    this.#poller = options.poller;
    this.#sender = new UDPSender({ ...options, now: () => this.#now() });
    this.#buffers = options.buffers;
    this.#view = options.buffers.input.subarray(PACKET_ROOM);
    this.#handlePeriodic = () => this.#associations.sweep();
    this.#maxAssociations = options.maxAssociations;
    this.#associations = new UDPAssociations({
      maxSize: options.maxAssociations,
      timeout: options.timeout,
      now: () => Math.floor(this.loop.time()),
      closeCallback: (association) => this.#onClose(association),
    });
    this.#sharesPort = options.reusePort ?? false;
    this.#serverSocket = options.poller.bindUdp(options.listen, {
      batch: true,
      tellsRecipient: true,
      reusePort: this.#sharesPort,
      ipv6Only: options.ipv6Only ?? false,
    });
    const { protocol } = options;
    this.#listener = { protocol, port: this.listenPort };
    this.#poller.budget.addHolder(this);
    this.#poller.budget.fix(1);
  }

  /** The loop. */
  get loop(): EventLoop {
    if (this.#eventloop === undefined) throw new Error("not added to loop");
    return this.#eventloop;
  }

  /** The port it listens on. */
  get listenPort(): number {
    return this.#serverSocket.localAddress.port;
  }

  /** How many associations there are. */
  get associations(): number {
    return this.#associations.size;
  }

  /** Whether it listens no more. */
  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Begins to relay.
   *
   * @param loop The loop of this relay's poller.
   * @throws {Error} `already add to loop`, `already closed`.
   */
  addToLoop(loop: EventLoop): void {
    if (this.#eventloop !== undefined) throw new Error("already add to loop");
    if (this.#closed) throw new Error("already closed");
    this.#eventloop = loop;
    loop.add(this.#serverSocket, POLL_IN | POLL_ERR, this);
    loop.addPeriodic(this.#handlePeriodic);
  }

  /** Reads what came from clients, or for an association. */
  handleEvent(socket: Socket, fd: number, event: number): void {
    if ((event & POLL_ERR) !== 0) {
      // An ICMP answer to something sent before: datagrams may be lost.
      logger.debug("UDP socket error: {code}", { code: socket.takeError() });
    }
    const association = this.#fdToAssociations.get(fd);
    if ((event & POLL_HUP) !== 0) {
      this.#onUnwatched(socket, association);
      return;
    }
    if ((event & POLL_IN) === 0) return;
    const datagrams = association !== undefined
      ? socket as DatagramSocket
      : this.#serverSocket;
    for (let i = 0; i < READ_BATCH && !datagrams.closed; i++) {
      const length = datagrams.recvFrom(this.#view);
      if (length < 0) return;
      const packet = this.#packet;
      packet.bytes = this.#buffers.input;
      packet.start = PACKET_ROOM;
      packet.end = PACKET_ROOM + length;
      packet.head = -1;
      if (association === undefined) {
        this.#onClientPacket(packet, length, datagrams.sender);
      } else this.#onRemotePacket(packet, association, datagrams.sender);
    }
  }

  /**
   * Notes that a client holds a UDP ASSOCIATE connection.
   *
   * @param host Its IP address.
   * @param user The user who asked for it; `""` if there are no users.
   * @param port The port that its datagrams come from; 0: not known.
   * @returns Ends it, and the associations that no other connection holds.
   */
  associate(host: string, user: string, port: number = 0): () => void {
    const connection: ControlConnection = { host, port, user };
    const all = this.#associations.values();
    this.#endAll(this.#clients.connect(connection, all));
    return () => this.#endAll(this.#clients.disconnect(connection));
  }

  /**
   * Whether a client has an association, or may have one by another relay that
   * shares the port.
   *
   * @param host Its IP address.
   */
  isActive(host: string): boolean {
    return this.#sharesPort || this.#clients.isActive(host);
  }

  /**
   * Stops listening and ends every association.
   *
   * @param status How their sessions end.
   */
  close(status: Status = "shutdown"): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#closeStatus = status;
    this.#eventloop?.removePeriodic(this.#handlePeriodic);
    this.#eventloop?.remove(this.#serverSocket);
    this.#poller.budget.fix(-1);
    this.#serverSocket.close();
    this.#associations.clear();
    this.#poller.budget.removeHolder(this);
  }

  /** The poller cannot watch the socket, so nothing of it would be heard. */
  #onUnwatched(socket: Socket, association: UDPAssociation | undefined): void {
    if (association !== undefined) {
      this.#associations.delete(association.key);
      return;
    }
    // As with TCP: the port ends, the others of the process go on.
    const code = socket.takeError();
    this.close("error");
    throw new Error(`server_socket error: ${code || "unknown"}`);
  }

  #endAll(associations: readonly UDPAssociation[]): void {
    for (const { key } of associations) this.#associations.delete(key);
  }

  #onClientPacket(packet: Packet, length: number, from: SocketAddress): void {
    const { needsAssociation } = this.#inbound;
    if (needsAssociation && !this.#clients.isConnected(from.host)) {
      logUnheld(from);
      return;
    }
    const request = this.#inbound.open(packet, from, this.#buffers.output);
    const { target } = packet;
    if (request === undefined || target === undefined) return;
    let association = this.#associations.get(request.key);
    if (association === undefined) {
      if (this.#router.refusesClient(from) !== undefined) return;
      const holder = this.#clients.holderOf(from.host, from.port);
      if (needsAssociation && holder === undefined) {
        logUnheld(from);
        return;
      }
      const user = request.user || (holder?.user ?? "");
      association = this.#newAssociation(request.key, from, { user, holder });
      association.session.target = target;
    } else if (this.#mayNotMove(association, from)) return;
    // Its packet was authentic and new: answers follow who has sent it.
    association.client = from;
    association.recipient = this.#serverSocket.recipient;
    association.state = request.state;
    association.isNarrow = request.isNarrow === true;
    association.session.moved(STREAM_UP, packet.end - packet.start, length);
    this.#sender.send(packet, association, target);
  }

  /** Whether an association has moved to an address that is not served. */
  #mayNotMove({ client }: UDPAssociation, from: SocketAddress): boolean {
    const router = this.#router;
    return router.checksClients && client.key !== from.key &&
      router.refusesClient(from) !== undefined;
  }

  /** An answer of a server or a target. */
  #onRemotePacket(
    packet: Packet,
    association: UDPAssociation,
    from: SocketAddress,
  ): void {
    const path = association.pathFrom(from);
    if (path === undefined) return;
    packet.source = from;
    if (!path.packets.open(packet, this.#buffers.output)) return;
    path.unansweredSince = 0;
    path.server?.answered(from);
    association.restore(path.route);
    const { session, state, client } = association;
    const size = packet.end - packet.start;
    const out = this.#buffers.besides(packet.bytes);
    const sealed = this.#inbound.seal(packet, state, out, session);
    const data = sealedBytes(packet, out, sealed);
    if (data === undefined) return;
    session.moved(STREAM_DOWN, size, data.length);
    // Not counted as use: anybody may send, and would keep an association of a
    // client that has gone.
    this.#serverSocket.sendTo(data, client, association.recipient);
  }

  /** How many associations there are. */
  get held(): number {
    return this.#associations.size;
  }

  /**
   * Ends the association that is to make room.
   *
   * @param asking One that stays.
   * @returns False if there is no other.
   */
  release(asking: unknown): boolean {
    return this.#associations.dropOne(asking);
  }

  /** Milliseconds of the loop's clock. */
  #now(): number {
    return this.loop.time() * 1000;
  }

  #newAssociation(
    key: string,
    client: SocketAddress,
    { user, holder }: {
      readonly user: string;
      readonly holder: ControlConnection | undefined;
    },
  ): UDPAssociation {
    const session = this.#sessions.open(
      { listener: this.#listener, network: "udp", client },
      this.#now(),
    );
    session.user = user;
    const made = new UDPAssociation(key, session, {
      open: (address, self) => this.#openSocket(address, self),
      onOpen: (socket, self) => {
        this.#poller.budget.associated++;
        this.#fdToAssociations.set(socket.fd, self);
        this.loop.add(socket, POLL_IN | POLL_ERR, this);
      },
      onClose: (socket) => {
        this.#poller.budget.associated--;
        this.#fdToAssociations.delete(socket.fd);
        this.loop.remove(socket);
      },
    });
    if (this.#associations.isFull) this.#logLimit(client);
    this.#associations.add(made);
    this.#clients.add(made, holder);
    return made;
  }

  /** Says that another client loses its association, not each time. */
  #logLimit(client: SocketAddress): void {
    const now = this.loop.time();
    if (now < this.#limitQuietUntil) return;
    this.#limitQuietUntil = now + LIMIT_LOG_INTERVAL;
    logger.warn(
      "{limit} UDP clients at once on port {port}: the one idle for longest " +
        "makes room for {client}; raise udp_max_associations",
      {
        limit: this.#maxAssociations,
        port: this.listenPort,
        client: `${client}`,
      },
    );
  }

  #onClose(association: UDPAssociation): void {
    association.close();
    this.#clients.remove(association);
    const status = association.failure ?? this.#closeStatus;
    association.session.end(status, this.#now());
  }

  #openSocket(
    address: SocketAddress,
    association: UDPAssociation,
  ): DatagramSocket | undefined {
    const any = address.family === 4 ? ANY_IPV4 : ANY_IPV6;
    const poller = this.#poller;
    this.#keepToShare(association);
    for (;;) {
      try {
        return poller.bindUdp(any, { batch: true });
      } catch (error) {
        if (!(error instanceof SocketError)) throw error;
        // The oldest association makes room, but not the one asking. Where its
        // descriptor is free only later, the next datagram finds it.
        const isRoom = isOutOfDescriptors(error.code) &&
          poller.budget.makeRoom(association);
        if (isRoom && poller.closesAtOnce) continue;
        this.#logNoSocket(error, association.client);
        return undefined;
      }
    }
  }

  /** Has the oldest associations end for a new socket, if all have too many. */
  #keepToShare(association: UDPAssociation): void {
    const { budget } = this.#poller;
    if (!budget.isAssociationFull && !budget.isShort) return;
    if (this.#mayLog()) {
      logger.error(
        "descriptors run short: the oldest UDP association ends for {client}; raise the descriptor limit (ulimit -n)",
        { client: `${association.client}` },
      );
    }
    if (budget.isShort) budget.makeRoom(association);
    while (budget.isAssociationFull && budget.makeRoom(association));
  }

  /** Says why a client's datagrams are lost, but not for each of them. */
  #logNoSocket({ code, message }: SocketError, client: SocketAddress): void {
    if (!this.#mayLog()) return;
    const properties = { reason: message, client: `${client}` };
    if (isOutOfDescriptors(code)) {
      logger.error(
        "{reason} for UDP from {client}; raise the descriptor limit (ulimit -n)",
        properties,
      );
    } else logger.error("{reason} for UDP from {client}", properties);
  }

  /** Whether it is long enough since a lack of sockets was logged. */
  #mayLog(): boolean {
    const now = this.loop.time();
    if (now < this.#quietUntil) return false;
    this.#quietUntil = now + LOG_INTERVAL;
    return true;
  }
}

/** Says that a datagram is dropped; its text is made only if it is written. */
function logUnheld(from: SocketAddress): void {
  logger.debug(
    "drop a UDP packet of {client}, which holds no association",
    () => ({ client: `${from}` }),
  );
}

/** Whether the process (EMFILE) or the system (ENFILE) has no descriptor left. */
function isOutOfDescriptors(code: string): boolean {
  return code === "EMFILE" || code === "ENFILE";
}
