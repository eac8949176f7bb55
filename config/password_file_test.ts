/**
 * Passwords in files of their own.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import {
  readGood,
  readIssues,
  readWarnings,
  type Start,
} from "./_test_fixture.ts";
import { configForPort } from "./port_config.ts";
import type { Role } from "./types.ts";

const FILES = {
  "one.txt": "secret of one\r\nanother line\n",
  "two.txt": "\ufeffsecret of two",
  "user.txt": "secret of a user\n",
  "empty.txt": "\nsecret",
  "bytes.txt": "\ufffd\n",
  "big.txt": "x".repeat(70_000),
};

function start(text: string, role: Role = "ssserver", mode = 0o600): Start {
  return {
    role,
    mode,
    files: { ...FILES, "f.toml": `method = "aes-256-gcm"\n${text}` },
  };
}

Deno.test("readConfig() takes passwords from files wherever one may stand", async () => {
  const server = await readGood(
    "-c f.toml",
    start(
      'password_file = "one.txt"\n[[users]]\nname = "a"\n' +
        'password_file = "user.txt"\n[[servers]]\nport = 1\n[[servers]]\n' +
        'port = 2\npassword_file = "two.txt"\n',
    ),
  );
  assertEquals(
    server.servers.map(({ password, users }) => [password, users[0]?.password]),
    [
      ["secret of one", "secret of a user"],
      ["secret of two", "secret of a user"],
    ],
  );
  const client = await readGood(
    "-c f.toml",
    start(
      'server = "h"\npassword_file = "one.txt"\n[[locals]]\nusers = [{name = ' +
        '"a", password_file = "user.txt"}]\n',
      "sslocal",
    ),
  );
  assertEquals(client.servers[0]?.password, "secret of one");
  assertEquals(client.locals[0]?.users[0]?.password, "secret of a user");
});

Deno.test("readConfig() takes -k before password_file, and that before SS_PASSWORD", async () => {
  const text = 'password_file = "one.txt"\n';
  const given = await readGood("-c f.toml -k from-the-options", start(text));
  assertEquals(given.password, "from-the-options");
  const env = { SS_PASSWORD: "from-the-environment" };
  const file = await readGood("-c f.toml", { ...start(text), env });
  assertEquals(file.password, "secret of one");
});

const REFUSED: readonly (readonly [text: string, issues: readonly string[]])[] =
  [
    [
      // Whoever mistakes the key for `password` does not see it in the log.
      'password_file = "hunter2-hunter2"\n',
      ["2:17: Cannot read password file: no such file"],
    ],
    [
      'password = "hunter2-hunter2"\npassword_file = "one.txt"\n',
      ['3:1: "password" and "password_file" are both given: keep one of them'],
    ],
    [
      'password_file = "one.txt"\npassword = "hunter2-hunter2"\n',
      ['2:1: "password" and "password_file" are both given: keep one of them'],
    ],
    [
      'password_file = "empty.txt"\n',
      ["2:17: Cannot read password file: its first line is empty"],
    ],
    [
      'password_file = "bytes.txt"\n',
      ["2:17: Cannot read password file: its first line is not UTF-8"],
    ],
    [
      'password_file = "big.txt"\n',
      [
        "2:17: Cannot read password file: it is larger than 64 KiB, which no " +
        "password is",
      ],
    ],
    [
      'password_file = "hunter2\\thunter2"\n',
      [
        '2:1: "password_file" is a text of 15 characters: expected a name ' +
        "without control characters",
      ],
    ],
    [
      'password_file = "${NONE}/x"\n',
      ["2:17: ${NONE} is not set in the environment"],
    ],
    [
      '[[servers]]\npassword_file = "no.txt"\n[[users]]\nname = "a"\n' +
      'password_file = "no.txt"\n',
      [
        "3:17: Cannot read password file: no such file",
        "6:17: Cannot read password file: no such file",
      ],
    ],
  ];

for (const [text, issues] of REFUSED) {
  Deno.test(`readConfig() refuses ${JSON.stringify(text)}`, async () => {
    const found = await readIssues("-c f.toml", start(text));
    assertEquals([...found].sort(), issues.map((each) => `f.toml:${each}`));
    assertEquals(found.some((each) => each.includes("hunter2")), false);
  });
}

Deno.test("readConfig() judges the key of 2022 in a file at its place", async () => {
  const start: Start = {
    files: {
      "f.toml": 'method = "2022-blake3-aes-128-gcm"\npassword_file = "k"\n',
      k: "hunter2\n",
    },
  };
  assertEquals(await readIssues("-c f.toml", start), [
    "f.toml:2:1: the password of the server of the outermost keys cannot be " +
    "used: it has 5 bytes; 2022-blake3-aes-128-gcm takes base64 of 16 " +
    "bytes, such as `shadowsocks genkey 2022-blake3-aes-128-gcm` makes",
  ]);
});

Deno.test("readConfig() warns of a file of a password that others can read", async () => {
  const text = 'password_file = "one.txt"\n';
  assertEquals(await readWarnings("-c f.toml", start(text)), []);
  // The configuration itself holds no secret.
  assertEquals(
    await readWarnings("-c f.toml", start(text, "ssserver", 0o644)),
    [
      "one.txt holds a password and everybody on this machine can read it; " +
      "use: chmod 600 one.txt",
    ],
  );
});

Deno.test("readConfig() needs no file of a password to stop a daemon", async () => {
  const text = 'password_file = "no.txt"\n';
  const config = await readGood("-c f.toml -d stop", start(text));
  assertEquals(config.daemon, "stop");
});

Deno.test("configForPort() reads no file and no variable for a manager", async () => {
  const base = await readGood("--manager-address h:1 -m aes-256-gcm");
  const result = configForPort(base, {
    server_port: 1,
    password_file: "one.txt",
  });
  assertEquals(
    result.kind === "error" && result.messages.map(({ text }) => text),
    [
      '"password_file" cannot be set for one port, ignored',
      "Cannot add port: password not specified",
    ],
  );
  const literal = configForPort(base, {
    server_port: 1,
    password: "${HOME}-hunter2-hunter2",
  });
  assertEquals(
    literal.kind === "config" && literal.config.password,
    "${HOME}-hunter2-hunter2",
  );
});
