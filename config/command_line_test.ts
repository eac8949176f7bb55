/**
 * Tests of options: what each sets, and what is refused.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  localOf,
  read,
  readGood,
  serverOf,
  type Start,
} from "./_test_fixture.ts";
import { formatNotice } from "./logging.ts";
import type { Config } from "./types.ts";

const GOOD = "-k a-long-password -m aes-256-gcm";
const CLIENT: Start = { role: "sslocal" };

/** Options of a server, and what they change. */
const SET: readonly (readonly [string, Partial<Config>])[] = [
  ["-s ::1", {
    listenAddresses: ["::1"],
    servers: [serverOf({ host: "::1" })],
  }],
  ["-s [::1]", {
    listenAddresses: ["::1"],
    servers: [serverOf({ host: "::1" })],
  }],
  ["-p8389", { servers: [serverOf({ port: 8389 })] }],
  ["-k x", { password: "x", servers: [serverOf({ password: "x" })] }],
  ["-m AES-128-GCM", {
    method: "aes-128-gcm",
    servers: [serverOf({ method: "aes-128-gcm" })],
  }],
  ["-t10", {
    timeout: 10,
    udpTimeout: 10,
    servers: [serverOf({ timeout: 10 })],
  }],
  ["-a", { oneTimeAuth: true, servers: [serverOf({ oneTimeAuth: true })] }],
  ["-v", { verbose: 1 }],
  ["-vv", { verbose: 2 }],
  ["-q", { verbose: -1 }],
  ["-qq", { verbose: -2 }],
  ["-v -q", { verbose: 0 }],
  ["-d start", { daemon: "start" }],
  ["-d restart", { daemon: "restart" }],
  ["-d stop", { daemon: "stop", servers: [] }],
  ["--pid-file=/p --log-file /l", { pidFile: "/p", logFile: "/l" }],
  ["--user nobody", { user: "nobody" }],
  ["--fast-open", {
    fastOpen: true,
    servers: [serverOf({ fastOpen: true })],
  }],
  ["--prefer-ipv6", { preferIpv6: true }],
  ["--workers 4", { workers: 4 }],
  ["--manager-address [::1]:6001", {
    managerAddress: { host: "::1", port: 6001 },
  }],
  ["--manager-address /run/ss.sock", {
    managerAddress: { path: "/run/ss.sock" },
  }],
  ["--manager-address ss.sock", { managerAddress: { path: "ss.sock" } }],
  ["--libopenssl=/a --libsodium=/b --libmbedtls=/c", {
    libopenssl: "/a",
    libsodium: "/b",
    libmbedtls: "/c",
  }],
  ["--event-loop deno", { eventLoop: "deno" }],
  ["--mode tcp_only", {
    mode: "tcp_only",
    servers: [serverOf({ mode: "tcp_only" })],
  }],
  ["-u", { mode: "tcp_and_udp" }],
  ["-U", { mode: "udp_only", servers: [serverOf({ mode: "udp_only" })] }],
];

for (const [line, expected] of SET) {
  Deno.test(`readConfig() takes ${line}`, async () => {
    assertEquals(await readGood(`${GOOD} ${line}`), {
      ...await readGood(GOOD),
      ...expected,
    });
  });
}

Deno.test("readConfig() fills in the defaults", async () => {
  const { forbiddenIp, ...rest } = await readGood(GOOD);
  assertEquals(forbiddenIp.length, 15);
  assertEquals(forbiddenIp.at(-1), "own");
  assertEquals(rest, {
    role: "ssserver",
    locals: [],
    servers: [serverOf()],
    groups: [],
    defaultOutbound: "direct",
    acl: undefined,
    outboundProxy: [],
    accessLog: undefined,
    listenAddresses: ["0.0.0.0"],
    password: "a-long-password",
    users: [],
    reject: undefined,
    fallback: undefined,
    method: "aes-256-gcm",
    timeout: 300,
    udpTimeout: 300,
    mode: "tcp_and_udp",
    fastOpen: false,
    workers: 1,
    oneTimeAuth: false,
    preferIpv6: false,
    dnsServer: [],
    replay: "persist",
    stateDir: undefined,
    udpMaxAssociations: 512,
    managerAddress: undefined,
    managerDialect: "python",
    user: undefined,
    daemon: undefined,
    pidFile: "/var/run/shadowsocks.pid",
    logFile: "/var/log/shadowsocks.log",
    verbose: 0,
    libopenssl: undefined,
    libsodium: undefined,
    libmbedtls: undefined,
    eventLoop: undefined,
  });
});

Deno.test("readConfig() takes -b, -l and -L where they belong", async () => {
  const local = await readGood(`${GOOD} -s h -b ::1 -l 1081`, CLIENT);
  assertEquals(local.locals, [localOf({ address: "::1", port: 1081 })]);
  for (const forward of ["[2001:db8::1]:53", "2001:db8::1:53"]) {
    const tunnel = await readGood(`${GOOD} -s h -l 5300 -L ${forward}`, {
      role: "sstunnel",
    });
    assertEquals(tunnel.locals, [
      localOf({
        protocol: "tunnel",
        port: 5300,
        forward: { host: "2001:db8::1", port: 53 },
      }),
    ]);
  }
});

