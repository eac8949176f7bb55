/**
 * The keys of `[[servers]]` and `[[groups]]`.
 *
 * @module
 */

import {
  NONE_IGNORED,
  NONE_UNSAFE,
  OF_NO_EFFECT_IN_SERVER,
  UNSAFE,
} from "./_foreign_keys.ts";
import type { Keys, TableSpec } from "./_shape.ts";
import {
  BOOLEAN,
  ENDPOINT,
  HOST,
  LISTEN_PORT,
  METHOD,
  MODE,
  NAME,
  NAMES,
  PROBE_URL,
  PROXIES,
  REJECTION,
  SECONDS,
  STRATEGY,
  tables,
  TEXT,
  TIMEOUT,
  WEIGHT,
} from "./_shapes.ts";
import { PASSWORD_FILE, SERVER_USER } from "./_user_keys.ts";

/** One server to reach, or one port to listen on. */
export const SERVER = {
  name: "[[servers]]",
  form: 'a table with "server", "server_port" and "password"',
  keys: {
    server: {
      shape: HOST,
      meaning: "its address; for a server, where to listen",
      usual: "`0.0.0.0`; clients need it",
      aliases: ["address"],
    },
    server_port: {
      shape: LISTEN_PORT,
      meaning: "its port",
      usual: "8388",
      aliases: ["port"],
    },
    password: {
      shape: TEXT,
      meaning: "the secret that both sides share",
      usual: "the outer `password`",
      secret: true,
    },
    password_file: PASSWORD_FILE,
    method: {
      shape: METHOD,
      meaning: "the encryption method",
      usual: "the outer `method`",
    },
    name: {
      shape: NAME,
      meaning: "what groups and locals call it",
      usual: "`server:server_port`",
      aliases: ["remarks"],
    },
    tcp_weight: {
      shape: WEIGHT,
      meaning: "0 to 1: how much a group prefers it for TCP; 0: never",
      usual: "1",
    },
    udp_weight: {
      shape: WEIGHT,
      meaning: "the same for UDP",
      usual: "1",
    },
    mode: {
      shape: MODE,
      meaning: "`tcp_only`, `udp_only` or `tcp_and_udp`",
      usual: "the outer `mode`",
    },
    timeout: {
      shape: TIMEOUT,
      meaning: "idle seconds after which a connection ends",
      usual: "the outer `timeout`",
    },
    fast_open: {
      shape: BOOLEAN,
      meaning: "TCP Fast Open",
      usual: "the outer `fast_open`",
    },
    one_time_auth: {
      shape: BOOLEAN,
      meaning: "authenticate each chunk of an old method (OTA)",
      usual: "the outer `one_time_auth`",
    },
    outbound_proxy: {
      shape: PROXIES,
      meaning: "proxies on the way to it; for a server, to targets; `[]`: none",
      usual: "the outer `outbound_proxy`",
      secret: true,
    },
    acl: {
      shape: NAME,
      meaning: "a file of rules for this port alone; for servers only",
      usual: "the outer `acl`",
    },
    reject: {
      shape: REJECTION,
      meaning: "what becomes of who does not authenticate to a server of 2022",
      usual: "the outer `reject`",
    },
    fallback: {
      shape: ENDPOINT,
      meaning: "`host:port` that gets whatever is not shadowsocks",
      usual: "the outer `fallback`",
    },
    users: {
      shape: tables(SERVER_USER, { keepsDisabled: true }),
      meaning: "who may use this port, beside the outer `users`",
      usual: "the outer `users`",
    },
    disabled: {
      shape: BOOLEAN,
      meaning: "pass over this table",
      usual: "`false`",
    },
  },
  ignored: OF_NO_EFFECT_IN_SERVER,
  unsafe: UNSAFE,
} satisfies TableSpec<Keys>;

/** An outbound that picks one of several. */
export const GROUP = {
  name: "[[groups]]",
  form: 'a table with "name" and "members"',
  keys: {
    name: {
      shape: NAME,
      meaning: "what locals and other groups call it; `default` is where " +
        "everything goes that nothing sends elsewhere",
      usual: "needed",
    },
    strategy: {
      shape: STRATEGY,
      meaning: "how a member is picked: `latency` (the fastest), `failover` " +
        "(the first that works), `round-robin`, `random`, `sticky` (one for " +
        "each site) or `select` (by hand)",
      usual: "`latency`",
    },
    members: {
      shape: NAMES,
      meaning: "names of servers and groups, `direct`, `block`",
      usual: "needed",
    },
    probe_url: {
      shape: PROBE_URL,
      meaning: 'the `http://` page that members are probed with; `""`: no ' +
        "probes",
      usual: "`http://clients3.google.com/generate_204` for `latency` and " +
        "`failover`",
    },
    probe_interval: {
      shape: SECONDS,
      meaning: "seconds between probes",
      usual: "10",
    },
    selected: {
      shape: NAME,
      meaning: "the member that `select` begins with",
      usual: "the first",
    },
  },
  ignored: NONE_IGNORED,
  unsafe: NONE_UNSAFE,
} satisfies TableSpec<Keys>;

/** The keys of `[[servers]]`. */
export type ServerKeys = typeof SERVER.keys;

/** The keys of `[[groups]]`. */
export type GroupKeys = typeof GROUP.keys;
