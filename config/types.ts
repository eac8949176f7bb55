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
  /** What the process is. */
  readonly role: Role;
  /** Client: servers to pick from. Server: addresses to listen on. */
  readonly server: readonly string[];
  /** Client: ports to pick from. Server: ports to listen on. */
  readonly serverPort: readonly number[];
  /** Client: the address to listen on. */
  readonly localAddress: string;
  /** Client: the port to listen on. */
  readonly localPort: number;
  /** UTF-8 text of the password; empty where `portPassword` is used. */
  readonly password: string;
  /** Port → password; undefined when not given. */
  readonly portPassword: ReadonlyMap<number, string> | undefined;
  /** A name of the method table, lower case. */
  readonly method: string;
  /** Idle seconds after which a connection or association ends. */
  readonly timeout: number;
  /** Which protocols are relayed. */
  readonly mode: Mode;
  /** Whether data goes with the first packet (TCP Fast Open). */
  readonly fastOpen: boolean;
  /** Processes that share the ports of a server. */
  readonly workers: number;
  /** Whether chunks of an old cipher are authenticated (OTA). */
  readonly oneTimeAuth: boolean;
  /** Targets that the server refuses. */
  readonly forbiddenIp: IpNetworks;
  /** Whether AAAA is asked before A. */
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
  /** What to do with the process in the background. */
  readonly daemon: DaemonAction | undefined;
  /** Where a daemon keeps its process id. */
  readonly pidFile: string;
  /** Where a daemon sends its log. */
  readonly logFile: string;
  /** ≥2 VERBOSE, 1 DEBUG, 0 INFO, -1 WARNING, ≤-2 ERROR. */
  readonly verbose: number;
  /** Tunnel: the host it leads to. */
  readonly tunnelRemote: string;
  /** Tunnel: the port it leads to. */
  readonly tunnelRemotePort: number;
  /** Tunnel: the port to listen on. */
  readonly tunnelPort: number;
  /** The file of libcrypto; undefined: it is looked for. */
  readonly libopenssl: string | undefined;
  /** The file of libsodium; undefined: it is looked for. */
  readonly libsodium: string | undefined;
  /** The file of libmbedcrypto; undefined: it is looked for. */
  readonly libmbedtls: string | undefined;
  /** undefined: the best poller of this system. */
  readonly eventLoop: EventLoopName | undefined;
}
