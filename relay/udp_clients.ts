/**
 * The clients of a UDP listener that hold their associations by connections
 * (SOCKS5 UDP ASSOCIATE): what a connection asks about, and what ends with it,
 * costs as much as its client has, however many others there are.
 *
 * @module
 */

import type { UDPAssociation } from "./udp_association.ts";

/** The open UDP ASSOCIATE connections of one client. */
interface ControlConnections {
  count: number;
  /** The user of the newest one. */
  user: string;
}

/** Clients by their IP address. */
export class UDPClients {
  readonly #connections = new Map<string, ControlConnections>();
  /**
   * The associations of each client, whether it has connections or not.
   * undefined before the first connection: a listener without any, as every
   * server's, need not know.
   */
  #associations: Map<string, Set<UDPAssociation>> | undefined;

  /**
   * Counts a connection.
   *
   * @param host The client.
   * @param user Who asked for it.
   * @param associations All of the listener; looked at by the first call only.
   */
  connect(
    host: string,
    user: string,
    associations: Iterable<UDPAssociation>,
  ): void {
    if (this.#associations === undefined) {
      this.#associations = new Map();
      for (const association of associations) this.add(association);
    }
    const known = this.#connections.get(host);
    if (known === undefined) this.#connections.set(host, { count: 1, user });
    else {
      known.count++;
      known.user = user;
    }
  }

  /**
   * Forgets a connection.
   *
   * @param host The client.
   * @returns The associations that end with it: all of a client whose last
   * connection it was.
   */
  disconnect(host: string): readonly UDPAssociation[] {
    const known = this.#connections.get(host);
    if (known === undefined || --known.count > 0) return [];
    this.#connections.delete(host);
    return [...this.#associations?.get(host) ?? []];
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
   * The user of a client's newest connection.
   *
   * @param host The client.
   * @returns `""`: there is none.
   */
  userOf(host: string): string {
    return this.#connections.get(host)?.user ?? "";
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
   */
  add(association: UDPAssociation): void {
    const all = this.#associations;
    if (all === undefined) return;
    const { host } = association.session.client;
    const own = all.get(host);
    if (own === undefined) all.set(host, new Set([association]));
    else own.add(association);
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
    const own = all.get(host);
    own?.delete(association);
    if (own?.size === 0) all.delete(host);
  }
}
