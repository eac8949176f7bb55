/**
 * What one relay is told: the part of the configuration for one listening
 * port, with names resolved and the cipher made.
 *
 * @module
 */

import type { HostPort, IpNetworks, Mode } from "../config/mod.ts";
import type { CipherSuite } from "../crypto/mod.ts";
import { parseIp, SocketAddress } from "../loop/mod.ts";
import { MAX_CHUNK_DATA } from "./ota.ts";
import { CARRY_SIZE, UP_STREAM_BUF_SIZE } from "./constants.ts";

/** The settings of a relay. */
export interface RelaySettings {
  /** Where to listen. */
  readonly listen: SocketAddress;
  /** Method and key. */
  readonly suite: CipherSuite;
  /** Idle seconds after which a connection or association ends. */
  readonly timeout: number;
  /** Which protocols are relayed. */
  readonly mode: Mode;
  /** Client side: servers to pick from, at random. */
  readonly servers: readonly HostPort[];
  /** Tunnel: the one target of every connection. */
  readonly tunnel: HostPort | undefined;
  /** Server side: targets that are refused. */
  readonly forbiddenIp: IpNetworks;
  /** TCP fast open on the listener and towards the server. */
  readonly fastOpen: boolean;
  /** Client: send one-time authentication; server: require it. */
  readonly oneTimeAuth: boolean;
  /** Most UDP associations at once. */
  readonly udpMaxAssociations: number;
}

/** Called with the port and the bytes of each read. */
export type StatCallback = (port: number, bytes: number) => void;

/**
 * The buffers that all connections and UDP relays of a loop share: what is
 * read, and what is made of it. An idle connection has none of its own. What is
 * to outlive the handling of one event must be copied out.
 */
export class RelayBuffers {
  /** Bytes as read. */
  readonly input: Uint8Array = new Uint8Array(CARRY_SIZE + UP_STREAM_BUF_SIZE);
  /** Bytes as sent: input sealed, with room for salt, lengths and tags. */
  readonly output: Uint8Array = new Uint8Array(
    CARRY_SIZE + UP_STREAM_BUF_SIZE + 8192,
  );
  #scratch: Uint8Array | undefined;

  /** Output of a stream's transform: what is in `output`, and one chunk. */
  get scratch(): Uint8Array {
    return this.#scratch ??= new Uint8Array(
      this.output.length + MAX_CHUNK_DATA,
    );
  }
}

/**
 * Picks one of several servers at random, as the seed does for each connection
 * and each packet.
 *
 * @param servers At least one.
 * @returns The one picked.
 */
export function pickServer(servers: readonly HostPort[]): HostPort {
  return servers[Math.floor(Math.random() * servers.length)]!;
}

/** What {@linkcode literalAddress} has found, by the object of the settings. */
const literals = new WeakMap<HostPort, SocketAddress | null>();

/**
 * The address of a server that is given as an IP literal; the same object for
 * every connection.
 *
 * @param server One of the settings.
 * @returns Its address; undefined if it is a name.
 */
export function literalAddress(server: HostPort): SocketAddress | undefined {
  let address = literals.get(server);
  if (address === undefined) {
    const bytes = parseIp(server.host);
    address = bytes === undefined
      ? null
      : new SocketAddress(bytes, server.port);
    literals.set(server, address);
  }
  return address ?? undefined;
}
