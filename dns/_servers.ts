/**
 * The order in which name servers are asked: the one that answered last comes
 * first, so that a dead first server costs its time-out once and not at every
 * lookup.
 *
 * @module
 */

import type { SocketAddress } from "../loop/mod.ts";
import type { ServerSettings } from "./resolv_conf.ts";

/** The name servers, and which of them to ask first. */
export class ServerList {
  readonly #settings: () => ServerSettings;
  #first = "";

  /**
   * Makes a list that begins as the settings do.
   *
   * @param settings Gives the present settings.
   */
  constructor(settings: () => ServerSettings) {
    this.#settings = settings;
  }

  /**
   * The settings with the servers in the order to ask them.
   *
   * @returns Settings that do not change any more.
   */
  snapshot(): ServerSettings {
    const settings = this.#settings();
    const { servers } = settings;
    const at = servers.findIndex((server) => server.key === this.#first);
    if (at <= 0) return settings;
    return {
      ...settings,
      servers: [...servers.slice(at), ...servers.slice(0, at)],
    };
  }

  /**
   * Tells that a server has answered.
   *
   * @param server The server.
   */
  succeeded(server: SocketAddress): void {
    this.#first = server.key;
  }
}
