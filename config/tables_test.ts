/**
 * Tests of good files: what the tables and the flat keys become, and that what
 * is written of them is read back.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { GOOD_FILES, type GoodFile } from "./_good_files_fixture.ts";
import {
  localOf,
  readGood,
  readWarnings,
  serverOf,
  type Start,
} from "./_test_fixture.ts";
import { formatToml } from "./format.ts";
import type { Config } from "./types.ts";

const KEY = "correct horse battery";

function startOf({ path, role, text, files = {} }: GoodFile): Start {
  const env = { SS_TEST_PASSWORD: `${KEY} of the environment` };
  return { role, files: { ...files, [path]: text }, env };
}

const BYPASS = {
  path: "/etc/bypass.acl",
  text: "[bypass_list]\n192.168.0.0/16\n",
};

const ONE = serverOf({
  name: "one",
  host: "192.0.2.1",
  port: 8384,
  password: `${KEY} of the environment`,
  method: "chacha20-ietf-poly1305",
  tcpWeight: 0.5,
  udpWeight: 0,
  timeout: 400,
});

const USERS = [
  {
    name: "alice",
    password: "AQEBAQEBAQEBAQEBAQEBAQ==",
    method: undefined,
    port: undefined,
    disabled: false,
  },
  {
    name: "bob",
    password: "AgICAgICAgICAgICAgICAg==",
    method: undefined,
    port: undefined,
    disabled: true,
  },
];

/** What the files become. */
const BECOMES: Readonly<Record<string, Partial<Config>>> = {
  "the original's file for a client": {
    locals: [localOf({ port: 1081 })],
    servers: ["a.example", "b.example"].flatMap((host) =>
      [8381, 8382].map((port) =>
        serverOf({ host, port, password: KEY, method: "aes-256-cfb" })
      )
    ),
    groups: [{
      name: "default",
      strategy: "random",
      members: [
        "a.example:8381",
        "a.example:8382",
        "b.example:8381",
        "b.example:8382",
      ],
      probeUrl: undefined,
      probeInterval: 10,
      selected: undefined,
    }],
    defaultOutbound: "default",
    forbiddenIp: [],
    listenAddresses: [],
    password: "",
  },
  "the original's file for many ports": {
    locals: [],
    servers: [
      serverOf({ host: "::", port: 8381, password: `${KEY} 1` }),
      serverOf({ host: "::", port: 8382, password: `${KEY} 2` }),
    ],
    defaultOutbound: "direct",
    forbiddenIp: ["127.0.0.0/8"],
    listenAddresses: ["::"],
    password: "",
  },
  "libev's file for a tunnel": {
    locals: [localOf({
      protocol: "tunnel",
      address: "0.0.0.0",
      port: 1090,
      forward: { host: "8.8.4.4", port: 53 },
    })],
    servers: [serverOf({
      host: "192.0.2.1",
      password: KEY,
      method: "chacha20-ietf-poly1305",
      timeout: 120,
    })],
    groups: [],
    defaultOutbound: "192.0.2.1:8388",
  },
  "libev's file for a server": {
    servers: ["::0", "0.0.0.0"].map((host) =>
      serverOf({
        host,
        password: KEY,
        method: "chacha20-ietf-poly1305",
        fastOpen: true,
      })
    ),
    preferIpv6: true,
  },
  "rust's file for a client": {
    locals: [
      localOf({ protocol: "socks", address: "::1", port: 1082 }),
      localOf(),
      localOf({
        protocol: "http",
        port: 3128,
        users: [{ name: "alice", password: KEY }],
      }),
      localOf({
        protocol: "tunnel",
        port: 5353,
        mode: "udp_only",
        forward: { host: "8.8.8.8", port: 53 },
      }),
    ],
    servers: [
      ONE,
      serverOf({
        name: "one #2",
        host: "2001:db8::1",
        port: 8385,
        password: KEY,
        method: "aes-128-gcm",
      }),
    ],
    groups: [{
      name: "default",
      strategy: "latency",
      members: ["one", "one #2"],
      probeUrl: "http://clients3.google.com/generate_204",
      probeInterval: 20,
      selected: undefined,
    }],
    defaultOutbound: "default",
    acl: BYPASS,
    udpTimeout: 120,
  },
  "rust's file for a server": {
    locals: [],
    servers: [
      serverOf({
        host: "::",
        password: KEY,
        mode: "tcp_only",
        acl: {
          path: "/etc/server.acl",
          text: "[outbound_block_list]\n10.0.0.0/8\n",
        },
        proxy: [{
          protocol: "socks5",
          host: "2001:db8::1",
          port: 1080,
          user: undefined,
          password: undefined,
        }],
      }),
      serverOf({
        port: 8389,
        password: `${KEY} 2`,
        method: "chacha20-ietf-poly1305",
        proxy: [{
          protocol: "socks5",
          host: "192.0.2.1",
          port: 1080,
          user: undefined,
          password: undefined,
        }, {
          protocol: "http",
          host: "h",
          port: 80,
          user: "a",
          password: "b@",
        }],
      }),
    ],
  },
  "a file with every table": {
    locals: [
      localOf({
        users: [{ name: "alice", password: "secret of alice" }],
        acl: { path: "alice.acl", text: "[proxy_all]\n" },
      }),
      localOf({ port: 1081, outbound: "turns" }),
      localOf({ port: 1081, address: "::1", outbound: "direct" }),
    ],
    servers: [
      serverOf({ name: "far", host: "far.example", password: KEY }),
      serverOf({
        name: "near",
        host: "near.example",
        port: 443,
        password: KEY,
      }),
    ],
    groups: [
      {
        name: "fast",
        strategy: "latency",
        members: ["near", "far"],
        probeUrl: "http://clients3.google.com/generate_204",
        probeInterval: 10,
        selected: undefined,
      },
      {
        name: "default",
        strategy: "select",
        members: ["fast", "far", "direct"],
        probeUrl: undefined,
        probeInterval: 10,
        selected: "far",
      },
      {
        name: "turns",
        strategy: "round-robin",
        members: ["near", "far"],
        probeUrl: "http://probe.example/",
        probeInterval: 60,
        selected: undefined,
      },
    ],
    defaultOutbound: "default",
    accessLog: { file: "/var/log/access.log", format: "json" },
  },
  "a file of a server with users": {
    servers: [
      serverOf({
        method: "2022-blake3-aes-128-gcm",
        password: "AAECAwQFBgcICQoLDA0ODw==",
        users: USERS,
        reject: "drain",
        fallback: { host: "192.0.2.1", port: 80 },
      }),
      serverOf({
        port: 8389,
        password: KEY,
        users: USERS,
        fallback: { host: "192.0.2.1", port: 80 },
        acl: {
          path: "/etc/server.acl",
          text: "[outbound_block_list]\n10.0.0.0/8\n",
        },
      }),
    ],
    users: USERS,
    reject: "drain",
    fallback: { host: "192.0.2.1", port: 80 },
  },
  "a file without servers": {
    locals: [localOf({ outbound: "direct" })],
    servers: [],
    groups: [],
    defaultOutbound: "direct",
  },
};

