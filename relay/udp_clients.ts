/**
 * The clients of a UDP listener that hold their associations by connections
 * (SOCKS5 UDP ASSOCIATE): whose a datagram is, and what ends with a connection.
 * Both cost as much as the client has, however many others there are.
 *
 * A connection may name the port that its datagrams come from (RFC 1928,
 * section 6); then they are its own, and it has no others. What comes from
 * another port belongs to the newest connection that has named none.
 *
 * @module
 */

import type { UDPAssociation } from "./udp_association.ts";

/** An open UDP ASSOCIATE connection. */
export interface ControlConnection {
  /** The IP address of its client. */
  readonly host: string;
  /** The port that its datagrams come from; 0: it has named none. */
  readonly port: number;
  /** Who asked for it; `""` if there are no users. */
  readonly user: string;
}

/** Associations, each with the connection that holds it, if one does. */
type Held = Map<UDPAssociation, ControlConnection | undefined>;

/** Clients by their IP address. */
export class UDPClients {
  /** By the port that they name, the newest last; no list is empty. */
  readonly #connections = new Map<string, Map<number, ControlConnection[]>>();
  /**
   * The associations of each client, whether it has connections or not.
   * undefined before the first connection: a listener without any, as every
   * server's, need not know.
   */
  #associations: Map<string, Held> | undefined;

  /**
   * Notes a connection.
   *
   * @param connection The connection.
   * @param associations All of the listener; looked at by the first call only.
   * @returns The associations that end: they are another user's, and what
   * comes from their port belongs to this connection from now on.
   */
  connect(
    connection: ControlConnection,
    associations: Iterable<UDPAssociation>,
  ): readonly UDPAssociation[] {
    const { host, port, user } = connection;
    if (this.#associations === undefined) {
      this.#associations = new Map();
      for (const association of associations) this.add(association, undefined);
    }
    let ports = this.#connections.get(host);
    if (ports === undefined) this.#connections.set(host, ports = new Map());
    const same = ports.get(port);
    if (same === undefined) ports.set(port, [connection]);
    else same.push(connection);
    const held = this.#associations.get(host);
    if (port === 0 || held === undefined) return [];
    const ended: UDPAssociation[] = [];
    for (const association of held.keys()) {
      const { client, session } = association;
      if (client.port !== port) continue;
      if (session.user === user) held.set(association, connection);
      else ended.push(association);
    }
    return ended;
  }

  /**
   * Forgets a connection. What it holds goes on if another connection could
   * have asked for it: one of the same user that has named the same port, or
   * none as well.
   *
   * @param connection One that was noted.
   * @returns The associations that end with it: never those of another
   * connection, nor those that none holds.
   */
  disconnect(connection: ControlConnection): readonly UDPAssociation[] {
    const { host, port, user } = connection;
    const ports = this.#connections.get(host);
    const same = ports?.get(port) ?? [];
    const at = same.indexOf(connection);
    if (ports === undefined || at < 0) return [];
    same.splice(at, 1);
    if (same.length === 0) ports.delete(port);
    if (ports.size === 0) this.#connections.delete(host);
    const held: Held = this.#associations?.get(host) ?? new Map();
    const own = [...held.keys()].filter((each) =>
      held.get(each) === connection
    );
    const heir = same.findLast((each) => each.user === user);
    if (heir === undefined) return own;
    for (const association of own) held.set(association, heir);
    return [];
  }

  /**
   * Whether a client has a connection.
   *
   * @param host The client.
   */
  isConnected(host: string): boolean {
    return this.#connections.has(host);
  }

  /**
   * The connection that datagrams belong to.
   *
   * @param host The client that they come from.
   * @param port The port that they come from.
   * @returns undefined: none.
   */
  holderOf(host: string, port: number): ControlConnection | undefined {
    const ports = this.#connections.get(host);
    return (ports?.get(port) ?? ports?.get(0))?.at(-1);
  }

  /**
   * Whether a client has an association.
   *
   * @param host A client that has, or had, a connection.
   */
  isActive(host: string): boolean {
    return this.#associations?.has(host) === true;
  }

  /**
   * Notes an association, under the client that has begun it.
   *
   * @param association A new one.
   * @param holder The connection that it belongs to, if there is one.
   */
  add(
    association: UDPAssociation,
    holder: ControlConnection | undefined,
  ): void {
    const all = this.#associations;
    if (all === undefined) return;
    const { host } = association.session.client;
    const held = all.get(host);
    if (held === undefined) all.set(host, new Map([[association, holder]]));
    else held.set(association, holder);
  }

  /**
   * Forgets an association.
   *
   * @param association One that has ended.
   */
  remove(association: UDPAssociation): void {
    const all = this.#associations;
    if (all === undefined) return;
    const { host } = association.session.client;
    const held = all.get(host);
    held?.delete(association);
    if (held?.size === 0) all.delete(host);
  }
}
