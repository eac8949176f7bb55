/**
 * Tests of the configuration of a port that a manager adds.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { readGood, serverOf } from "./_test_fixture.ts";
import { configForPort } from "./port_config.ts";
import type { Config } from "./types.ts";

const BASE = await readGood(
  "--manager-address 127.0.0.1:6001 -m aes-128-gcm -t 200 --user nobody",
);

function good(
  entries: Parameters<typeof configForPort>[1],
  base: Config = BASE,
): Config {
  const result = configForPort(base, entries);
  if (result.kind === "config") return result.config;
  throw new TypeError(JSON.stringify(result.messages));
}

Deno.test("configForPort() lays a command over the start configuration", () => {
  const json = '{"server_port":8001,"password":"hunter2-hunter2"}';
  for (const entries of [json, JSON.parse(json)]) {
    assertEquals(good(entries), {
      ...BASE,
      role: "ssserver",
      servers: [serverOf({
        port: 8001,
        password: "hunter2-hunter2",
        method: "aes-128-gcm",
        timeout: 200,
      })],
      password: "hunter2-hunter2",
      managerAddress: undefined,
    });
  }
});

Deno.test("configForPort() takes a port in quotes, method, time-out, mode", () => {
  const config = good({
    server_port: "8002",
    password: "x",
    method: "AES-256-GCM",
    timeout: 60,
    mode: "tcp_only",
    server: "::1",
  });
  assertEquals(config.servers, [
    serverOf({
      host: "::1",
      port: 8002,
      password: "x",
      timeout: 60,
      mode: "tcp_only",
    }),
  ]);
});

Deno.test("configForPort() takes the password of the process when it has one", async () => {
  const base = await readGood("-k hunter2-hunter2 --manager-address h:1");
  assertEquals(good('{"server_port":1}', base).password, "hunter2-hunter2");
});

Deno.test("configForPort() drops what is not of one port, with a warning", () => {
  const result = configForPort(BASE, {
    server_port: 1,
    password: "a-long-password",
    user: "root",
    pid_file: "/x",
    port_password: { 2: "y" },
    manager_address: "0.0.0.0:1",
    no_delay: true,
    sever: 1,
    uid: 7,
  });
  if (result.kind !== "config") throw new TypeError(result.kind);
  assertEquals(result.config.user, "nobody");
  assertEquals(result.config.pidFile, BASE.pidFile);
  assertEquals(result.config.servers.map(({ port }) => port), [1]);
  assertEquals(result.config.managerAddress, undefined);
  assertEquals(result.warnings.map(({ text }) => text), [
    '"user" cannot be set for one port, ignored',
    '"pid_file" cannot be set for one port, ignored',
    '"port_password" cannot be set for one port, ignored',
    '"manager_address" cannot be set for one port, ignored',
    'key "no_delay" is not supported, ignored',
    'Unknown key "sever": did you mean "server"?; ignored',
    'Unknown key "uid"; ignored',
  ]);
});

Deno.test("configForPort() keeps its warnings when an error follows", () => {
  const result = configForPort(BASE, { server_port: 1, pasword: "hunter2" });
  assertEquals(
    result.kind === "error" && result.messages.map(({ text }) => text),
    [
      'Unknown key "pasword": did you mean "password"?; ignored',
      "Cannot add port: password not specified",
    ],
  );
});

const K16 = "AAECAwQFBgcICQoLDA0ODw==";
const U16 = "EBESExQVFhcYGRobHB0eHw==";
const A128 = "2022-blake3-aes-128-gcm";
const ALICE = {
  name: "alice",
  password: "hunter2-of-alice",
  method: undefined,
  port: undefined,
  disabled: false,
};

Deno.test("configForPort() takes users, and needs no password with them", () => {
  const [server] = good({
    server_port: 1,
    users: [{ name: "alice", password: "hunter2-of-alice" }],
    fallback: "192.0.2.1:80",
  }).servers;
  assertEquals([server?.password, server?.users], ["", [ALICE]]);
  assertEquals(server?.fallback, { host: "192.0.2.1", port: 80 });
  const [other] = good({
    server_port: 1,
    method: A128,
    password: K16,
    reject: "drain",
    users: [{ name: "alice", password: U16 }],
  }).servers;
  assertEquals([other?.password, other?.reject], [K16, "drain"]);
  assertEquals(other?.users, [{ ...ALICE, password: U16 }]);
});

Deno.test("configForPort() takes the users of the process when it has some", async () => {
  const files = {
    "m.toml": 'method = "aes-256-gcm"\nmanager_address = "h:1"\n' +
      'reject = "silent"\n[[users]]\nname = "alice"\n' +
      'password = "hunter2-of-alice"\n',
  };
  const base = await readGood("-c m.toml", { role: "ssmanager", files });
  assertEquals(base.servers, []);
  assertEquals(good({ server_port: 1 }, base).servers[0]?.users, [ALICE]);
  const own = { server_port: 1, method: A128, password: K16, users: [] };
  assertEquals(good(own, base).servers[0]?.users, []);
  assertEquals(good(own, base).servers[0]?.reject, "silent");
});

const BAD_KEYS: readonly (readonly [
  entries: Readonly<Record<string, unknown>>,
  words: string,
])[] = [
  [{ method: A128, password: "hunter2-hunter2" }, "it has 11 bytes; "],
  [{ method: A128, password: `${K16}:${U16}` }, "several keys"],
  [{ method: A128, users: [{ name: "a", password: U16 }] }, "not specified"],
  [
    { method: A128, password: K16, users: [{ name: "a", password: K16 }] },
    'user "a" has the password of the server itself',
  ],
  [{ users: [{ name: "a", password: "hunter2", quota: 1 }] }, 'key "quota"'],
  [
    { users: [{ name: "a", password: "hunter2", port: 2 }] },
    'user "a" is for port 2, and stands with the command',
  ],
  [
    { users: [{ name: "a", password: "hunter2", disabled: true }] },
    "port 1 has no user that is not disabled",
  ],
  [
    { method: "rc4-md5", users: [{ name: "a", password: "hunter2" }] },
    "method rc4-md5 cannot tell users apart",
  ],
];

for (const [entries, words] of BAD_KEYS) {
  Deno.test(`configForPort() refuses ${JSON.stringify(entries)}`, () => {
    const result = configForPort(BASE, { server_port: 1, ...entries });
    if (result.kind !== "error") throw new TypeError(result.kind);
    assertStringIncludes(result.messages[0]!.text, words);
    const said = JSON.stringify(result);
    assert(!/hunter2|AAEC|EBES/.test(said), said);
  });
}

const BAD: readonly (readonly [string, string])[] = [
  ["", "Cannot add port: expected keys in { }"],
  ["[]", "Cannot add port: expected keys in { }"],
  ["{}", "Cannot add port: expected one server_port"],
  ['{"server_port":0,"password":"hunter2"}', "expected one server_port"],
  ['{"server_port":[1,2],"password":"hunter2"}', "expected one server_port"],
  ['{"server_port":"x","password":"hunter2"}', '"server_port" is "x"'],
  ['{"server_port":1}', "Cannot add port: password not specified"],
  ['{"server_port":1,"password":5}', '"password" is a number: expected a text'],
  ['{"server_port":1,"password":"hunter2","method":"x"}', "method x not"],
  ['{"server_port":1,"password":"hunter2"', "expected keys in { }"],
  ['{"server_port":1,"server_port":2}', "each once"],
  ['{"server_port":1,"password":"hunter2","plugin":"x"}', "not be safe"],
  ['{"server_port":1,"password":"hunter2","users":[{}]}', "a user needs"],
];

for (const [text, words] of BAD) {
  Deno.test(`configForPort() refuses ${text || "nothing"}`, () => {
    const result = configForPort(BASE, text);
    if (result.kind !== "error") throw new TypeError(result.kind);
    assertStringIncludes(result.messages[0]!.text, words);
    assert(!JSON.stringify(result).includes("hunter2"));
  });
}
