/**
 * A whole configuration from a few flat values, without a file.
 *
 * @module
 */

import type {
  Config,
  GroupConfig,
  HostPort,
  LocalConfig,
  Role,
  ServerConfig,
} from "../../config/mod.ts";

/** What a test may choose; everything has a default. */
export interface FlatKeys {
  /** Client: the servers. Server: where to listen. Default: loopback. */
  readonly server?: readonly string[];
  /** Their ports. Default: one that the system chooses. */
  readonly serverPort?: readonly number[];
  /** Client: the port to listen on. */
  readonly localPort?: number;
  /** Tunnel: where it leads to; makes the local a tunnel. */
  readonly forward?: HostPort;
  /** The secret of all. */
  readonly password?: string;
  /** The method of all. */
  readonly method?: string;
  /** Whether both sides use TCP fast open. */
  readonly fastOpen?: boolean;
  /** Whether the client sends, and the server requires, OTA. */
  readonly oneTimeAuth?: boolean;
  /** Which protocols are relayed. */
  readonly mode?: Config["mode"];
  /** Idle seconds. */
  readonly timeout?: number;
}

/** What differs in the parts of the configuration that are not flat. */
export type ConfigKeys = FlatKeys & Partial<Omit<Config, keyof FlatKeys>>;

const PASSWORD = "correct horse battery staple";

/**
 * Makes a configuration that listens on loopback.
 *
 * @param role What the program would be started as.
 * @param keys What differs from the defaults.
 * @returns The configuration.
 */
export function makeConfig(role: Role, keys: ConfigKeys = {}): Config {
  const {
    server = ["127.0.0.1"],
    serverPort = [0],
    localPort = 0,
    forward,
    password = PASSWORD,
    method = "aes-128-gcm",
    fastOpen = false,
    oneTimeAuth = false,
    mode = "tcp_and_udp",
    timeout = 300,
    users = [],
    reject,
    fallback,
    ...rest
  } = keys;
  const isClient = role === "sslocal" || role === "sstunnel";
  const servers = server.flatMap((host) =>
    serverPort.map((port): ServerConfig => ({
      name: `${host}:${port}`,
      host,
      port,
      method,
      password,
      users,
      reject: reject ?? (method.startsWith("2022-") ? "reset" : "silent"),
      fallback,
      mode,
      timeout,
      fastOpen,
      oneTimeAuth,
      tcpWeight: 1,
      udpWeight: 1,
      proxy: [],
      acl: undefined,
    }))
  );
  const local: LocalConfig = {
    protocol: forward === undefined ? "mixed" : "tunnel",
    address: "127.0.0.1",
    port: localPort,
    mode,
    forward,
    users: [],
    acl: undefined,
    outbound: undefined,
  };
  const isGroup = isClient && servers.length > 1;
  const group: GroupConfig = {
    name: "default",
    strategy: "random",
    members: servers.map(({ name }) => name),
    probeUrl: undefined,
    probeInterval: 0,
    selected: undefined,
  };
  return {
    role,
    locals: isClient ? [local] : [],
    servers,
    groups: isGroup ? [group] : [],
    defaultOutbound: isGroup ? group.name : servers[0]?.name ?? "direct",
    acl: undefined,
    forbiddenIp: [],
    outboundProxy: [],
    accessLog: undefined,
    listenAddresses: isClient ? [] : server,
    password,
    users,
    reject,
    fallback,
    method,
    timeout,
    udpTimeout: timeout,
    mode,
    fastOpen,
    workers: 1,
    oneTimeAuth,
    preferIpv6: false,
    dnsServer: [],
    replay: "memory",
    stateDir: undefined,
    udpMaxAssociations: 512,
    managerAddress: undefined,
    managerDialect: "python",
    user: undefined,
    daemon: undefined,
    pidFile: "",
    logFile: "",
    verbose: 0,
    libopenssl: undefined,
    libsodium: undefined,
    libmbedtls: undefined,
    eventLoop: undefined,
    ...rest,
  };
}