for (const file of GOOD_FILES) {
  Deno.test(`readConfig() takes ${file.name}`, async () => {
    const config = await readGood(`-c ${file.path}`, startOf(file));
    const expected = BECOMES[file.name]!;
    assertEquals(
      Object.fromEntries(
        Object.keys(expected).map((key) => [key, config[key as keyof Config]]),
      ),
      { ...expected },
    );
  });

  Deno.test(`formatToml() writes what is read back of ${file.name}`, async () => {
    const start = startOf(file);
    const config = await readGood(`-c ${file.path}`, start);
    const files = { ...start.files, "again.toml": formatToml(config) };
    assertEquals(await readGood("-c again.toml", { ...start, files }), config);
  });

  Deno.test(`readConfig() makes plain data of ${file.name}`, async () => {
    const config = await readGood(`-c ${file.path}`, startOf(file));
    assertEquals(structuredClone(config), config);
  });
}

/** What the log says of them. */
const SAYS: Readonly<Record<string, readonly string[]>> = {
  "libev's file for a tunnel": [
    'tunnel.json:11:2: key "use_syslog" is not supported, ignored',
    'tunnel.json:12:2: key "reuse_port" is not supported, ignored',
    'tunnel.json:13:2: key "no_delay" is not supported, ignored',
    "warning: local set to listen on 0.0.0.0, it's not safe: " +
    '"users" in [[locals]] lets only some in',
  ],
  "rust's file for a client": [
    'local.json:34:41: key "max_server_rtt" in [balancer] is not supported, ' +
    "ignored",
    'local.json:38:5: key "no_delay" is not supported, ignored',
    'local.json:39:5: key "keep_alive" is not supported, ignored',
  ],
  "a file with every table": [],
};

