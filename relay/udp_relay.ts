/**
 * The seed's UDPRelay: one for each listening port, on the client and on the
 * server side.
 *
 * ```text
 * application → local    RSV(2) FRAG(1) ‖ ADDR ‖ data       (RFC 1928, 7)
 * local → server         salt ‖ seal(ADDR ‖ data)           (SIP004, SIP007)
 * server → target        data
 * ```
 *
 * ADDR is the target on the way out and the source on the way back. Each
 * client has an association: one outgoing socket for all its targets, which
 * takes answers from anybody (full cone); one more if the client uses the
 * other IP version too. An association begins with the first packet that is
 * authentic, and ends when it was idle, or makes room for a newer one.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import type { Resolver } from "../dns/mod.ts";
import {
  type DatagramSocket,
  type EventHandler,
  type EventLoop,
  FdTable,
  POLL_ERR,
  POLL_IN,
  type Poller,
  type Socket,
  SocketAddress,
  SocketError,
} from "../loop/mod.ts";
import { LRUCache } from "./lru_cache.ts";
import {
  RelayBuffers,
  type RelaySettings,
  type StatCallback,
} from "./settings.ts";
import { UDPAssociation } from "./udp_association.ts";

/** What a {@linkcode UDPRelay} is made with. */
export interface UDPRelayOptions {
  /** Makes the sockets; the poller of the loop it will be added to. */
  readonly poller: Poller;
  /** Looks names up. */
  readonly dnsResolver: Resolver;
  /** The buffers that the relays of the loop share; default: its own. */
  readonly buffers?: RelayBuffers | undefined;
  /** Told of every datagram read. */
  readonly statCallback?: StatCallback | undefined;
  /** Lets several relays share the port (one in each worker). */
  readonly reusePort?: boolean | undefined;
}

/** Room in front of a datagram for RSV, FRAG and the longest IP address. */
export const HEADER_ROOM = 32;
/** Most datagrams read at one event, so that others get their turn. */
const READ_BATCH = 64;
/** Most datagrams that wait for a name at once; more are lost. */
const MAX_LOOKUPS = 256;

const logger = getLogger(["shadowsocks", "relay"]);

/** A UDP listener and its associations; client and server side extend it. */
export abstract class UDPRelay implements EventHandler {
  /** The settings of this port. */
  readonly settings: RelaySettings;
  /** Makes the sockets. */
  readonly poller: Poller;
  /** A datagram as read, `HEADER_ROOM` bytes in. */
  protected readonly input: Uint8Array;
  /** A datagram as made of it. */
  protected readonly output: Uint8Array;
  /** Towards the clients. */
  protected readonly serverSocket: DatagramSocket;
  readonly #resolver: Resolver;
  readonly #statCallback: StatCallback | undefined;
  readonly #handlePeriodic: () => void;
  readonly #fdToAssociations = new FdTable<UDPAssociation>();
  readonly #associations: LRUCache<string, UDPAssociation>;
  /** Client host → number of its open UDP ASSOCIATE connections. */
  readonly #associates = new Map<string, number>();
  #eventloop: EventLoop | undefined;
  #lookups = 0;
  #closed = false;

