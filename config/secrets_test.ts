/**
 * Secrets in the wrong place are not repeated, and passwords that stand in the
 * environment are taken from there or not at all.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { readGood, readIssues, readWarnings } from "./_test_fixture.ts";
import type { Role } from "./types.ts";

const HEAD = 'password = "hunter2-hunter2"\nmethod = "aes-256-gcm"\n';
const SERVER = '[[servers]]\nserver = "h"\n';

const MISPLACED: readonly (readonly [text: string, issue: string, Role?])[] = [
  [
    `${SERVER}[[locals]]\nusers = ["alice:hunter2"]\n`,
    '6:10: "users"[0] is a text of 13 characters: expected a table with ' +
    '"name" and "password"',
  ],
  [
    `${SERVER}[[locals]]\nusers = "alice:hunter2"\n`,
    '6:9: "users" is a text of 13 characters: expected a list of tables, ' +
    "[[locals.users]]",
  ],
  [
    'servers = ["ss://hunter2"]\n',
    '3:12: "servers"[0] is a text of 12 characters: expected a table with ' +
    '"server", "server_port" and "password"',
  ],
  [
    'server = "ss://hunter2"\n',
    '3:10: "server" is a text of 12 characters: expected an IP address or a ' +
    "host name, or a list of such hosts; a link goes to --server-url",
  ],
  [
    'access_log = "hunter2"\n',
    '3:14: "access_log" is a text of 7 characters: expected a table with ' +
    '"file" and "format"',
    "ssserver",
  ],
  [
    `${SERVER}[[locals]]\noutbound = "socks5://u:hunter2@h:1"\n`,
    "6:12: locals[0] goes out by a text of 22 characters, but no server or " +
    "group is called that",
  ],
  [
    `${SERVER}[[groups]]\nname = "g"\nmembers = ["u:hunter2@h"]\n`,
    "7:12: groups[0] has the member a text of 11 characters, but no server " +
    "or group is called that",
  ],
  [
    `${SERVER}[[locals]]\nsocks5_auth_config_path = '{"a": "hunter2"}'\n`,
    "6:27: Cannot read users a text of 16 characters: no such file",
  ],
  [
    'method = "aes-256-gcm:hunter2@h"\nserver = "h"\n',
    "2:10: method a text of 21 characters not supported; " +
    '"--help" lists the methods',
  ],
  [
    'outbound_proxy = "socks5://u:hunter2:h:1"\nserver = "h"\n',
    '3:1: "outbound_proxy" is a text of 22 characters: expected ' +
    "socks5://host:port or http://host:port, with user:password@ before the " +
    "host or without",
  ],
  [
    'outbound_proxy = "socks5://u:hunter2@x@h:1"\nserver = "h"\n',
    '3:1: "outbound_proxy" is a text of 24 characters: expected ' +
    "socks5://host:port or http://host:port, with user:password@ before the " +
    "host or without; an @ in user or password is %40",
  ],
  [
    'outbound_proxy = "192.0.2.1:1080"\nserver = "h"\n',
    '3:1: "outbound_proxy" is "192.0.2.1:1080": expected ' +
    "socks5://host:port or http://host:port, with user:password@ before the " +
    "host or without",
  ],
  [
    'outbound_proxy = "socks5h://p.example:1"\nserver = "h"\n',
    '3:1: "outbound_proxy" is "socks5h://p.example:1": expected socks5:// in ' +
    "place of socks5h://: it resolves names there too",
  ],
  [
    'server = "192.0.2.1:8388"\n',
    '3:10: "server" is "192.0.2.1:8388": expected an IP address or a host ' +
    "name, or a list of such hosts; the port has a key of its own",
  ],
  [
    'server = "https://h/"\n',
    '3:10: "server" is a text of 10 characters: expected an IP address or a ' +
    "host name, or a list of such hosts, without scheme and path",
  ],
  [
    'dns_server = "tls://hunter2"\nserver = "h"\n',
    '3:14: "dns_server" is a text of 13 characters: expected an IP address, ' +
    "with or without a port, or a list of such addresses",
  ],
  [
    `${SERVER}[[locals]]\nusers = [{name = "a:hunter2", password = "b"}]\n`,
    '6:18: a user of locals[0] has a ":" in its name, which HTTP cannot carry',
  ],
];

for (const [text, issue, role = "sslocal"] of MISPLACED) {
  Deno.test(`readConfig() keeps the secret of ${JSON.stringify(text)}`, async () => {
    const head = text.startsWith("method")
      ? HEAD.replace(/method.*\n/, "")
      : HEAD;
    const found = await readIssues("-c f.toml", {
      role,
      files: { "f.toml": head + text },
    });
    assertEquals(found, [`f.toml:${issue}`]);
  });
}

const UNSET: readonly (readonly [
  name: string,
  text: string,
  issues: readonly string[],
  role?: Role,
])[] = [
  ["a password", 'password = "${NONE}"\n', ["1:12: ${NONE} is not set"]],
  ["an empty variable", 'password = "${VOID}"\n', ["1:12: ${VOID} is empty"]],
  [
    "the password of a port",
    '[port_password]\n1 = "${NONE}"\n',
    ["2:5: ${NONE} is not set"],
  ],
  [
    "the password of a server",
    '[[servers]]\nserver = "h"\npassword = "${NONE}"\n',
    ["3:12: ${NONE} is not set"],
    "sslocal",
  ],
  [
    "the password of a user",
    '[[locals]]\noutbound = "direct"\nusers = [{name = "a", ' +
    'password = "${NONE}"}]\n',
    ["3:34: ${NONE} is not set"],
    "sslocal",
  ],
];

for (const [name, text, issues, role = "ssserver"] of UNSET) {
  Deno.test(`readConfig() refuses a variable that is missing: ${name}`, async () => {
    const files = { "f.toml": text };
    assertEquals(
      await readIssues("-c f.toml", { role, files, env: { VOID: "" } }),
      issues.map((each) => `f.toml:${each} in the environment`),
    );
  });
}

Deno.test("readConfig() needs no environment to stop a daemon", async () => {
  const files = { "f.toml": 'password = "${NONE}"\n' };
  const config = await readGood("-c f.toml -d stop", { files });
  assertEquals(config.daemon, "stop");
});

Deno.test("readConfig() lets everybody read a file that has only names of variables", async () => {
  const env = { MYPW: "hunter2-hunter2" };
  const text = 'method = "aes-256-gcm"\npassword = "${MYPW}"\n';
  const warnings = (extra: string): Promise<string[]> =>
    readWarnings("-c f.toml", {
      files: { "f.toml": text + extra },
      env,
      mode: 0o644,
    });
  assertEquals(await warnings(""), []);
  assertEquals(await warnings('[[servers]]\npassword = "hunter2-hunter2"\n'), [
    "f.toml holds a password and everybody on this machine can read " +
    "it; use: chmod 600 f.toml",
  ]);
});

Deno.test("readConfig() says one thing about a misspelt key that is needed", async () => {
  const issuesOf = (text: string, role: Role): Promise<string[]> =>
    readIssues("-c f.toml", { role, files: { "f.toml": text } });
  assertEquals(
    await issuesOf('pasword = "hunter2"\nserver = "h"\n', "sslocal"),
    ['f.toml:1:1: Unknown key "pasword": did you mean "password"?'],
  );
  assertEquals(
    await issuesOf('pasword = "hunter2"\n', "ssserver"),
    ['f.toml:1:1: Unknown key "pasword": did you mean "password"?'],
  );
  assertEquals(
    await issuesOf('server = "h"\n[port_password]\nx = "hunter2"\n', "sslocal"),
    [
      'f.toml:3:1: "port_password" is a text of 1 characters: expected a ' +
      "port from 1 to 65535 as its key",
    ],
  );
});
