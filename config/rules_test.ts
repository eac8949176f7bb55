/**
 * Tests of the rules between settings and of the warnings.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { read, readGood, type Start } from "./_test_fixture.ts";

const CLIENT: Start = { role: "sslocal" };
const LONG = "a-long-password";

/** The lines that a good configuration leaves for the log. */
function linesOf(line: string, start: Start = {}): readonly string[] {
  const result = read(line, start);
  if (result.kind !== "config") throw new TypeError(JSON.stringify(result));
  return result.warnings.filter(({ level }) => level === "warning")
    .map(({ text }) => text);
}

const WARNINGS: readonly (readonly [string, readonly string[], Start?])[] = [
  [`-k ${LONG} -m aes-256-gcm -s h`, [], CLIENT],
  [`-k ${LONG} -m aes-256-gcm`, []],
  [
    "-m rc4-md5 -k testrc4 -s 127.0.0.1 -p 8388 -d start",
    ["warning: server set to listen on 127.0.0.1:8388, are you sure?"],
    CLIENT,
  ],
  [
    "-m rc4-md5 -k testrc4 -s localhost",
    ["warning: server set to listen on localhost:8388, are you sure?"],
  ],
  [
    "-m rc4-md5 -k testrc4 -s 0.0.0.0 -p 8388 -t10 -d start",
    ["warning: your timeout 10 seems too short"],
    CLIENT,
  ],
  [
    "-m rc4-md5 -k testrc4 -s 0.0.0.0 -p 8388 -t1000 -d start",
    ["warning: your timeout 1000 seems too long"],
    CLIENT,
  ],
  ["-m rc4-md5 -k testrc4 -t 100", []],
  ["-m rc4-md5 -k testrc4 -t 600", []],
  [
    "-m rc4 -k testrc4 -s 0.0.0.0 -p 8388 -d start",
    [
      "warning: RC4 is not safe; please use a safer cipher, like AES-256-CFB",
    ],
    CLIENT,
  ],
  [
    "-m table -k testrc4",
    [
      "warning: table is not safe; please use a safer cipher, " +
      "like AES-256-CFB",
    ],
  ],
  [
    `-m aes-256-gcm -k ${LONG} -s h -b 0.0.0.0`,
    ["warning: local set to listen on 0.0.0.0, it's not safe"],
    CLIENT,
  ],
  [
    `-k ${LONG}`,
    [
      "no method given: using aes-256-gcm; " +
      "shadowsocks Python would have taken aes-256-cfb",
    ],
  ],
  [
    "-m aes-256-gcm -k elevenchars",
    [
      "warning: a password of fewer than 12 characters can be guessed from " +
      "one captured packet; use a longer one",
    ],
  ],
  ["-m aes-256-gcm -k twelve-chars", []],
  [
    `-m aes-256-gcm -k ${LONG} --forb 192.0.2.0`,
    [
      "You did't specify CIDR routing prefix size for 192.0.2.0, " +
      "implicit treated as 192.0.2.0/23",
    ],
  ],
];

for (const [line, expected, start = {}] of WARNINGS) {
  Deno.test(`readConfig() warns as it should of ${line}`, () => {
    assertEquals(linesOf(line, start), expected);
  });
}

Deno.test("readConfig() says at INFO what is weak about an old cipher", () => {
  const result = read("-m aes-256-cfb -k short");
  const notices = result.kind === "config" ? result.warnings : [];
  assertEquals(notices.map(({ level }) => level), ["info", "info"]);
});

Deno.test("readConfig() warns of a file that others can read", () => {
  const files = { "s.json": `{"password":"${LONG}","method":"aes-128-gcm"}` };
  assertEquals(linesOf("-c s.json", { files, mode: 0o640 }), []);
  assertEquals(linesOf("-c s.json", { files, mode: 0o644 }), [
    "warning: s.json holds a password and everybody on this machine can " +
    "read it; use: chmod 600 s.json",
  ]);
  const none = { "s.json": '{"method":"aes-128-gcm"}' };
  assertEquals(
    linesOf(`-c s.json -k ${LONG}`, { files: none, mode: 0o644 }),
    [],
  );
});

Deno.test("readConfig() ignores port and password beside port_password", () => {
  const files = {
    "config.json": '{"method":"aes-128-gcm","port_password":' +
      '{"8381":"foobar-foobar-1","8382":"foobar-foobar-2"}}',
  };
  const expected = [
    "warning: port_password should not be used with server_port and " +
    "password. server_port and password will be ignored",
  ];
  assertEquals(linesOf("-v", { files }), []);
  assertEquals(linesOf("-p 8388", { files }), expected);
  assertEquals(linesOf(`-k ${LONG}`, { files }), expected);
  const config = readGood(`-p 8388 -k ${LONG}`, { files });
  assertEquals(config.serverPort, [8381, 8382]);
  assertEquals(config.password, "");
  assertEquals(config.portPassword?.get(8382), "foobar-foobar-2");
});

Deno.test("readConfig() does not need passwords when there is a manager", () => {
  const config = readGood("--manager-address 127.0.0.1:6001 -m rc4-md5");
  assertEquals(config.serverPort, []);
  const other = readGood("--manager-address h:1 -p 1", { role: "ssmanager" });
  assertEquals(other.managerAddress, { host: "h", port: 1 });
});

Deno.test("readConfig() takes SS_PASSWORD when no other is given", () => {
  const env = { SS_PASSWORD: "from-the-environment" };
  assertEquals(readGood("-p 1", { env }).password, env.SS_PASSWORD);
  assertEquals(readGood(`-k ${LONG}`, { env }).password, LONG);
  assertEquals(read("", { env }).kind, "error");
});
