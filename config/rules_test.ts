/**
 * Tests of the rules between settings and of the warnings.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { read, readGood, readWarnings, type Start } from "./_test_fixture.ts";
import type { Role } from "./types.ts";

const CLIENT: Start = { role: "sslocal" };
const LONG = "a-long-password";

const NO_METHOD = "no method given: using aes-256-gcm; " +
  "shadowsocks Python would have taken aes-256-cfb";

const ON_COMMAND_LINE = "a password on the command line can be read by " +
  'everybody on this machine: use "password_file" or ${NAME} in a file, or ' +
  "SS_PASSWORD";

const NOT_SAFE = `it's not safe: "users" in [[locals]] lets only some in`;

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
    [`warning: local set to listen on 0.0.0.0, ${NOT_SAFE}`],
    CLIENT,
  ],
  [
    `-k ${LONG}`,
    [NO_METHOD],
  ],
  [
    "-m aes-256-gcm -k elevenchars",
    [
      "a password of fewer than 12 characters can be guessed from " +
      'one captured packet; use a longer one, as "shadowsocks genkey" makes it',
    ],
  ],
  [
    "-m aes-256-gcm -k PassWord1234",
    [
      "a password that is among the commonest, or a plain pattern, can be " +
      "guessed from one captured packet; use a random one, as " +
      '"shadowsocks genkey" makes it',
    ],
  ],
  [
    "-m aes-256-gcm -k abcabcabcabcabc",
    [
      "a password that is among the commonest, or a plain pattern, can be " +
      "guessed from one captured packet; use a random one, as " +
      '"shadowsocks genkey" makes it',
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
  [
    `-m aes-256-gcm -k ${LONG} --forb own,allow-own`,
    [
      "forbidden_ip names nothing that is forbidden: clients reach what " +
      'listens on this machine\'s loopback; "" says so without this line',
    ],
  ],
  [`-m aes-256-gcm -k ${LONG} --forb=`, []],
  [`-m aes-256-gcm -k ${LONG} --forb allow-own`, []],
];

for (const [line, expected, start = {}] of WARNINGS) {
  Deno.test(`readConfig() warns as it should of ${line}`, async () => {
    const found = await readWarnings(line, start);
    // Every line here has a password, and those of old methods have no warning.
    assertEquals(found.filter((text) => text !== ON_COMMAND_LINE), expected);
  });
}

Deno.test("readConfig() warns once of a password on the command line", async () => {
  const level = async (line: string): Promise<readonly string[]> => {
    const result = await read(line, CLIENT);
    return result.kind !== "config" ? [] : result.warnings
      .filter(({ text }) => text === ON_COMMAND_LINE)
      .map((notice) => notice.level);
  };
  const link = `ss://aes-256-gcm:${LONG}@h:1`;
  assertEquals(await level(`-s h -k ${LONG} -m aes-256-gcm`), ["warning"]);
  assertEquals(await level(link), ["warning"]);
  assertEquals(await level(`${link} -k ${LONG}`), ["warning"]);
  // Scripts for the original count lines of level WARNING.
  assertEquals(await level(`-s h -k ${LONG} -m rc4-md5`), ["info"]);
  assertEquals(await level("-d stop -k x"), []);
});

Deno.test("readConfig() says that -k takes ${NAME} as it stands", async () => {
  const line = "-m aes-256-gcm -k a-long-${NAME}";
  const env = { NAME: "password" };
  assertEquals((await readGood(line, { env })).password, "a-long-${NAME}");
  assertEquals(await readWarnings(line, { env }), [
    ON_COMMAND_LINE,
    "${NAME} is a variable in a file only: on the command line it is a part " +
    "of the password as it stands",
  ]);
});

const ADDRESSES: readonly (readonly [address: string, isOpen: boolean])[] = [
  ["127.0.0.1", false],
  ["127.9.9.9", false],
  ["::1", false],
  ["::ffff:127.0.0.1", false],
  ["localhost", false],
  ["a.LOCALHOST", false],
  ["0.0.0.0", true],
  ["::", true],
  ["192.168.1.1", true],
  ["::2", true],
  ["2001:db8::1", true],
  ["::ffff:10.0.0.1", true],
  ["router", true],
  ["localhost.example", true],
];

for (const [address, isOpen] of ADDRESSES) {
  const what = isOpen ? "as it is open" : "nothing";
  Deno.test(`readConfig() warns ${what} when a local listens on ${address}`, async () => {
    const users = '[[locals.users]]\nname = "a"\npassword = "b"\n';
    const warnings = (text: string): Promise<string[]> =>
      readWarnings("-c c.toml", {
        role: "sslocal",
        files: {
          "c.toml": '[[locals]]\noutbound = "direct"\n' +
            `local_address = "${address}"\n${text}`,
        },
      });
    assertEquals(
      await warnings(""),
      isOpen ? [`warning: local set to listen on ${address}, ${NOT_SAFE}`] : [],
    );
    assertEquals(await warnings(users), []);
  });
}

const UNSURE = "warning: server set to listen on 127.0.0.1:8388, are you sure?";
const TABLES: readonly {
  readonly name: string;
  readonly text: string;
  readonly role?: Role;
  readonly warnings: readonly string[];
}[] = [
  {
    name: "a flat server on loopback",
    text: 'method = "aes-256-gcm"\nserver = "127.0.0.1"\n',
    role: "ssserver",
    warnings: [UNSURE],
  },
  {
    name: "a flat server on loopback for a client",
    text: 'method = "aes-256-gcm"\nserver = "127.0.0.1"\n',
    warnings: [],
  },
  {
    name: "a flat server on loopback beside [[locals]]",
    text: 'method = "aes-256-gcm"\nserver = "127.0.0.1"\n' +
      "[[locals]]\nlocal_port = 1\n",
    warnings: [],
  },
  {
    name: "a flat server on loopback beside [[servers]]",
    text: 'method = "aes-256-gcm"\nserver = "127.0.0.1"\n' +
      '[[servers]]\nserver = "h"\n',
    warnings: [],
  },
  {
    name: "[[servers]] on loopback",
    text: 'method = "aes-256-gcm"\n[[servers]]\nserver = "127.0.0.1"\n',
    warnings: [],
  },
  {
    name: "locals that go directly, and no method",
    text: '[[locals]]\noutbound = "direct"\n',
    warnings: [],
  },
  {
    name: "[[servers]] with methods, and none outside",
    text: '[[servers]]\nserver = "h"\nmethod = "aes-256-gcm"\n',
    warnings: [],
  },
  {
    name: "[[servers]] of which one has no method",
    text: '[[servers]]\nserver = "h"\nmethod = "aes-256-gcm"\n' +
      '[[servers]]\nserver = "i"\n',
    warnings: [NO_METHOD],
  },
  {
    name: "a manager without ports, and no method",
    text: 'manager_address = "h:1"\n',
    role: "ssmanager",
    warnings: [NO_METHOD],
  },
];

for (const { name, text, role = "sslocal", warnings } of TABLES) {
  Deno.test(`readConfig() warns as it should when there is ${name}`, async () => {
    const files = { "c.toml": `password = "${LONG}"\n${text}` };
    assertEquals(await readWarnings("-c c.toml", { role, files }), warnings);
  });
}

const PROXIES_CARRY_NO_UDP = '"outbound_proxy": proxies carry no UDP, so ' +
  'that what would go over them is refused: set mode = "tcp_only"';

const ONE = '[[servers]]\nserver = "h"\n';
const PROXY = 'outbound_proxy = "http://p:1"\n';
const TCP = 'mode = "tcp_only"\n';

const PROXIES: readonly {
  readonly name: string;
  readonly text: string;
  readonly role?: Role;
  /** Where it is said; undefined: it is not. */
  readonly at?: string;
}[] = [
  { name: "a server with UDP", text: PROXY, at: "3:18" },
  { name: "a server without UDP", text: PROXY + TCP },
  { name: "a server without a proxy", text: "outbound_proxy = []\n" },
  {
    name: "a port with UDP",
    text: `${ONE}mode = "udp_only"\n${PROXY}`,
    at: "6:18",
  },
  {
    name: "a port without UDP beside one without a proxy",
    text: `${ONE}${TCP}${PROXY}[[servers]]\nport = 1\n`,
  },
  {
    name: "a port with UDP of its own and the outer proxy",
    text: `${TCP}${PROXY}${ONE}mode = "tcp_and_udp"\n`,
    at: "4:18",
  },
  {
    name: "two ports with UDP",
    text: `${ONE}${PROXY}[[servers]]\nport = 1\n${PROXY}`,
    at: "5:18",
  },
  {
    name: "ports that a manager adds",
    text: `${PROXY}manager_address = "h:1"\n`,
    role: "ssmanager",
    at: "3:18",
  },
  {
    name: "a client's server",
    text: ONE + PROXY,
    role: "sslocal",
    at: "5:18",
  },
  {
    name: "a client's server without UDP",
    text: ONE + TCP + PROXY,
    role: "sslocal",
  },
  {
    name: "a client whose locals have no UDP",
    text: `${ONE}${PROXY}[[locals]]\nprotocol = "http"\n` +
      `[[locals]]\nlocal_port = 2\n${TCP}`,
    role: "sslocal",
  },
  {
    name: "a client without servers",
    text: `${PROXY}[[locals]]\noutbound = "direct"\n`,
    role: "sslocal",
  },
];