Deno.test("readConfig() takes --forbidden-ip= as nothing forbidden", async () => {
  for (const line of ["--forbidden-ip=", "--forb="]) {
    assertEquals((await readGood(`${GOOD} ${line}`)).forbiddenIp, []);
  }
  assertEquals(
    (await readGood(`${GOOD} --forb 127.0.0.1,::1,8.8.8.8`)).forbiddenIp,
    ["127.0.0.1/32", "::1/128", "8.8.8.8/29"],
  );
  assertEquals(
    (await readGood(`${GOOD} --forb multicast,OWN,allow-multicast`))
      .forbiddenIp,
    ["own"],
  );
});

/** Mistakes on the command line: message as printed, exit code, usage. */
const WRONG: readonly (readonly [string, string, number, boolean, Start?])[] = [
  ["", "ERROR: config not specified", 2, true],
  ["", "ERROR: config not specified", 2, true, CLIENT],
  ["--check", "ERROR: config not specified", 2, true],
  ["-c", "option -c requires argument", 2, false],
  ["-X", "option -X not recognized", 2, false],
  ["-b ::1", "option -b not recognized", 2, false],
  ["--workers 4", "option --workers not recognized", 2, false, {
    role: "sstunnel",
  }],
  ["-L h:1", "option -L not recognized", 2, false, CLIENT],
  ["-k x -p abc", 'option -p is "abc": expected a port from 0', 2, false],
  ["-k x -t -1", 'option -t is "-1": expected seconds', 2, false],
  ["-k x --mode x", 'option --mode is "x": expected one of', 2, false],
  ["-k x -d jump", "unsupported daemon command jump", 1, false],
  ["-m rc4-md5 -k x --user u", "user can be used only on Unix", 1, false, {
    isUnix: false,
  }],
  ["-m nope -k x", "method nope not supported", 1, false],
  [
    "-k mypassword",
    "DON'T USE DEFAULT PASSWORD! Please change it in your " +
    "config.json!",
    1,
    false,
  ],
  [
    "-k x --forbidden-ip 127.0.0.1/4a",
    "Not a valid CIDR notation: " +
    "127.0.0.1/4a",
    2,
    false,
  ],
  ["-p 8388 -k x", "server addr not specified", 2, false, CLIENT],
  ["-p 8388 -s h", "password not specified", 2, false, CLIENT],
  ["-p 8388 -s h", "password not specified", 2, false, { role: "sstunnel" }],
  ["-p 8388", "password or port_password not specified", 2, false],
  ["-k x -s h -p 0", '"server_port" is 0: expected a port', 1, false, CLIENT],
  ["-k x", "manager address not specified", 2, false, { role: "ssmanager" }],
  ["-c no.json", "Cannot read config no.json: no such file", 1, false],
];

for (const [line, message, exitCode, usage, start = {}] of WRONG) {
  const { role = "ssserver" } = start;
  Deno.test(`readConfig() refuses ${role} ${line || "alone"}`, async () => {
    const result = await read(line, start);
    assertEquals(result.kind, "error");
    if (result.kind !== "error") return;
    const [error, ...more] = result.messages.filter(({ level }) =>
      level === "error"
    );
    assertEquals(more, []);
    assertStringIncludes(formatNotice(error!, 0), message);
    assertEquals(result.exitCode, exitCode);
    assertEquals(result.usage?.startsWith(`usage: ${role} `) ?? false, usage);
  });
}

Deno.test("readConfig() asks for nothing when -d stop is given", async () => {
  assertEquals((await readGood("-d stop", CLIENT)).daemon, "stop");
  assertEquals((await readGood("-d stop --pid-file x")).pidFile, "x");
});

Deno.test("readConfig() shows help and version before anything else", async () => {
  for (const line of ["-h", "--help", "-p abc --he", "-hX"]) {
    const result = await read(line);
    assertEquals(result.kind, line === "-hX" ? "error" : "help");
  }
  assertEquals((await read("-c no.json --version")).kind, "version");
});

Deno.test("readConfig() says so when there is only something to check", async () => {
  assertEquals((await read(`${GOOD} --check`)).kind, "checked");
  assertEquals((await read(`-p 8388 --check`)).kind, "error");
});

Deno.test("readConfig() repeats no password of the command line", async () => {
  const lines = [
    "-k hunter2 -X",
    "-khunter2 hunter2",
    "-k hunter2 -m x -p x -t x",
    "--password=hunter2",
    "--password hunter2",
    "-vvk hunter2",
  ];
  for (const role of ["sslocal", "ssserver"] as const) {
    for (const line of lines) {
      const shown = JSON.stringify({
        ...await read(line, { role }),
        config: 0,
      });
      assert(!shown.includes("hunter2"), line);
    }
  }
});
