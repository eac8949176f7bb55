/**
 * The users of servers: what they become, and what is refused in one line with
 * its place.
 *
 * @module
 */

import { assertEquals, assertMatch } from "@std/assert";
import {
  read,
  readGood,
  readIssues,
  readWarnings,
  type Start,
} from "./_test_fixture.ts";
import { formatToml, ssUrl } from "./format.ts";
import type { Role, ServerUser } from "./types.ts";

/** Keys of 16 and of 32 bytes. */
const K16 = "AAECAwQFBgcICQoLDA0ODw==";
const K32 = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const A32 = "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";
const B32 = "QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8=";

const OLD = 'method = "aes-256-gcm"\n';
const NEW = `method = "2022-blake3-aes-256-gcm"\npassword = "${K32}"\n`;
const ALICE = '[[users]]\nname = "alice"\npassword = "hunter2-of-alice"\n';
const BOB = '[[users]]\nname = "bob"\npassword = "hunter2-of-bob-1"\n';
const ALICE_22 = `[[users]]\nname = "alice"\npassword = "${A32}"\n`;
const BOB_22 = `[[users]]\nname = "bob"\npassword = "${B32}"\n`;

function start(text: string, role: Role = "ssserver"): Start {
  return { role, files: { "f.toml": text } };
}

function userOf(
  name: string,
  password: string,
  more: Partial<ServerUser> = {},
): ServerUser {
  const none = { method: undefined, port: undefined };
  return { name, password, ...none, disabled: false, ...more };
}

Deno.test("readConfig() gives users of 2022 the server behind that has their key", async () => {
  const text = `${NEW}${ALICE_22}server = "behind.example"\n` +
    `server_port = 8388\n${BOB_22}`;
  const { servers } = await readGood("-c f.toml", start(text));
  const next = { host: "behind.example", port: 8388 };
  assertEquals(servers[0]!.users, [
    userOf("alice", A32, { next }),
    userOf("bob", B32),
  ]);
});

Deno.test("readConfig() gives users of the whole file to every server, others to theirs", async () => {
  const text = `${OLD}${ALICE}[[servers]]\nport = 1\n[[servers]]\nport = 2\n` +
    'password = "a nameless secret"\n' +
    'users = [{name = "carol", password = "hunter2-of-carol", ' +
    'method = "chacha20-ietf-poly1305"}, ' +
    '{name = "dave", password = "hunter2-of-dave", disabled = true}]\n';
  const { servers } = await readGood("-c f.toml", start(text));
  const alice = userOf("alice", "hunter2-of-alice");
  assertEquals(
    servers.map(({ port, password, users }) => ({ port, password, users })),
    [
      { port: 1, password: "", users: [alice] },
      {
        port: 2,
        password: "a nameless secret",
        users: [
          alice,
          userOf("carol", "hunter2-of-carol", {
            method: "chacha20-ietf-poly1305",
          }),
          userOf("dave", "hunter2-of-dave", { disabled: true }),
        ],
      },
    ],
  );
});

Deno.test("readConfig() takes users without a password of the port", async () => {
  const { servers } = await readGood("-c f.toml", start(OLD + ALICE + BOB));
  assertEquals(
    servers.map(({ port, password, users }) => [
      port,
      password,
      users.map(({ name }) => name),
    ]),
    [[8388, "", ["alice", "bob"]]],
  );
});

Deno.test("readConfig() gives users with a port to that port alone", async () => {
  const text = `${OLD}server_port = [1, 2]\n${ALICE}${BOB}port = 2\n`;
  const { servers } = await readGood("-c f.toml", start(text));
  assertEquals(
    servers.map(({ port, users }) => [port, users.map(({ name }) => name)]),
    [[1, ["alice"]], [2, ["alice", "bob"]]],
  );
});

Deno.test("readConfig() takes the users of 2022 under the key of the server", async () => {
  const text = NEW + ALICE_22 + BOB_22;
  const config = await readGood("-c f.toml", start(text));
  const [server] = config.servers;
  assertEquals(server?.password, K32);
  assertEquals(server?.users.map(({ password }) => password), [A32, B32]);
  assertEquals(await readWarnings("-c f.toml", start(text)), []);
  const link = ssUrl(config, { host: "192.0.2.1", user: "bob" });
  const client = await readGood(link, { role: "sslocal" });
  assertEquals(client.servers[0]?.password, `${K32}:${B32}`);
});

