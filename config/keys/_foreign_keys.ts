/**
 * Keys of other shadowsocks programs that mean something there and nothing
 * here: most have no effect, but some it would be unsafe to pass over.
 *
 * @module
 */

/** Whether a value asks for nothing. */
export type Harmless = (value: unknown) => boolean;

/** What a plugin needs; a link without a plugin often has it empty. */
const isEmpty: Harmless = (value) =>
  value === "" || value === false ||
  Array.isArray(value) && value.length === 0;

/** Values of ShadowsocksR that mean the protocol without its additions. */
const isPlain: Harmless = (value) =>
  value === "" || value === "plain" || value === "origin";

/** For a table without keys that have no effect. */
export const NONE_IGNORED: ReadonlySet<string> = new Set();

/** For a table without keys that are unsafe to pass over. */
export const NONE_UNSAFE: ReadonlyMap<string, Harmless> = new Map();

/**
 * Outermost and inside `[[servers]]`: what would go another way, or
 * unprotected, without the key.
 */
export const UNSAFE: ReadonlyMap<string, Harmless> = new Map([
  // Plain traffic where it was to be disguised.
  ["plugin", isEmpty],
  ["obfs", isPlain],
  // Everybody where only some were to be served.
  ["auth", isEmpty],
  // Another secret than the one meant.
  ["key", isEmpty],
  // Traffic that leaves by a way that was not meant, or comes back in a loop.
  ["outbound_bind_addr", isEmpty],
  ["outbound_bind_interface", isEmpty],
  ["outbound_fwmark", isEmpty],
  ["outbound_user_cookie", isEmpty],
]);

/**
 * What other programs, and people, call our keys; the names of
 * {@linkcode OF_NO_EFFECT} are not among them.
 */
export const SYNONYMS: ReadonlyMap<string, string> = new Map([
  ["address", "server"],
  ["cipher", "method"],
  ["encrypt_method", "method"],
  ["encryption", "method"],
  ["host", "server"],
  ["hostname", "server"],
  ["pass", "password"],
  ["passwd", "password"],
  ["port", "server_port"],
  ["pwd", "password"],
  ["remote_addr", "server"],
  ["remote_port", "server_port"],
  ["socks_port", "local_port"],
]);

/** Outermost: known, and without effect. */
export const OF_NO_EFFECT: ReadonlySet<string> = new Set([
  "no_delay",
  // shadowsocks-libev
  "dscp",
  "local_ipv4_address",
  "local_ipv6_address",
  "mptcp",
  "mtu",
  "nofile",
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
  "disabled",
  "dns",
  "dns_cache_size",
  "ipv6_only",
  "keep_alive",
  "launchd_tcp_socket_name",
  "launchd_udp_socket_name",
  "log",
  "online_config",
  "outbound_udp_allow_fragmentation",
  "plugin_args",
  "plugin_mode",
  "runtime",
  "security",
  "udp_mtu",
  // ShadowsocksR
  "additional_ports",
  "obfs_param",
  "protocol_param",
  // Written by tools, read by nobody: ssr-plus, SIP008
  "server_ipv6",
  "bytes_used",
  "bytes_remaining",
]);

/** Inside `[[servers]]`: known, and without effect. */
export const OF_NO_EFFECT_IN_SERVER: ReadonlySet<string> = new Set([
  "bytes_remaining",
  "bytes_used",
  "no_delay",
  "outbound_udp_allow_fragmentation",
  "plugin_args",
  "plugin_mode",
  "plugin_opts",
  // Rust's Helm chart: the port of the Kubernetes service
  "service_port",
]);

/** Inside `[[locals]]`: known, and without effect. */
export const OF_NO_EFFECT_IN_LOCAL: ReadonlySet<string> = new Set([
  "client_cache_size",
  "fake_dns_database_path",
  "fake_dns_ipv4_network",
  "fake_dns_ipv6_network",
  "fake_dns_record_expire_duration",
  "launchd_tcp_socket_name",
  "launchd_udp_socket_name",
  "local_dns_address",
  "local_dns_port",
  "local_udp_address",
  "local_udp_port",
  "remote_dns_address",
  "remote_dns_port",
  "tcp_redir",
  "tun_device_fd_from_path",
  "tun_interface_address",
  "tun_interface_destination",
  "tun_interface_name",
  "udp_redir",
]);
