/**
 * What a listener gives the handlers of its connections.
 *
 * @module
 */

import type { Resolver } from "../dns/mod.ts";
import {
  type EventHandler,
  type EventLoop,
  type FdTable,
  ListItem,
  type Socket,
} from "../loop/mod.ts";
import type { RelayBuffers } from "./buffers.ts";
import type { Inbound } from "./inbound.ts";
import type { QuietEnds } from "./quiet_ends.ts";
import type { Router } from "./router.ts";
import type { Peer, Session } from "./session.ts";
import type { Status } from "./status.ts";

/** What a listener keeps with each of its connections. */
export class ListedConnection extends ListItem<RelayedConnection> {
  /** When it was active last, in seconds of the loop's clock. */
  lastActivity = 0;
  /** When it got its place in the timeouts, in whole seconds of that clock. */
  placedAt = 0;
  /** When it was accepted, in seconds of that clock. */
  acceptedAt = 0;
  /** Its place in the timeouts; -1: none. */
  timeoutIndex: number = -1;
  /** Whether it stands among those who are not served, not in the handshakes. */
  isStranger = false;
}

/** A connection as its listener sees it. */
export interface RelayedConnection extends ListedConnection {
  /** Handles one event of one of its sockets. */
  handleEvent(socket: Socket, event: number): void;
  /** True while it is active in a way that its sockets do not show. */
  keepsAlive(): boolean;
  /** Ends it because it was idle, or showed no valid request in time. */
  timeOut(): void;
  /** Ends it from outside: what is under way is reset. */
  abort(status: Status): void;
}

/** The UDP side of a listener, as the connections that hold it see it. */
export interface AssociationRegistry {
  /** The port it listens on. */
  readonly listenPort: number;
  /**
   * Notes that a client holds an association by a connection.
   *
   * @param host The client's IP address.
   * @param user The user who asked for it; `""` if there are no users.
   * @param port The port that its datagrams come from; 0: not known.
   * @returns Ends it, and the associations that no other connection holds.
   */
  associate(host: string, user: string, port: number): () => void;
  /**
   * Tells whether a client has an association, or may have one.
   *
   * @param host Its IP address.
   */
  isActive(host: string): boolean;
}

/** A listener, as the handlers of its connections see it. */
export interface RelayContext {
  /** Waits for the sockets. */
  readonly loop: EventLoop;
  /** Looks names up. */
  readonly resolver: Resolver;
  /** The buffers of the loop. */
  readonly buffers: RelayBuffers;
  /** What the listener speaks. */
  readonly inbound: Inbound;
  /** Decides where sessions go. */
  readonly router: Router;
  /** The UDP side of the same port. */
  readonly udpRelay: AssociationRegistry | undefined;
  /** Gets the events of the sockets. */
  readonly handler: EventHandler;
  /** Descriptor → the handler of its connection. */
  readonly fd_to_handlers: FdTable<RelayedConnection>;
  /** The strangers that have sent their end. */
  readonly quietEnds: QuietEnds;
  /** False once the system has refused TCP fast open. */
  fastOpen: boolean;
  /**
   * Begins the session of a connection.
   *
   * @param client The client's socket.
   */
  newSession(client: Peer): Session;
  /** Notes that a handler is active. */
  updateActivity(handler: RelayedConnection): void;
  /** Notes that a handler has got a valid request, or never will. */
  endHandshake(handler: RelayedConnection): void;
  /**
   * Notes that a handler has got no valid request and goes on without a
   * deadline: it makes room when the descriptors run out.
   */
  keepStranger(handler: RelayedConnection): void;
  /**
   * Sees to it that a handler that is drained ends at the deadline.
   *
   * @returns Takes that back.
   */
  watchDraining(handler: RelayedConnection): () => void;
  /** Takes a handler out of the timeouts. */
  removeHandler(handler: RelayedConnection): void;
}