Deno.test("readConfig() takes the key of a server of 2022 by -k", async () => {
  const text = `method = "2022-blake3-aes-256-gcm"\n${ALICE_22}`;
  const config = await readGood(`-c f.toml -k ${K32}`, start(text));
  assertEquals(config.servers[0]?.password, K32);
});

Deno.test("readConfig() takes SS_PASSWORD beside users for the key of a server alone", async () => {
  const old = { ...start(OLD + ALICE), env: { SS_PASSWORD: "some-password" } };
  assertEquals((await readGood("-c f.toml", old)).servers[0]?.password, "");
  const text = `method = "2022-blake3-aes-256-gcm"\n${ALICE_22}`;
  const key = { ...start(text), env: { SS_PASSWORD: K32 } };
  assertEquals((await readGood("-c f.toml", key)).servers[0]?.password, K32);
});

Deno.test("readConfig() takes reject and fallback, the inner before the outer", async () => {
  const text = `${NEW}reject = "drain"\nfallback = "192.0.2.1:80"\n` +
    '[[servers]]\nport = 1\n[[servers]]\nport = 2\nreject = "silent"\n' +
    'fallback = "[::1]:8080"\n[[servers]]\nport = 3\n' +
    'method = "aes-256-gcm"\n';
  const { servers } = await readGood("-c f.toml", start(text));
  assertEquals(
    servers.map(({ reject, fallback }) => [reject, fallback]),
    [
      ["drain", { host: "192.0.2.1", port: 80 }],
      ["silent", { host: "::1", port: 8080 }],
      // Older methods leave no choice.
      ["silent", { host: "192.0.2.1", port: 80 }],
    ],
  );
  const [plain] = (await readGood("-c f.toml", start(NEW))).servers;
  assertEquals([plain?.reject, plain?.fallback], ["reset", undefined]);
});

const ALL: readonly (readonly [name: string, text: string, role?: Role])[] = [
  ["users of 2017", OLD + ALICE + BOB],
  ["users of 2022", NEW + ALICE_22 + BOB_22],
  [
    "a server behind",
    `${NEW}${ALICE_22}server = "::1"\nserver_port = 1\n${BOB_22}`,
  ],
  ["a nameless user beside them", `${OLD}password = "a nameless one"\n${BOB}`],
  [
    "users inside servers",
    `${OLD}reject = "drain"\n${ALICE}[[servers]]\nport = 1\n[[servers]]\n` +
    'port = 2\nfallback = "h:80"\nusers = [{name = "x", ' +
    'password = "hunter2-$${x}-hunter2", port = 2}]\n',
  ],
  ["those of a manager", `manager_address = "h:1"\n${OLD}${BOB}`, "ssmanager"],
];

for (const [name, text, role] of ALL) {
  Deno.test(`formatToml() writes what is read back of ${name}`, async () => {
    const config = await readGood("-c f.toml", start(text, role));
    assertEquals(structuredClone(config), config);
    const again = start(formatToml(config), role);
    assertEquals(await readGood("-c f.toml", again), config);
  });
}

