/**
 * Tests of files: what each key becomes, and which file is taken.
 *
 * @module
 */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { read, readGood, serverOf } from "./_test_fixture.ts";
import type { Config } from "./types.ts";

const PASSWORD = "a-long-password";

/** Entries of a file, and what they become. */
const ENTRIES: readonly (readonly [string, Partial<Config>])[] = [
  ['"server": ["::", "0.0.0.0", "::"]', {
    listenAddresses: ["::", "0.0.0.0"],
    servers: [serverOf({ host: "::" }), serverOf()],
  }],
  ['"server": "Bücher.example"', {
    listenAddresses: ["xn--bcher-kva.example"],
    servers: [serverOf({ host: "xn--bcher-kva.example" })],
  }],
  ['"server": "-a.b-.example"', {
    listenAddresses: ["-a.b-.example"],
    servers: [serverOf({ host: "-a.b-.example" })],
  }],
  ['"server": "fe80::1%eth0"', {
    listenAddresses: ["fe80::1%eth0"],
    servers: [serverOf({ host: "fe80::1%eth0" })],
  }],
  ['"server": "a_b.example.com."', {
    listenAddresses: ["a_b.example.com."],
    servers: [serverOf({ host: "a_b.example.com." })],
  }],
  ['"server_port": "8390"', { servers: [serverOf({ port: 8390 })] }],
  ['"server_port": [1, "2", 3]', {
    servers: [1, 2, 3].map((port) => serverOf({ port })),
  }],
  ['"local_port": "1081"', {}],
  ['"timeout": 1.5', {
    timeout: 1.5,
    udpTimeout: 1.5,
    servers: [serverOf({ timeout: 1.5 })],
  }],
  ['"timeout": "60", "udp_timeout": 5', {
    timeout: 60,
    udpTimeout: 5,
    servers: [serverOf({ timeout: 60 })],
  }],
  ['"workers": "2"', { workers: 2 }],
  ['"verbose": true', { verbose: 1 }],
  ['"verbose": -2', { verbose: -2 }],
  ['"pid-file": "a", "log_file": "b"', { pidFile: "a", logFile: "b" }],
  ['"pid_file": "a", "log-file": "b"', { pidFile: "a", logFile: "b" }],
  ['"dns_server": "1.1.1.1"', { dnsServer: [{ host: "1.1.1.1", port: 53 }] }],
  ['"dns_server": ["1.1.1.1:5353", "[::1]:54", "::2"]', {
    dnsServer: [
      { host: "1.1.1.1", port: 5353 },
      { host: "::1", port: 54 },
      { host: "::2", port: 53 },
    ],
  }],
  ['"nameserver": "1.1.1.1, 9.9.9.9"', {
    dnsServer: [{ host: "1.1.1.1", port: 53 }, { host: "9.9.9.9", port: 53 }],
  }],
  ['"ipv6_first": true', { preferIpv6: true }],
  ['"replay": "off"', { replay: "off" }],
  ['"state_dir": "/state"', { stateDir: "/state" }],
  ['"udp_max_associations": 64', { udpMaxAssociations: 64 }],
  ['"manager_dialect": "libev"', { managerDialect: "libev" }],
  ['"manager_address": "localhost", "manager_port": 6100', {
    managerAddress: { host: "localhost", port: 6100 },
  }],
  ['"tunnel_address": "h:80"', {}],
  ['"dns_server": null, "port_password": null', {}],
  ['"remarks": "mine", "id": 5, "_comment": []', {}],
];

for (const [entries, expected] of ENTRIES) {
  Deno.test(`readConfig() takes a file with ${entries}`, async () => {
    const text = `{"password":"${PASSWORD}","method":"aes-256-gcm",${entries}}`;
    const plain: Record<string, unknown> = {
      ...await readGood(`-k ${PASSWORD} -m aes-256-gcm`),
    };
    const given: Record<string, unknown> = {
      ...await readGood("-c a.json", { files: { "a.json": text } }),
    };
    assertEquals(given, { ...plain, ...expected });
  });
}

Deno.test("readConfig() says what it loads, as a line of the log", async () => {
  const files = {
    "config.json": `{"password":"${PASSWORD}"}`,
    "config.toml": `password = "${PASSWORD}"`,
    "c.toml": `password = "${PASSWORD}"`,
  };
  const { "config.json": _, ...toml } = files;
  const table = [
    ["", files, "config.json"],
    ["", toml, "config.toml"],
    ["-c c.toml", files, "c.toml"],
    ["-c no.json --config c.toml", files, "c.toml"],
  ] as const;
  for (const [line, present, path] of table) {
    const result = await read(line, { files: present });
    assertEquals(result.kind === "config" && result.messages, [{
      level: "info",
      style: "log",
      text: `loading config from ${path}`,
    }]);
  }
});

Deno.test("readConfig() lets the command line win over the file", async () => {
  const files = {
    "config.json": `{"password":"${PASSWORD}","server_port":1,"verbose":2,
      "timeout":200}`,
  };
  const config = await readGood("-p 2 -q", { files });
  assertEquals(
    [config.servers[0]?.port, config.verbose, config.timeout],
    [2, -1, 200],
  );
});

Deno.test("readConfig() warns of keys of other programs", async () => {
  const text = `password = "${PASSWORD}"\nno_delay = true\n[log]\na = 1\n`;
  const result = await read("-c a.toml", { files: { "a.toml": text } });
  const texts = result.kind === "config"
    ? result.warnings.map((each) => each.text)
    : [];
  assertEquals(texts.slice(0, 2), [
    'a.toml:2:1: key "no_delay" is not supported, ignored',
    'a.toml:3:1: key "log" is not supported, ignored',
  ]);
});

Deno.test("readConfig() reports all mistakes of a file in one go", async () => {
  const text = 'server_port = 70000\nworkrs = 1\ntimeout = "x"\n';
  const result = await read("--check -c a.toml", { files: { "a.toml": text } });
  const texts = result.kind === "error"
    ? result.messages.filter(({ level }) => level !== "warning")
      .map((each) => each.text)
    : [];
  assertEquals(texts.length, 6);
  assertStringIncludes(texts[1]!, 'a.toml:1:15: "server_port" is 70000');
  assertStringIncludes(texts[2]!, 'a.toml:2:1: Unknown key "workrs"');
  assertStringIncludes(texts[3]!, 'a.toml:3:11: "timeout" is "x"');
  assertEquals(texts.slice(4), [
    "password or port_password not specified",
    'add "password" to a.toml, or set SS_PASSWORD in the environment',
  ]);
});

Deno.test("readConfig() is as empty as its file", async () => {
  const result = await read("", { files: { "config.json": "{}" } });
  assertEquals(
    result.kind === "error" && result.messages.map((each) => each.text),
    [
      "loading config from config.json",
      "config not specified: config.json holds no settings",
    ],
  );
});