for (const { name, text, role = "ssserver", at } of PROXIES) {
  const what = at === undefined ? "nothing" : "of proxies and UDP";
  Deno.test(`readConfig() warns ${what} when there is ${name}`, async () => {
    const keys = `password = "${LONG}"\nmethod = "aes-256-gcm"\n`;
    assertEquals(
      await readWarnings("-c c.toml", {
        role,
        files: { "c.toml": keys + text },
      }),
      at === undefined ? [] : [`c.toml:${at}: ${PROXIES_CARRY_NO_UDP}`],
    );
  });
}

Deno.test("readConfig() says at INFO what is weak about an old cipher", async () => {
  const result = await read("-m aes-256-cfb -k short");
  const notices = result.kind === "config" ? result.warnings : [];
  assertEquals(notices.map(({ level }) => level), ["info", "info", "info"]);
});

Deno.test("readConfig() warns of a file that others can read", async () => {
  const files = { "s.json": `{"password":"${LONG}","method":"aes-128-gcm"}` };
  assertEquals(await readWarnings("-c s.json", { files, mode: 0o640 }), []);
  assertEquals(await readWarnings("-c s.json", { files, mode: 0o644 }), [
    "s.json holds a password and everybody on this machine can " +
    "read it; use: chmod 600 s.json",
  ]);
  const none = { "s.json": '{"method":"aes-128-gcm"}' };
  assertEquals(
    await readWarnings(`-c s.json -k ${LONG}`, { files: none, mode: 0o644 }),
    [ON_COMMAND_LINE],
  );
});