const REFUSED: readonly (readonly [
  name: string,
  text: string,
  issues: readonly string[],
])[] = [
  [
    "users of one name",
    OLD + ALICE + BOB.replace("bob", "alice"),
    ['6:8: user "alice" is given twice: give each another name'],
  ],
  [
    "users of one name, one of them inside a server",
    `${OLD}${ALICE}[[servers]]\nusers = [{name = "alice", ` +
    'password = "hunter2-other"}]\n',
    ['6:18: user "alice" is given twice: give each another name'],
  ],
  [
    "users of one password, once for all servers",
    `${OLD}server_port = [1, 2]\n${ALICE}${BOB}`.replace(
      "of-bob-1",
      "of-alice",
    ),
    ['8:12: users "alice" and "bob" have one password: give each another'],
  ],
  [
    "users of one key that is written in two ways",
    NEW + ALICE_22 + BOB_22.replace(B32, A32.replace("=", "")),
    ['8:12: users "alice" and "bob" have one password: give each another'],
  ],
  [
    "a user with the password of the server",
    `password = "hunter2-of-alice"\n${OLD}${ALICE}`,
    [
      '5:12: user "alice" has the password of the server itself: give the ' +
      "user another",
    ],
  ],
  [
    "a user with the key of the server",
    NEW + ALICE_22.replace(A32, K32),
    [
      '5:12: user "alice" has the password of the server itself: give the ' +
      "user another",
    ],
  ],
  [
    "an empty name",
    OLD + ALICE.replace("alice", ""),
    ['3:8: "name" is "": expected a name without control characters'],
  ],
  [
    "an empty password",
    `${OLD}[[users]]\nname = "alice"\npassword = ""\n`,
    [
      '4:1: "password" is a text of 0 characters: expected a text that is not ' +
      "empty",
    ],
  ],
  [
    "users without a name or a password",
    `${OLD}[[users]]\nname = "a"\n[[users]]\npassword = "hunter2-hunter2"\n`,
    [
      '2:1: a user needs "name" and "password"',
      '4:1: a user needs "name" and "password"',
    ],
  ],
  [
    "users of a stream cipher",
    `method = "rc4-md5"\n${ALICE}${BOB}`,
    [
      '3:8: method rc4-md5 cannot tell users apart ("alice", "bob"): it has ' +
      "no authentication; use aes-256-gcm",
    ],
  ],
  [
    "users of ChaCha of 2022",
    NEW.replace("aes-256-gcm", "chacha20-poly1305") + ALICE_22,
    [
      "4:8: method 2022-blake3-chacha20-poly1305 cannot tell users apart " +
      '("alice"): it has no identity headers; use 2022-blake3-aes-256-gcm',
    ],
  ],
  [
    "a user with a stream cipher of its own",
    `${OLD}${ALICE}method = "aes-256-cfb"\n${BOB}`,
    [
      '3:8: method aes-256-cfb cannot tell users apart ("alice"): it has no ' +
      "authentication; use aes-256-gcm",
    ],
  ],
  [
    "users of two editions",
    `${OLD}${ALICE}${ALICE_22.replace("alice", "bob")}` +
    'method = "2022-blake3-aes-256-gcm"\n',
    [
      '6:8: user "bob" has the method 2022-blake3-aes-256-gcm, which cannot ' +
      "share a port with aes-256-gcm",
    ],
  ],
  [
    "users of 2022 alone at a port of 2017",
    `${OLD}${ALICE_22}method = "2022-blake3-aes-256-gcm"\n`,
    [
      '3:8: user "alice" has the method 2022-blake3-aes-256-gcm, which cannot ' +
      "share a port with aes-256-gcm",
    ],
  ],
  [
    "users of two methods of 2022",
    `${NEW}${BOB_22}[[users]]\nname = "alice"\n` +
    `method = "2022-blake3-aes-128-gcm"\npassword = "${K16}"\n`,
    [
      '7:8: user "alice" has the method 2022-blake3-aes-128-gcm, which ' +
      "cannot share a port with 2022-blake3-aes-256-gcm",
    ],
  ],
  [
    "more users than a line has room for",
    `method = "table"\nusers = [${
      [1, 2, 3, 4, 5, 6, 7].map((i) =>
        `{name = "u${i}", password = "hunter2-hunter2-${i}"}`
      ).join(", ")
    }]\n`,
    [
      '2:18: method table cannot tell users apart ("u1", "u2", "u3", "u4", ' +
      '"u5" and 2 more): it has no authentication; use aes-256-gcm',
    ],
  ],
  [
    "a server behind without its port",
    `${NEW}${ALICE_22}server = "behind.example"\n`,
    [
      '6:10: a user with a server behind this one needs "server" and ' +
      '"server_port"',
    ],
  ],
  [
    "a server behind with a method of 2017",
    `${OLD}${ALICE}server = "behind.example"\nserver_port = 8388\n`,
    [
      '3:8: user "alice" has a "server" behind this one, which is for ' +
      "methods of 2022 alone: remove it",
    ],
  ],
  [
    "users who are all disabled",
    `${OLD}${ALICE}disabled = true\n`,
    [
      "3:8: the server of the outermost keys has no user that is not " +
      "disabled: nobody could use it",
    ],
  ],
  [
    "users of 2022 who are all disabled, who know the key of the server",
    `${NEW}${ALICE_22}disabled = true\n`,
    [
      "4:8: the server of the outermost keys has no user that is not " +
      "disabled: nobody could use it",
    ],
  ],
  [
    "users of 2022 without the key of the server",
    `method = "2022-blake3-aes-256-gcm"\n${ALICE_22}`,
    [
      "2:1: password not specified: with users of 2022-blake3-aes-256-gcm " +
      'it is the key of the server, as "shadowsocks genkey ' +
      '2022-blake3-aes-256-gcm" makes it',
    ],
  ],
  [
    "users of 2022 inside a server without its key",
    `[[servers]]\nmethod = "2022-blake3-aes-256-gcm"\n` +
    `users = [{name = "a", password = "${A32}"}]\n`,
    [
      "3:9: password not specified: with users of 2022-blake3-aes-256-gcm " +
      'it is the key of the server, as "shadowsocks genkey ' +
      '2022-blake3-aes-256-gcm" makes it',
    ],
  ],
  [
    "a user of a port that nothing listens on",
    `${OLD}password = "a nameless one"\n${ALICE}port = 9000\n`,
    [
      '4:8: user "alice" is for port 9000, which no server of this file ' +
      "listens on",
    ],
  ],
  [
    "a user of another port than that of its server",
    `${OLD}[[servers]]\nport = 1\nusers = [{name = "alice", ` +
    'password = "hunter2-hunter2", port = 2}, {name = "bob", ' +
    'password = "hunter2-of-bob-1"}]\n',
    [
      '4:18: user "alice" is for port 2, and stands with servers[0], which ' +
      "listens on 1",
    ],
  ],
  [
    "limits, each by its name, and other keys",
    `${OLD}${ALICE}rate_up = "1 MB/s"\nexpires = 2030-01-01\nemail = "x"\n`,
    [
      '5:1: key "rate_up" in [[users]] is not supported yet, and ignoring it ' +
      "would not be safe: remove it",
      '6:1: key "expires" in [[users]] is not supported yet, and ignoring it ' +
      "would not be safe: remove it",
      '7:1: Unknown key "email" in [[users]]',
    ],
  ],
  [
    "several mistakes at once",
    `${OLD}reject = "close"\nfallback = "h"\n${ALICE}${BOB}`
      .replace("bob", "alice").replace("of-bob-1", "of-alice"),
    [
      '2:10: "reject" is "close": expected one of reset, drain, silent',
      '3:12: "fallback" is "h": expected host:port',
      '8:8: user "alice" is given twice: give each another name',
    ],
  ],
];

