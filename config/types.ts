/**
 * The checked configuration: what the command line and the files become.
 * Values here are valid; nobody below checks them again. All of it is plain
 * data, so that a worker gets it as it is.
 *
 * @module
 */

import type {
  MODES,
  PROTOCOLS,
  REJECTIONS,
  REPLAY_MODES,
  STRATEGIES,
} from "./keys/_words.ts";

export type { MODES, PROTOCOLS, REJECTIONS, REPLAY_MODES, STRATEGIES };

/** What the program is started as. */
export type Role = "sslocal" | "ssserver" | "sstunnel" | "ssmanager";

/** Which protocols are relayed. */
export type Mode = typeof MODES[number];

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

/** A text file that was read with the configuration; its user parses it. */
export interface TextFile {
  /** The path as it was written. */
  readonly path: string;
  /** The whole file. */
  readonly text: string;
}

/** Who may use a local. */
export interface UserConfig {
  /** Not empty; once in its list. */
  readonly name: string;
  /** Not empty. */
  readonly password: string;
}

/** What a server does with who does not authenticate. */
export type Rejection = typeof REJECTIONS[number];

/** Who may use a server. */
export interface ServerUser {
  /** Not empty; once on its server. */
  readonly name: string;
  /** Not empty; of the 2022 edition a key, in Base64. Once on its server. */
  readonly password: string;
  /** Undefined: that of the server. */
  readonly method?: string | undefined;
  /** The only port; undefined: each of its servers. */
  readonly port?: number | undefined;
  /** Whether the user is refused, as somebody with a wrong password. */
  readonly disabled: boolean;
  /** The server of 2022 behind this one that has the key; absent: this one. */
  readonly next?: HostPort | undefined;
}

/** What a local speaks with whoever connects to it. */
export type LocalProtocol = typeof PROTOCOLS[number];

/** One listener of a client. */
export interface LocalConfig {
  /** `mixed` and `socks` take SOCKS 4, 4a, 5 and HTTP on one port. */
  readonly protocol: LocalProtocol;
  /** IP literal or name to listen on. */
  readonly address: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** Which protocols are relayed. */
  readonly mode: Mode;
  /** Where a tunnel leads to; undefined for every other protocol. */
  readonly forward: HostPort | undefined;
  /** Who may use it; empty: everybody. */
  readonly users: readonly UserConfig[];
  /** Its own rules; undefined: those of the whole configuration. */
  readonly acl: TextFile | undefined;
  /** A server or a group, by name; undefined: the default outbound. */
  readonly outbound: string | undefined;
}

/** Client: a server to reach. Server: a port to listen on. */
export interface ServerConfig {
  /** As given, or `host:port`; no other server or group has it. */
  readonly name: string;
  /** IP literal or name. */
  readonly host: string;
  /** 0 lets the system choose, for listeners. */
  readonly port: number;
  /** A name of the method table, lower case. */
  readonly method: string;
  /**
   * UTF-8 text; empty only where there are users. Of the 2022 edition a key in
   * Base64, that of the server where it has users; for a client there may be
   * several, with colons between them.
   */
  readonly password: string;
  /** Server: its users; empty: whoever has the password. */
  readonly users: readonly ServerUser[];
  /** Server: what becomes of who does not authenticate. */
  readonly reject: Rejection;
  /** Server: who gets what is not shadowsocks. */
  readonly fallback: HostPort | undefined;
  /** Which protocols are relayed. */
  readonly mode: Mode;
  /** Idle seconds after which a connection or association ends. */
  readonly timeout: number;
  /** Whether data goes with the first packet (TCP Fast Open). */
  readonly fastOpen: boolean;
  /** Whether chunks of an old cipher are authenticated (OTA). */
  readonly oneTimeAuth: boolean;
  /** 0 to 1: how much a group prefers it for TCP; 0: never. */
  readonly tcpWeight: number;
  /** The same for UDP. */
  readonly udpWeight: number;
  /**
   * Proxies, the nearest first. Client: on the way to the server. Server: on
   * the way to the targets of this port. Empty: none; that of the whole
   * configuration is already in here.
   */
  readonly proxy: readonly ProxyConfig[];
  /** Server: its own rules; undefined: those of the whole configuration. */
  readonly acl: TextFile | undefined;
}

