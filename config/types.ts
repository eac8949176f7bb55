/**
 * The checked configuration: what the command line and the file become.
 * Values here are valid; nobody below checks them again.
 *
 * @module
 */

import type { IpNetworks } from "./ip_networks.ts";

/** What the program is started as. */
export type Role = "sslocal" | "ssserver" | "sstunnel" | "ssmanager";

/** Which protocols are relayed. */
export type Mode = "tcp_only" | "tcp_and_udp" | "udp_only";

/** The names `--event-loop` takes. */
export type EventLoopName = "epoll" | "deno";

/** A host (IP literal or name) and a port. */
export interface HostPort {
  /** IP literal without brackets, or a host name. */
  readonly host: string;
  /** 1 to 65,535 (0 lets the system choose, for listeners). */
  readonly port: number;
}

/** One `-d` action. */
export type DaemonAction = "start" | "stop" | "restart";

/** The checked configuration of one process. Names follow the seed's keys. */
export interface Config {
  readonly role: Role;
  /** Client: servers to pick from. Server: addresses to listen on. */
  readonly server: readonly string[];
  /** Client: ports to pick from. Server: ports to listen on. */
  readonly serverPort: readonly number[];
  readonly localAddress: string;
  readonly localPort: number;
  /** UTF-8 text of the password; empty where `portPassword` is used. */
  readonly password: string;
  /** Port → password; undefined when not given. */
  readonly portPassword: ReadonlyMap<number, string> | undefined;
  /** Whether small writes leave at once (TCP_NODELAY). */
  readonly noDelay: boolean;
  /** A name of the method table, lower case. */
  readonly method: string;
  /** Idle seconds after which a connection or association ends. */
  readonly timeout: number;
  readonly mode: Mode;
  readonly fastOpen: boolean;
  readonly workers: number;
  readonly oneTimeAuth: boolean;
  /** Targets that the server refuses. */
  readonly forbiddenIp: IpNetworks;
  readonly preferIpv6: boolean;
  /** Name servers; empty: those of the system. */
  readonly dnsServer: readonly HostPort[];
  /** Most UDP associations at once. */
  readonly udpMaxAssociations: number;
  /** Where the manager listens; `{ path }` is a unix datagram socket. */
  readonly managerAddress: HostPort | { readonly path: string } | undefined;
  /** How the manager answers `ping` and errors. */
  readonly managerDialect: "python" | "libev";
  /** The user to become after binding. */
  readonly user: string | undefined;
  readonly daemon: DaemonAction | undefined;
  readonly pidFile: string;
  readonly logFile: string;
  /** ≥2 VERBOSE, 1 DEBUG, 0 INFO, -1 WARNING, ≤-2 ERROR. */
  readonly verbose: number;
  readonly tunnelRemote: string;
  readonly tunnelRemotePort: number;
  readonly tunnelPort: number;
  readonly libopenssl: string | undefined;
  readonly libsodium: string | undefined;
  readonly libmbedtls: string | undefined;
  /** undefined: the best poller of this system. */
  readonly eventLoop: EventLoopName | undefined;
}