for (const [name, text, issues] of REFUSED) {
  Deno.test(`readConfig() refuses ${name}`, async () => {
    const found = await readIssues("-c f.toml", start(text));
    assertEquals(found, issues.map((each) => `f.toml:${each}`));
    for (const each of found) assertEquals(/hunter2|ICEi|\n/.test(each), false);
  });
}

Deno.test("readConfig() says how many users there are when it only checks", async () => {
  const text = `${OLD}server_port = [1, 2]\n${ALICE}disabled = true\n${BOB}`;
  const result = await read("-c f.toml --check", start(text));
  if (result.kind !== "checked") throw new TypeError(JSON.stringify(result));
  const said = result.messages.map((each) => each.text);
  assertEquals(said.at(-1), "2 users, 1 of them disabled");
  assertMatch(said[0]!, /loading config/);
  const none = await read("-c f.toml --check", start(NEW));
  if (none.kind !== "checked") throw new TypeError(JSON.stringify(none));
  assertEquals(none.messages.length, 1);
});

Deno.test("readConfig() refuses a fallback that leads back to a server of the file", async () => {
  const server = (host: string, fallback: string): string =>
    `server = "${host}"\nserver_port = 8388\n${NEW}fallback = "${fallback}"\n`;
  for (
    const [host, fallback] of [
      ["0.0.0.0", "127.0.0.1:8388"],
      ["::", "localhost:8388"],
      ["127.0.0.1", "127.0.0.1:8388"],
    ] as const
  ) {
    const [issue = ""] = await readIssues(
      "-c f.toml",
      start(server(host, fallback)),
    );
    assertMatch(
      issue,
      /^f\.toml:2:\d+: "fallback" of .* is \S+:8388, where a server of this file listens/,
    );
  }
  for (
    const [host, fallback] of [
      ["0.0.0.0", "127.0.0.1:80"],
      ["127.0.0.1", "127.0.0.2:8388"],
    ] as const
  ) {
    await readGood("-c f.toml", start(server(host, fallback)));
  }
});
