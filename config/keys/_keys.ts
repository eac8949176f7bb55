/**
 * Every key of the outermost table: one row feeds the reader, the options of
 * the command line, the usage text, the documentation and the JSON Schema.
 *
 * @module
 */

import { LOCAL } from "./_local_keys.ts";
import { GROUP, SERVER } from "./_server_keys.ts";
import {
  NONE_IGNORED,
  NONE_UNSAFE,
  OF_NO_EFFECT,
  UNSAFE,
} from "./_foreign_keys.ts";
import type { Keys, TableSpec } from "./_shape.ts";
import { PASSWORD_FILE, SERVER_USER } from "./_user_keys.ts";
import { REPLAY_MODES } from "./_words.ts";
import {
  BOOLEAN,
  DAEMON,
  ENDPOINT,
  HOST,
  HOSTS,
  integer,
  LISTEN_PORT,
  MANAGER_ADDRESS,
  METHOD,
  MODE,
  NAME,
  NAME_SERVERS,
  NETWORKS,
  PORT,
  PORT_PASSWORD,
  PORTS,
  PROTOCOL,
  PROXIES,
  REJECTION,
  SECONDS,
  table,
  tables,
  TEXT,
  TIMEOUT,
  VERBOSITY,
  word,
} from "./_shapes.ts";
import type { Role } from "../types.ts";

/** The roles that have locals. */
export const CLIENTS: readonly Role[] = ["sslocal", "sstunnel"];
const LOCAL_ONLY: readonly Role[] = ["sslocal"];
const TUNNEL_ONLY: readonly Role[] = ["sstunnel"];
const SERVERS: readonly Role[] = ["ssserver", "ssmanager"];
const OF_PROCESS = { ofProcess: true } as const;
const GENERAL = { ofProcess: true, general: true } as const;

/** What an access log may be told. */
export const ACCESS_LOG = {
  name: "[access_log]",
  form: 'a table with "file" and "format"',
  keys: {
    file: {
      shape: NAME,
      meaning: "the file that gets a line when a session ends; `-`: the log",
      usual: "`-`",
    },
    format: {
      shape: word("text", "json"),
      meaning: "the form of a line: `text` or `json`",
      usual: "`text`",
    },
  },
  ignored: NONE_IGNORED,
  unsafe: NONE_UNSAFE,
} satisfies TableSpec<Keys>;

/** What rust's balancer may be told. */
export const BALANCER = {
  name: "[balancer]",
  form: 'a table with "check_interval"',
  keys: {
    check_interval: {
      shape: SECONDS,
      meaning: "`probe_interval` of the group of all servers",
      usual: "10",
    },
  },
  ignored: new Set(["max_server_rtt", "check_best_interval"]),
  unsafe: NONE_UNSAFE,
} satisfies TableSpec<Keys>;

