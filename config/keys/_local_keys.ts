/**
 * The keys of `[[locals]]`, and of the users in it.
 *
 * @module
 */

import {
  NONE_IGNORED,
  NONE_UNSAFE,
  OF_NO_EFFECT_IN_LOCAL,
} from "./_foreign_keys.ts";
import type { Keys, TableSpec } from "./_shape.ts";
import {
  BOOLEAN,
  HOST,
  LISTEN_PORT,
  MODE,
  NAME,
  PORT,
  PROTOCOL,
  tables,
  TEXT,
} from "./_shapes.ts";
import { NAME_AND_PASSWORD, PASSWORD_FILE } from "./_user_keys.ts";

/** One user of a local. */
export const USER = {
  name: "[[locals.users]]",
  form: 'a table with "name" and "password"',
  needs: NAME_AND_PASSWORD,
  keys: {
    name: { shape: NAME, meaning: "what the user gives as name" },
    password: {
      shape: TEXT,
      meaning: "what the user gives as password",
      secret: true,
    },
    password_file: PASSWORD_FILE,
  },
  ignored: NONE_IGNORED,
  unsafe: NONE_UNSAFE,
} satisfies TableSpec<Keys>;

/** One listener of a client. */
export const LOCAL = {
  name: "[[locals]]",
  form: 'a table with keys such as "local_port"',
  needs: {
    if: {
      required: ["protocol"],
      properties: { protocol: { const: "tunnel" } },
    },
    then: { required: ["forward_address", "forward_port"] },
  },
  keys: {
    protocol: {
      shape: PROTOCOL,
      meaning: "what it speaks: `mixed` (SOCKS 4, 4a, 5 and HTTP), `socks` " +
        "(the same), `http` or `tunnel`",
      usual: "`mixed`",
    },
    local_address: {
      shape: HOST,
      meaning: "the address to listen on",
      usual: "`127.0.0.1`",
    },
    local_port: {
      shape: LISTEN_PORT,
      meaning: "the port to listen on",
      usual: "1080",
    },
    mode: {
      shape: MODE,
      meaning: "`tcp_only`, `udp_only` or `tcp_and_udp`",
      usual: "the outer `mode`",
    },
    forward_address: {
      shape: HOST,
      meaning: "the host that a tunnel leads to",
      usual: "a tunnel needs it",
    },
    forward_port: {
      shape: PORT,
      meaning: "its port",
      usual: "a tunnel needs it",
    },
    users: {
      shape: tables(USER),
      meaning: "who may use it",
      usual: "everybody",
    },
    socks5_auth_config_path: {
      shape: NAME,
      meaning: "more users, in shadowsocks-rust's file for SOCKS",
    },
    http_auth_config_path: {
      shape: NAME,
      meaning: "more users, in shadowsocks-rust's file for HTTP",
    },
    acl: {
      shape: NAME,
      meaning: "a file of rules for this local alone",
      usual: "the outer `acl`",
    },
    outbound: {
      shape: NAME,
      meaning: "the server or group that it goes out by, or `direct`",
      usual: "a group of all servers",
    },
    disabled: {
      shape: BOOLEAN,
      meaning: "pass over this table",
      usual: "`false`",
    },
  },
  ignored: OF_NO_EFFECT_IN_LOCAL,
  unsafe: NONE_UNSAFE,
} satisfies TableSpec<Keys>;

/** The keys of `[[locals]]`. */
export type LocalKeys = typeof LOCAL.keys;