/** One proxy of `outbound_proxy`: `socks5://user:password@host:port`. */
export interface ProxyConfig {
  /** What it speaks. */
  readonly protocol: "socks5" | "http";
  /** IP literal without brackets, or a name. */
  readonly host: string;
  /** 1 to 65,535. */
  readonly port: number;
  /** Undefined together with the password. */
  readonly user: string | undefined;
  /** Undefined together with the user. */
  readonly password: string | undefined;
}

/** How a group picks one of its members. */
export type Strategy = typeof STRATEGIES[number];

/** An outbound that picks one of several. */
export interface GroupConfig {
  /** No other server or group has it. */
  readonly name: string;
  /** How it picks. */
  readonly strategy: Strategy;
  /** Names of servers and groups, `direct`, `block`; no circle, not empty. */
  readonly members: readonly string[];
  /** An `http://` URL; undefined: the group does not probe. */
  readonly probeUrl: string | undefined;
  /** Seconds between probes. */
  readonly probeInterval: number;
  /** `select`: the member that is chosen at first; undefined: the first. */
  readonly selected: string | undefined;
}

/** Where a line goes when a session ends. */
export interface AccessLogConfig {
  /** The file; `-`: where the log goes. */
  readonly file: string;
  /** What a line looks like. */
  readonly format: "text" | "json";
}

/** The checked configuration of one process. Names follow the file's keys. */
export interface Config {
  /** What the process is. */
  readonly role: Role;
  /** Client: at least one, after `-d stop` none. Server: none. */
  readonly locals: readonly LocalConfig[];
  /**
   * Client: whom to reach. Server: where to listen; none where a manager adds
   * the ports.
   */
  readonly servers: readonly ServerConfig[];
  /** Client: as given, and the default group where there has to be one. */
  readonly groups: readonly GroupConfig[];
  /**
   * Client: the server or group (or `direct`) for whatever no local and no
   * rule sends elsewhere. Server: `direct`.
   */
  readonly defaultOutbound: string;
  /** The rules of the whole configuration. */
  readonly acl: TextFile | undefined;
  /**
   * Server: what is refused as target: networks in canonical CIDR form, and the
   * word `own` for the addresses of this machine.
   */
  readonly forbiddenIp: readonly string[];
  /**
   * Server: proxies on the way to targets. Client: those on the way to
   * servers that name none of their own, already in {@linkcode servers}.
   */
  readonly outboundProxy: readonly ProxyConfig[];
  /** Undefined: no access log. */
  readonly accessLog: AccessLogConfig | undefined;
  /** Server: the addresses that ports which a manager adds listen on. */
  readonly listenAddresses: readonly string[];
  /** Server: the password of an added port that comes without; may be empty. */
  readonly password: string;
  /** Server: the users of an added port that comes without; may be empty. */
  readonly users: readonly ServerUser[];
  /** Server: the same for ports of the 2022 edition; undefined: the usual. */
  readonly reject: Rejection | undefined;
  /** Server: the same for what is not shadowsocks. */
  readonly fallback: HostPort | undefined;
  /** The method where a server names none of its own. */
  readonly method: string;
  /** Idle seconds, where a server has none of its own. */
  readonly timeout: number;
  /** Idle seconds of UDP associations. */
  readonly udpTimeout: number;
  /** Which protocols are relayed, where no local or server says. */
  readonly mode: Mode;
  /** Whether data goes with the first packet (TCP Fast Open). */
  readonly fastOpen: boolean;
  /** Threads that share the ports. */
  readonly workers: number;
  /** Whether chunks of an old cipher are authenticated (OTA). */
  readonly oneTimeAuth: boolean;
  /** Whether AAAA is asked before A. */
  readonly preferIpv6: boolean;
  /** Name servers; empty: those of the system. */
  readonly dnsServer: readonly HostPort[];
  /** Where used salts are remembered. */
  readonly replay: typeof REPLAY_MODES[number];
  /** The folder for what outlives the process; undefined: the usual one. */
  readonly stateDir: string | undefined;
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
  /** The file of libcrypto; undefined: it is looked for. */
  readonly libopenssl: string | undefined;
  /** The file of libsodium; undefined: it is looked for. */
  readonly libsodium: string | undefined;
  /** The file of libmbedcrypto; undefined: it is looked for. */
  readonly libmbedtls: string | undefined;
  /** Undefined: the best poller of this system. */
  readonly eventLoop: EventLoopName | undefined;
}