/** The outermost table. */
export const TOP = {
  name: "",
  keys: {
    server: {
      shape: HOSTS,
      meaning: "the address of the server, where a server listens; a list: " +
        "each of them",
      usual: "`0.0.0.0`; clients need it",
      options: [
        {
          name: "s",
          argument: "SERVER_ADDR",
          roles: CLIENTS,
          help: "the address of the server",
        },
        {
          name: "s",
          argument: "SERVER_ADDR",
          roles: SERVERS,
          help: "the address to listen on; default: 0.0.0.0",
        },
      ],
    },
    server_port: {
      shape: PORTS,
      meaning: "the port of the server, or a list",
      usual: "8388",
      options: [{
        name: "p",
        argument: "SERVER_PORT",
        help: "the port of the server; default: 8388",
      }],
    },
    local_address: {
      shape: HOST,
      meaning: "the address to listen on",
      usual: "`127.0.0.1`",
      roles: CLIENTS,
      options: [{ name: "b", argument: "LOCAL_ADDR" }],
    },
    local_port: {
      shape: LISTEN_PORT,
      meaning: "the port to listen on",
      usual: "1080",
      roles: LOCAL_ONLY,
      options: [{ name: "l", argument: "LOCAL_PORT" }],
    },
    protocol: {
      shape: PROTOCOL,
      meaning: "what the local speaks: `mixed` (SOCKS and HTTP), `socks` " +
        "(the same), `http` or `tunnel`",
      usual: "`mixed`",
      roles: LOCAL_ONLY,
      ...OF_PROCESS,
    },
    tunnel_port: {
      shape: LISTEN_PORT,
      meaning: "the port that a tunnel listens on",
      usual: "53",
      roles: TUNNEL_ONLY,
      ...OF_PROCESS,
      options: [{ name: "l", argument: "LOCAL_PORT" }],
    },
    tunnel_address: {
      shape: ENDPOINT,
      meaning: "where a tunnel leads to, instead of `tunnel_remote` and its " +
        "port",
      usual: "`8.8.8.8:53`",
      roles: CLIENTS,
      ...OF_PROCESS,
      options: [{ name: "L", argument: "HOST:PORT", roles: TUNNEL_ONLY }],
    },
    tunnel_remote: {
      shape: HOST,
      meaning: "the host that a tunnel leads to",
      usual: "`8.8.8.8`",
      roles: TUNNEL_ONLY,
      ...OF_PROCESS,
    },
    tunnel_remote_port: {
      shape: PORT,
      meaning: "the port that a tunnel leads to",
      usual: "53",
      roles: TUNNEL_ONLY,
      ...OF_PROCESS,
    },
    password: {
      shape: TEXT,
      meaning: "the secret that both sides share; with a method of 2022 a " +
        "key, for a client `server:user` where the server has users; on the " +
        "command line others can see it",
      usual: "`SS_PASSWORD` of the environment",
      secret: true,
      options: [{
        name: "k",
        argument: "PASSWORD",
        help: "the password, or the key of a method of 2022; others can see " +
          'it here: "password_file", or "${NAME}" as a password, in a file, ' +
          "or SS_PASSWORD in the environment hides it",
      }],
    },
    password_file: PASSWORD_FILE,
    port_password: {
      shape: PORT_PASSWORD,
      meaning: "a table of ports and their passwords, instead of " +
        "`server_port` and `password`",
      roles: SERVERS,
      secret: true,
      ...OF_PROCESS,
    },
    method: {
      shape: METHOD,
      meaning: "the encryption method",
      usual: "`aes-256-gcm`",
      options: [{ name: "m", argument: "METHOD" }],
    },
    timeout: {
      shape: TIMEOUT,
      meaning: "idle seconds after which a connection ends",
      usual: "300",
      options: [{ name: "t", argument: "TIMEOUT" }],
    },
    udp_timeout: {
      shape: TIMEOUT,
      meaning: "idle seconds after which a UDP association ends",
      usual: "`timeout`",
    },
    one_time_auth: {
      shape: BOOLEAN,
      meaning: "authenticate each chunk of an old method (OTA); a server " +
        "then requires it",
      usual: "`false`",
      options: [{ name: "a" }],
    },
    fast_open: {
      shape: BOOLEAN,
      meaning: "send data with the first packet (TCP Fast Open)",
      usual: "`false`",
      options: [{ name: "fast-open" }],
    },
    mode: {
      shape: MODE,
      meaning: "`tcp_only`, `udp_only` or `tcp_and_udp`",
      usual: "`tcp_and_udp`",
      options: [
        { name: "mode", argument: "MODE" },
        { name: "u", sets: "tcp_and_udp", hidden: true },
        { name: "U", sets: "udp_only", hidden: true },
      ],
    },
    acl: {
      shape: NAME,
      meaning: "a file of rules that say what goes through the proxy, what " +
        "goes directly and what is blocked",
      ...OF_PROCESS,
      options: [{ name: "acl", argument: "FILE" }],
    },
    outbound_proxy: {
      shape: PROXIES,
      meaning: "`socks5://` or `http://` proxies on the way to servers, for " +
        "a server to targets; a list: one through the other",
      secret: true,
      ...OF_PROCESS,
    },
    workers: {
      shape: integer(1, 1024),
      meaning: "threads that share the ports",
      usual: "1",
      roles: ["sslocal", "ssserver", "ssmanager"],
      ...OF_PROCESS,
      options: [{ name: "workers", argument: "WORKERS" }],
    },
    forbidden_ip: {
      shape: NETWORKS,
      meaning: "networks that clients may not reach, a list or with commas; " +
        "words: `default`, `private`, `multicast`, `own`, `allow-multicast`, " +
        "`allow-own`",
      usual: "loopback, link-local, multicast and the machine's own",
      roles: SERVERS,
      options: [{ name: "forbidden-ip", argument: "IPLIST" }],
    },
    reject: {
      shape: REJECTION,
      meaning: "who does not authenticate to a server of 2022 has the " +
        "connection `reset`, or ended after a `drain`, or is left `silent`",
      usual: "`reset`",
      roles: SERVERS,
    },
    fallback: {
      shape: ENDPOINT,
      meaning: "`host:port` of a web server that gets whatever is not " +
        "shadowsocks",
      usual: "none",
      roles: SERVERS,
    },
    manager_address: {
      shape: MANAGER_ADDRESS,
      meaning: "`host:port`, or the path of a unix socket, to be managed at",
      roles: SERVERS,
      ...OF_PROCESS,
      options: [{ name: "manager-address", argument: "ADDR" }],
    },
    manager_port: {
      shape: PORT,
      meaning: "the port of a `manager_address` without one",
      roles: SERVERS,
      ...OF_PROCESS,
    },
    manager_dialect: {
      shape: word("python", "libev"),
      meaning: "how the manager answers: `python` or `libev`",
      usual: "`python`",
      roles: SERVERS,
      ...OF_PROCESS,
    },
    prefer_ipv6: {
      shape: BOOLEAN,
      meaning: "try the IPv6 addresses of a name first",
      usual: "`false`",
      aliases: ["ipv6_first"],
      ...OF_PROCESS,
      options: [{ name: "prefer-ipv6", roles: SERVERS }],
    },
    dns_server: {
      shape: NAME_SERVERS,
      meaning: "name servers, a list or with commas",
      usual: "those of the system",
      aliases: ["nameserver"],
      ...OF_PROCESS,
    },
    replay: {
      shape: word(...REPLAY_MODES),
      meaning: "where used salts are remembered, so that nobody is served " +
        "twice: `persist` (in `state_dir`, over restarts), `memory` or `off`",
      usual: "`persist` for servers, `memory` for clients",
      ...OF_PROCESS,
    },
    state_dir: {
      shape: NAME,
      meaning: "the folder for what outlives the process; it is made once " +
        "something needs it",
      usual: "`$STATE_DIRECTORY`, `$XDG_STATE_HOME/shadowsocks` or " +
        "`/var/lib/shadowsocks`",
      ...OF_PROCESS,
    },
    udp_max_associations: {
      shape: integer(1, 1_000_000),
      meaning: "most UDP associations at once",
      usual: "512",
    },
    libopenssl: {
      shape: NAME,
      meaning:
        "the file of OpenSSL's libcrypto to use; no other library then does " +
        "short messages",
      usual: "found by name",
      ...OF_PROCESS,
      options: [{ name: "libopenssl", argument: "PATH" }],
    },
    libmbedtls: {
      shape: NAME,
      meaning: "the file of Mbed TLS's libmbedcrypto to use",
      usual: "found by name",
      ...OF_PROCESS,
      options: [{ name: "libmbedtls", argument: "PATH" }],
    },
    libsodium: {
      shape: NAME,
      meaning: "the file of libsodium to use",
      usual: "found by name",
      ...OF_PROCESS,
      options: [{ name: "libsodium", argument: "PATH" }],
    },
    event_loop: {
      shape: word("epoll", "deno"),
      meaning: "how sockets are waited for: `epoll` or `deno`",
      usual: "the best one here",
      ...OF_PROCESS,
      options: [{ name: "event-loop", argument: "NAME" }],
    },
    daemon: {
      shape: DAEMON,
      meaning: "`start`, `stop` or `restart`: run in the background",
      ...GENERAL,
      options: [{ name: "d", argument: "start/stop/restart" }],
    },
    "pid-file": {
      shape: NAME,
      meaning: "where a daemon keeps its process id",
      usual: "`/var/run/shadowsocks.pid`",
      aliases: ["pid_file"],
      ...GENERAL,
      options: [{ name: "pid-file", argument: "PID_FILE" }],
    },
    "log-file": {
      shape: NAME,
      meaning: "where a daemon logs",
      usual: "`/var/log/shadowsocks.log`",
      aliases: ["log_file"],
      ...GENERAL,
      options: [{ name: "log-file", argument: "LOG_FILE" }],
    },
    user: {
      shape: NAME,
      meaning: "the user to become once the ports are open",
      ...GENERAL,
      options: [{ name: "user", argument: "USER" }],
    },
    verbose: {
      shape: VERBOSITY,
      meaning: "1, 2: log more; -1, -2: log less",
      usual: "0",
      ...OF_PROCESS,
    },
    locals: {
      shape: tables(LOCAL),
      meaning: "listeners of a client, each with the keys below",
      roles: CLIENTS,
      ...OF_PROCESS,
    },
    servers: {
      shape: tables(SERVER),
      meaning: "servers to reach; for a server, ports to listen on",
      aliases: ["shadowsocks"],
      ...OF_PROCESS,
    },
    users: {
      shape: tables(SERVER_USER, { keepsDisabled: true }),
      meaning: "who may use the servers of this file, each with a key",
      usual: "whoever has `password`",
      roles: SERVERS,
    },
    groups: {
      shape: tables(GROUP),
      meaning: "groups of servers, one of which is taken by a strategy",
      roles: CLIENTS,
      ...OF_PROCESS,
    },
    access_log: {
      shape: table(ACCESS_LOG),
      meaning: "a line for each session that ends",
      ...OF_PROCESS,
    },
    balancer: {
      shape: table(BALANCER),
      meaning: "shadowsocks-rust's way to say how often servers are probed",
      roles: CLIENTS,
      ...OF_PROCESS,
    },
  },
  ignored: OF_NO_EFFECT,
  unsafe: UNSAFE,
} satisfies TableSpec<Keys>;

/** The keys of the outermost table. */
export type TopKeys = typeof TOP.keys;