for (const [name, expected] of Object.entries(SAYS)) {
  Deno.test(`readConfig() says once what has no effect in ${name}`, async () => {
    const file = GOOD_FILES.find((each) => each.name === name)!;
    assertEquals(
      await readWarnings(`-c ${file.path}`, startOf(file)),
      [...expected],
    );
  });
}

Deno.test("readConfig() says once what many tables have", async () => {
  const text = [1, 2, 3].map((port) =>
    `[[servers]]\nserver = "h"\nport = ${port}\nno_delay = true\n`
  ).join("");
  const files = {
    "a.toml": `method = "aes-256-gcm"\npassword = "${KEY}"\n${text}`,
  };
  assertEquals(await readWarnings("-c a.toml", { role: "sslocal", files }), [
    'a.toml:6:1: key "no_delay" in [[servers]] is not supported, ignored',
  ]);
});

Deno.test("readConfig() adds the local of the options to the tables", async () => {
  const files = { "a.toml": "[[locals]]\nlocal_port = 1080\n" };
  const line = `-c a.toml -s h -k ${KEY.replaceAll(" ", "-")}`;
  const start: Start = { role: "sslocal", files };
  const ports = async (options: string): Promise<number[]> =>
    (await readGood(`${line} ${options}`, start)).locals
      .map(({ port }) => port);
  assertEquals(await ports(""), [1080]);
  assertEquals(await ports("-l 1081"), [1081, 1080]);
});

Deno.test("readConfig() takes the group of all servers as default", async () => {
  const text = `password = "${KEY}"\n[[servers]]\nserver = "a"\n` +
    '[[servers]]\nserver = "b"\n[[groups]]\nname = "part"\nmembers = ["a:8388"]\n' +
    '[[groups]]\nname = "whole"\nstrategy = "sticky"\n' +
    'members = ["part", "b:8388", "a:8388"]\n';
  const files = { "a.toml": text };
  const config = await readGood("-c a.toml", { role: "sslocal", files });
  assertEquals(config.defaultOutbound, "whole");
  assertEquals(config.groups.map(({ name }) => name), ["part", "whole"]);
});

Deno.test("readConfig() leaves disabled servers out of groups", async () => {
  const text = `password = "${KEY}"\n[[servers]]\nserver = "a"\n` +
    '[[servers]]\nname = "off"\ndisabled = true\nplugin = "x"\n' +
    '[[groups]]\nname = "g"\nmembers = ["off", "a:8388"]\n';
  const files = { "a.toml": text };
  const config = await readGood("-c a.toml", { role: "sslocal", files });
  assertEquals(config.groups.map(({ members }) => members), [["a:8388"]]);
  assertEquals(config.defaultOutbound, "a:8388");
});
