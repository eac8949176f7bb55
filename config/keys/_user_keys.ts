/**
 * The keys of the users of a server.
 *
 * @module
 */

import { NONE_IGNORED, NONE_UNSAFE } from "./_foreign_keys.ts";
import type { Keys, TableSpec } from "./_shape.ts";
import { BOOLEAN, HOST, METHOD, NAME, PORT, TEXT } from "./_shapes.ts";

/** A table with a name, and a password or the file of one. */
export const NAME_AND_PASSWORD = {
  required: ["name"],
  anyOf: [{ required: ["password"] }, { required: ["password_file"] }],
};

/** What `password_file` is, wherever a password may stand. */
export const PASSWORD_FILE = {
  shape: NAME,
  meaning: "a file whose first line is the password, in place of `password`",
  fileOf: "password",
  // It may be the password itself by mistake.
  secret: true,
  ofProcess: true,
} as const;

/** One user of a server, of the whole file or of one of `[[servers]]`. */
export const SERVER_USER = {
  name: "[[users]]",
  form: 'a table with "name" and "password"',
  needs: NAME_AND_PASSWORD,
  keys: {
    name: {
      shape: NAME,
      meaning: "what logs and the access log call the user",
      usual: "needed",
    },
    password: {
      shape: TEXT,
      meaning: "the user's own secret; with a method of 2022 a key, as " +
        "`shadowsocks genkey METHOD` makes it",
      usual: "needed",
      secret: true,
    },
    password_file: PASSWORD_FILE,
    method: {
      shape: METHOD,
      meaning: "the user's own method; with those of 2022 that of the server",
      usual: "that of the server",
    },
    port: {
      shape: PORT,
      meaning: "the only port that the user may use",
      usual: "every port",
    },
    server: {
      shape: HOST,
      meaning: "a server of 2022 behind this one, which has the key: what " +
        "names it is passed on to it (SIP023)",
      usual: "none: the user is served here",
    },
    server_port: {
      shape: PORT,
      meaning: "the port of that server",
      usual: "needed with `server`",
    },
    disabled: {
      shape: BOOLEAN,
      meaning: "refuse the user, as somebody with a wrong password",
      usual: "`false`",
    },
  },
  ignored: NONE_IGNORED,
  unsafe: NONE_UNSAFE,
  later: new Set([
    "rate_up",
    "rate_down",
    "quota",
    "quota_period",
    "expires",
    "max_devices",
    "max_connections",
  ]),
} satisfies TableSpec<Keys>;

/** The keys of a user of a server. */
export type ServerUserKeys = typeof SERVER_USER.keys;