Deno.test("readConfig() ignores port and password beside port_password", async () => {
  const files = {
    "config.json": '{"method":"aes-128-gcm","port_password":' +
      '{"8381":"foobar-foobar-1","8382":"foobar-foobar-2"}}',
  };
  const expected = [
    "warning: port_password should not be used with server_port and " +
    "password. server_port and password will be ignored",
  ];
  assertEquals(await readWarnings("-v", { files }), []);
  assertEquals(await readWarnings("-p 8388", { files }), expected);
  assertEquals(await readWarnings(`-k ${LONG}`, { files }), [
    ...expected,
    ON_COMMAND_LINE,
  ]);
  const config = await readGood(`-p 8388 -k ${LONG}`, { files });
  assertEquals(config.password, "");
  assertEquals(
    config.servers.map(({ port, password }) => [port, password]),
    [[8381, "foobar-foobar-1"], [8382, "foobar-foobar-2"]],
  );
});

Deno.test("readConfig() does not need passwords when there is a manager", async () => {
  const config = await readGood("--manager-address 127.0.0.1:6001 -m rc4-md5");
  assertEquals(config.servers, []);
  const other = await readGood("--manager-address h:1 -p 1", {
    role: "ssmanager",
  });
  assertEquals(other.managerAddress, { host: "h", port: 1 });
});

Deno.test("readConfig() takes ports of port_password alone for a manager", async () => {
  const role = "ssmanager";
  const flat = await readGood(`--manager-address h:1 -p 1 -k ${LONG}`, {
    role,
  });
  assertEquals([flat.servers, flat.password], [[], LONG]);
  const files = {
    "config.json": `{"port_password":{"8381":"${LONG}"}}`,
  };
  const table = await readGood("--manager-address h:1", { role, files });
  assertEquals(table.servers.map(({ port }) => port), [8381]);
});

Deno.test("readConfig() takes SS_PASSWORD when no other is given", async () => {
  const env = { SS_PASSWORD: "from-the-environment" };
  const given = await readGood("-p 1", { env });
  assertEquals(given.servers[0]?.password, env.SS_PASSWORD);
  assertEquals((await readGood(`-k ${LONG}`, { env })).password, LONG);
  assertEquals((await read("", { env })).kind, "error");
});