  /**
   * Binds.
   *
   * @param settings The settings of this port.
   * @param options Its surroundings.
   * @throws {SocketError} If the address cannot be bound.
   */
  constructor(settings: RelaySettings, options: UDPRelayOptions) {
    this.settings = settings;
    this.poller = options.poller;
    const buffers = options.buffers ?? new RelayBuffers();
    this.input = buffers.input;
    this.output = buffers.output;
    this.#resolver = options.dnsResolver;
    this.#statCallback = options.statCallback;
    this.#handlePeriodic = () => this.#associations.sweep();
    this.#associations = new LRUCache({
      maxSize: settings.udpMaxAssociations,
      timeout: settings.timeout,
      now: () => Math.floor(this.loop.time()),
      closeCallback: (association) => association.close(),
    });
    this.serverSocket = options.poller.bindUdp(settings.listen, {
      batch: true,
      reusePort: options.reusePort ?? false,
    });
  }

  /** The loop. */
  get loop(): EventLoop {
    if (this.#eventloop === undefined) throw new Error("not added to loop");
    return this.#eventloop;
  }

  /** The port it listens on. */
  get listenPort(): number {
    return this.serverSocket.localAddress.port;
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
    loop.add(this.serverSocket, POLL_IN | POLL_ERR, this);
    loop.addPeriodic(this.#handlePeriodic);
  }

  /** Reads what came from clients, or for an association. */
  handleEvent(socket: Socket | null, fd: number, event: number): void {
    if (socket === null) {
      logger.warn("poll removed fd");
      return;
    }
    if ((event & POLL_ERR) !== 0) {
      // An ICMP answer to something sent before: datagrams may be lost.
      logger.debug("UDP socket error: {code}", { code: socket.takeError() });
    }
    if ((event & POLL_IN) === 0) return;
    const association = this.#fdToAssociations.get(fd);
    if (association !== undefined) {
      this.#readAll(
        socket as DatagramSocket,
        (length, from) => this.onRemotePacket(association, length, from),
      );
    } else if (socket === this.serverSocket) {
      this.#readAll(
        this.serverSocket,
        (length, from) => this.onClientPacket(length, from),
      );
    }
  }

  /**
   * Notes that a client holds a UDP ASSOCIATE connection.
   *
   * @param host Its IP address.
   * @returns Ends it; with the client's last one its associations end.
   */
  associate(host: string): () => void {
    this.#associates.set(host, (this.#associates.get(host) ?? 0) + 1);
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      const left = this.#associates.get(host)! - 1;
      if (left > 0) {
        this.#associates.set(host, left);
        return;
      }
      this.#associates.delete(host);
      for (const association of [...this.#associations.values()]) {
        if (association.client.host === host) {
          this.#associations.delete(association.client.key);
        }
      }
    };
  }

  /**
   * Whether a client has an association.
   *
   * @param host Its IP address.
   */
  isActive(host: string): boolean {
    for (const association of this.#associations.values()) {
      if (association.client.host === host) return true;
    }
    return false;
  }

  /** Stops listening and ends every association. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#eventloop?.removePeriodic(this.#handlePeriodic);
    this.#eventloop?.remove(this.serverSocket);
    this.serverSocket.close();
    this.#associations.clear();
  }

  /** The same as {@linkcode UDPRelay.close}: nothing of UDP is left open. */
  destroy(): void {
    this.close();
  }

  /** A datagram of a client stands in `input` after `HEADER_ROOM` bytes. */
  protected abstract onClientPacket(length: number, from: SocketAddress): void;
  /** A datagram for an association stands in `input` likewise. */
  protected abstract onRemotePacket(
    association: UDPAssociation,
    length: number,
    from: SocketAddress,
  ): void;

  /**
   * The association of a client, made if there is none.
   *
   * @param client The client.
   */
  protected association(client: SocketAddress): UDPAssociation {
    const { key } = client;
    const known = this.#associations.get(key);
    if (known !== undefined) return known;
    const made = new UDPAssociation(client, {
      open: (address) => this.#openSocket(address, key),
      onOpen: (socket, self) => {
        this.#fdToAssociations.set(socket.fd, self);
        this.loop.add(socket, POLL_IN | POLL_ERR, this);
      },
      onClose: (socket) => {
        this.#fdToAssociations.delete(socket.fd);
        this.loop.remove(socket);
      },
    });
    this.#associations.set(key, made);
    return made;
  }

  /** Marks the association of a client as used, if there is one. */
  protected touch(client: SocketAddress): void {
    this.#associations.get(client.key);
  }

  /**
   * Looks a target up and calls back with its address; at once if the answer
   * is known. Failures are logged, and the datagram is lost.
   *
   * @param host A name or an IP literal.
   * @param port The port.
   * @param callback Called with the first address.
   */
  protected resolve(
    host: string,
    port: number,
    callback: (address: SocketAddress) => void,
  ): void {
    if (this.#lookups >= MAX_LOOKUPS) return;
    this.#lookups++;
    this.#resolver.resolve(host, (answer) => {
      this.#lookups--;
      if (this.#closed) return;
      const [first] = answer.addresses;
      if (first === undefined) {
        logger.error("{reason}", {
          reason: answer.error?.message ?? `no address for ${host}`,
        });
        return;
      }
      callback(
        first.length === 4
          ? SocketAddress.fromIpv4(first, 0, port)
          : SocketAddress.fromIpv6(first, 0, port),
      );
    });
  }

  #openSocket(address: SocketAddress, key: string): DatagramSocket | undefined {
    const any = address.family === 4 ? ANY_IPV4 : ANY_IPV6;
    for (;;) {
      try {
        return this.poller.bindUdp(any, { batch: true });
      } catch (error) {
        if (!(error instanceof SocketError)) throw error;
        const outOfDescriptors = error.code === "EMFILE" ||
          error.code === "ENFILE";
        // The oldest association makes room, but not the one asking.
        if (!outOfDescriptors || !this.#dropOther(key)) {
          logger.error("{reason}", { reason: error.message });
          return undefined;
        }
      }
    }
  }

  #dropOther(key: string): boolean {
    for (const association of this.#associations.values()) {
      if (association.client.key === key) continue;
      this.#associations.delete(association.client.key);
      return true;
    }
    return false;
  }

  #readAll(
    socket: DatagramSocket,
    onPacket: (length: number, from: SocketAddress) => void,
  ): void {
    const view = this.input.subarray(HEADER_ROOM);
    for (let i = 0; i < READ_BATCH && !socket.closed; i++) {
      const length = socket.recvFrom(view);
      if (length < 0) return;
      this.#statCallback?.(this.listenPort, length);
      onPacket(length, socket.sender);
    }
  }
}

const ANY_IPV4 = SocketAddress.parse("0.0.0.0", 0);
const ANY_IPV6 = SocketAddress.parse("::", 0);
