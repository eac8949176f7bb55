/**
 * Every key of a configuration: how its value is read, and which setting it
 * becomes. The command line goes through the same rows.
 *
 * @module
 */

import {
  readEndpoint,
  readHost,
  readHosts,
  readManagerAddress,
  readNameServers,
  readNetworks,
  readPortPassword,
  readPorts,
} from "./_address_readers.ts";
import {
  readBoolean,
  readDaemon,
  readInteger,
  readListenPort,
  readMethod,
  readName,
  readPort,
  readText,
  readTimeout,
  readVerbose,
  readWord,
} from "./_readers.ts";
import type { Reader, Report } from "./_report.ts";
import type { Settings } from "./_settings.ts";

/** A key of a configuration. */
export interface KeyRow {
  /** The name that messages and documentation use. */
  readonly key: string;
  /** Other names of the same key. */
  readonly aliases: readonly string[];
  /** The fields that it sets. */
  readonly fields: readonly (keyof Settings)[];
  /** Whether no message may show the value. */
  readonly secret: boolean;
  /** Whether it belongs to the process, not to one port of it. */
  readonly ofProcess: boolean;
  /** Reads a value into the settings; false after a report. */
  apply(settings: Settings, value: unknown, report: Report): boolean;
}

interface RowOptions {
  readonly aliases?: readonly string[];
  readonly secret?: boolean;
  readonly ofProcess?: boolean;
}

const OF_PROCESS = { ofProcess: true } as const;

/** Every key, in the order of the documentation. */
export const KEYS: readonly KeyRow[] = [
  row("server", "server", readHosts),
  row("server_port", "serverPort", readPorts),
  row("local_address", "localAddress", readHost),
  row("local_port", "localPort", readListenPort),
  row("password", "password", readText, { secret: true }),
  row("port_password", "portPassword", readPortPassword, {
    secret: true,
    ...OF_PROCESS,
  }),
  row("method", "method", readMethod),
  row("timeout", "timeout", readTimeout),
  row("mode", "mode", readWord("tcp_only", "tcp_and_udp", "udp_only")),
  row("fast_open", "fastOpen", readBoolean),
  row("workers", "workers", readInteger(1, 1024), OF_PROCESS),
  row("one_time_auth", "oneTimeAuth", readBoolean),
  row("forbidden_ip", "forbiddenIp", readNetworks),
  row("prefer_ipv6", "preferIpv6", readBoolean, {
    aliases: ["ipv6_first"],
    ...OF_PROCESS,
  }),
  row("dns_server", "dnsServer", readNameServers, {
    aliases: ["nameserver"],
    ...OF_PROCESS,
  }),
  row(
    "udp_max_associations",
    "udpMaxAssociations",
    readInteger(1, 1_000_000),
  ),
  row("manager_address", "managerAddress", readManagerAddress, OF_PROCESS),
  row("manager_port", "managerPort", readPort, OF_PROCESS),
  row(
    "manager_dialect",
    "managerDialect",
    readWord("python", "libev"),
    OF_PROCESS,
  ),
  row("user", "user", readName, OF_PROCESS),
  row("daemon", "daemon", readDaemon, OF_PROCESS),
  row("pid-file", "pidFile", readName, {
    aliases: ["pid_file"],
    ...OF_PROCESS,
  }),
  row("log-file", "logFile", readName, {
    aliases: ["log_file"],
    ...OF_PROCESS,
  }),
  row("verbose", "verbose", readVerbose, OF_PROCESS),
  row("tunnel_remote", "tunnelRemote", readHost, OF_PROCESS),
  row("tunnel_remote_port", "tunnelRemotePort", readPort, OF_PROCESS),
  row("tunnel_port", "tunnelPort", readListenPort, OF_PROCESS),
  {
    key: "tunnel_address",
    aliases: [],
    fields: ["tunnelRemote", "tunnelRemotePort"],
    secret: false,
    ofProcess: true,
    apply(settings, value, report): boolean {
      const target = readEndpoint(value, report);
      if (target === undefined) return false;
      settings.tunnelRemote = target.host;
      settings.tunnelRemotePort = target.port;
      return true;
    },
  },
  row("libopenssl", "libopenssl", readName, OF_PROCESS),
  row("libsodium", "libsodium", readName, OF_PROCESS),
  row("libmbedtls", "libmbedtls", readName, OF_PROCESS),
  row("event_loop", "eventLoop", readWord("epoll", "deno"), OF_PROCESS),
];

/** Keys of other shadowsocks programs that have a meaning, but not here. */
const UNSUPPORTED: ReadonlySet<string> = new Set([
  "no_delay",
  // shadowsocks-libev
  "acl",
  "auth",
  "dscp",
  "key",
  "local_ipv4_address",
  "local_ipv6_address",
  "mptcp",
  "mtu",
  "nofile",
  "plugin",
  "plugin_opts",
  "reuse_port",
  "tcp_incoming_rcvbuf",
  "tcp_incoming_sndbuf",
  "tcp_outgoing_rcvbuf",
  "tcp_outgoing_sndbuf",
  "tcp_tproxy",
  "use_syslog",
  "workdir",
  // shadowsocks-rust
  "balancer",
  "disabled",
  "dns",
  "dns_cache_size",
  "ipv6_only",
  "keep_alive",
  "locals",
  "log",
  "online_config",
  "outbound_bind_addr",
  "outbound_bind_interface",
  "outbound_fwmark",
  "outbound_proxy",
  "outbound_udp_allow_fragmentation",
  "outbound_user_cookie",
  "plugin_args",
  "plugin_mode",
  "protocol",
  "runtime",
  "security",
  "servers",
  "shadowsocks",
  "udp_mtu",
  "udp_timeout",
  "users",
  // ShadowsocksR
  "additional_ports",
  "obfs",
  "obfs_param",
  "protocol_param",
]);

/** Keys that describe a configuration and change nothing. */
const REMARKS: ReadonlySet<string> = new Set([
  "$schema",
  "_comment",
  "group",
  "id",
  "remarks",
  "version",
]);

const BY_NAME: ReadonlyMap<string, KeyRow> = new Map(
  KEYS.flatMap((key) =>
    [key.key, ...key.aliases].map((name) => [name, key] as const)
  ),
);

/** What a name in a configuration is. */
export type KeyKind = KeyRow | "unsupported" | "remark" | undefined;

/**
 * Looks a key up.
 *
 * @param name The name as written.
 * @returns Its row, another kind of known name, or undefined.
 */
export function findKey(name: string): KeyKind {
  const found = BY_NAME.get(name);
  if (found !== undefined) return found;
  if (UNSUPPORTED.has(name)) return "unsupported";
  return REMARKS.has(name) ? "remark" : undefined;
}

/**
 * The names of all keys that do something.
 *
 * @returns The names, aliases included.
 */
export function keyNames(): string[] {
  return [...BY_NAME.keys()];
}

function row<Field extends keyof Settings>(
  key: string,
  field: Field,
  ...[read, options = {}]: [
    read: Reader<NonNullable<Settings[Field]>>,
    options?: RowOptions,
  ]
): KeyRow {
  const { aliases = [], secret = false, ofProcess = false } = options;
  return {
    key,
    aliases,
    fields: [field],
    secret,
    ofProcess,
    apply(settings, value, report): boolean {
      const checked = read(value, report);
      if (checked === undefined) return false;
      settings[field] = checked;
      return true;
    },
  };
}
