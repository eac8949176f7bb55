/**
 * Tests of what is written for pasting, by reading it back.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import { readGood, serverOf, type Start } from "./_test_fixture.ts";
import { formatToml, ssUrl } from "./format.ts";
import type { Config, Role, ServerConfig } from "./types.ts";

const LINES: readonly (readonly [Role, string])[] = [
  ["sslocal", "-s example.com -k a-long-password"],
  [
    "sslocal",
    "-s ::1 -p 1 -k x -b ::1 -l 1081 -m rc4-md5 -t 60 -a --fast-open",
  ],
  ["sstunnel", "-s h -k x -l 5300 -L [::1]:53 --mode udp_only"],
  ["ssserver", "-k x --forbidden-ip= --workers 4 --prefer-ipv6"],
  ["ssserver", "-k x --forbidden-ip private,8.8.8.0/24 --event-loop deno"],
  ["ssserver", "-k x --forbidden-ip allow-own"],
  ["ssserver", "-k x --forbidden-ip own,8.8.8.0/24"],
  ["ssserver", "--manager-address [::1]:6001"],
  ["ssmanager", "--manager-address /run/ss.sock"],
];

for (const [role, line] of LINES) {
  Deno.test(`formatToml() writes what ${role} ${line} reads back`, async () => {
    const config = await readGood(line, { role });
    const files = { "a.toml": formatToml(config) };
    assertEquals(await readGood("-c a.toml", { role, files }), config);
  });
}

const FULL: Start = {
  files: {
    "config.json": `{
      "server": ["::", "0.0.0.0"],
      "port_password": {"8381": "a\\"b\\\\c", "8382": "päss\\nword"},
      "dns_server": ["1.1.1.1", "[::1]:54"],
      "udp_max_associations": 9,
      "manager_address": "h:1", "manager_dialect": "libev"
    }`,
  },
};

Deno.test("formatToml() writes lists, tables and odd passwords", async () => {
  const config = await readGood("", FULL);
  const files = { "a.toml": formatToml(config) };
  assertEquals(await readGood("-c a.toml", { files }), config);
});

/** The examples of SIP002, and what they are made of. */
const LINKS: readonly (readonly [string, Partial<ServerConfig>, string?])[] = [
  [
    "ss://YWVzLTEyOC1nY206dGVzdA@192.168.100.1:8888#Example1",
    { method: "aes-128-gcm", password: "test" },
    "Example1",
  ],
  [
    "ss://cmM0LW1kNTpwYXNzd2Q@192.168.100.1:8888",
    { method: "rc4-md5", password: "passwd" },
  ],
  [
    "ss://2022-blake3-aes-256-gcm:YctPZ6U7xPPcU%2Bgp3u%2B0tx%2FtRizJN9K8y%2B" +
    "uKlW2qjlI%3D@192.168.100.1:8888#Example3",
    {
      method: "2022-blake3-aes-256-gcm",
      password: "YctPZ6U7xPPcU+gp3u+0tx/tRizJN9K8y+uKlW2qjlI=",
    },
    "Example3",
  ],
];

for (const [link, parts, tag] of LINKS) {
  Deno.test(`ssUrl() writes ${link}`, async () => {
    const config: Config = {
      ...await readGood("-k x"),
      servers: [serverOf({ host: "192.168.100.1", port: 8888, ...parts })],
    };
    assertEquals(ssUrl(config, tag === undefined ? {} : { tag }), link);
  });
}

Deno.test("ssUrl() writes links that decode to what went in", async () => {
  const passwords = [
    "a",
    "ab",
    "abc",
    "p@ss:w/rd+?#%",
    "пароль",
    "\u{1f511}ÿ?>",
  ];
  for (const password of passwords) {
    const config: Config = {
      ...await readGood("-k x"),
      servers: [serverOf({ port: 1, password })],
    };
    const link = ssUrl(config, { host: "2001:db8::1", tag: "a b#1" });
    const parts = /^ss:\/\/([\w-]+)@\[2001:db8::1\]:1#a%20b%231$/.exec(link);
    const base64 = parts![1]!.replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
    assertEquals(
      new TextDecoder().decode(bytes),
      `aes-256-gcm:${password}`,
    );
  }
});

Deno.test("ssUrl() takes the password of the port", async () => {
  const config = await readGood("", FULL);
  assertEquals(
    ssUrl(config, { host: "h", port: 8381 }),
    `ss://${btoa('aes-256-gcm:a"b\\c').replace(/=+$/, "")}@h:8381`,
  );
  assertThrows(() => ssUrl(config, { port: 9 }), RangeError, "no password");
  const empty = await readGood("--manager-address h:1");
  assertThrows(
    () => ssUrl(empty),
    RangeError,
    "no server and port",
  );
});
