/**
 * Files of other programs and of other formats are called what they are.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { read, readIssues } from "./_test_fixture.ts";

const LINK = "ss://YWVzLTI1Ni1nY206aHVudGVyMg@192.0.2.1:8388";
const OTHER = ", which is another program: take address, port, method and " +
  "password of the server from it";

/** A path, a text, and the one issue. */
const FOREIGN: readonly (readonly [string, string, string])[] = [
  [
    "a.json",
    '{"log":{},"dns":{},"inbounds":[{"type":"mixed"}],"outbounds":[]}',
    `a.json:1:1: this is a configuration of sing-box${OTHER}`,
  ],
  [
    "a.json",
    '\n{"inbounds":[{"protocol":"socks"}],"outbounds":[]}',
    `a.json:2:1: this is a configuration of Xray or V2Ray${OTHER}`,
  ],
  [
    "a.json",
    '{"mixed-port":7890,"proxies":[],"rules":[]}',
    `a.json:1:1: this is a configuration of Clash${OTHER}`,
  ],
  [
    "a.json",
    '{"run_type":"client","password":["hunter2"]}',
    `a.json:1:1: this is a configuration of Trojan${OTHER}`,
  ],
  [
    "gui-config.json",
    '{"configs":[{"server":"h","password":"hunter2"}],"index":0}',
    `gui-config.json:1:1: this is a configuration of shadowsocks-windows${OTHER}`,
  ],
  [
    "a.json",
    '[{"server":"h","password":"hunter2"}]',
    'a.json:1:1: this is a list: write { "servers": [ … ] } around the ' +
    "servers in it",
  ],
  [
    "a.yaml",
    '# mine\nserver: "hunter2"\nport: 1\n',
    'a.yaml:2:7: this looks like YAML: expected "=" after a key, as TOML ' +
    "has it, or JSON",
  ],
  [
    "a.yml",
    "---\nmixed-port: 7890\nproxies:\n  - name: hunter2\n",
    'a.yml:2:11: this looks like YAML of Clash: expected "=" after a key, ' +
    "as TOML has it, or JSON",
  ],
  [
    "a.json",
    "server: hunter2\n",
    'a.json:1:7: this looks like YAML: expected "=" after a key, as TOML ' +
    "has it, or JSON",
  ],
  [
    "a.conf",
    `${btoa(LINK)}\n`,
    "a.conf:1:1: this looks like Base64, as subscriptions have it: decode " +
    "it first (base64 -d)",
  ],
  [
    "a.conf",
    `${LINK}\n`,
    "a.conf:1:1: this is an ss:// link: give it to --server-url",
  ],
  [
    "a.conf",
    `${LINK}\n${LINK}\n`,
    "a.conf:1:1: this is a list of links: give one ss:// link to --server-url",
  ],
  ["a.conf", "<!DOCTYPE html>", "a.conf:1:1: this is HTML or XML"],
];

for (const [path, text, issue] of FOREIGN) {
  Deno.test(`readConfig() says what ${JSON.stringify(text.slice(0, 24))} in ${path} is`, async () => {
    const files = { [path]: text };
    assertEquals(await readIssues(`-c ${path}`, { role: "sslocal", files }), [
      issue,
    ]);
  });
}

Deno.test("readConfig() takes no TOML for YAML, nor a word for Base64", async () => {
  for (const text of ["a = 1\nserver: x\n", "server", '"a: b" = 1 x']) {
    const [issue = ""] = await readIssues("-c a.toml", {
      files: { "a.toml": text },
    });
    assertEquals(/YAML|Base64/.test(issue), false, issue);
  }
});

Deno.test("readConfig() keeps its warnings when an error follows", async () => {
  const text = '{"locals":[{"local_port":1080}],"keep_alive":15}';
  const result = await read("-c r.json", {
    role: "sslocal",
    files: { "r.json": text },
  });
  const lines = result.kind === "error"
    ? result.messages.map(({ level, text }) => `${level} ${text}`)
    : [];
  assertEquals(lines, [
    "info loading config from r.json",
    'warning r.json:1:33: key "keep_alive" is not supported, ignored',
    "error server addr not specified",
    'info add "server" to r.json, or use -s ADDRESS',
    "error password not specified",
    'info add "password" to r.json, or set SS_PASSWORD in the environment',
  ]);
});

Deno.test("readConfig() calls an empty file empty, without the usage", async () => {
  const texts = ["", " \n", "# a = 1\n", "{}", "// none\n{}"];
  for (const [i, text] of texts.entries()) {
    const path = i < 3 ? "e.toml" : "e.json";
    const result = await read(`-c ${path}`, { files: { [path]: text } });
    assertEquals(
      result.kind === "error" &&
        [result.messages.at(-1)?.text, result.usage, result.exitCode],
      [`config not specified: ${path} holds no settings`, undefined, 2],
    );
  }
  assertEquals(
    await readIssues("-c e.json", { files: { "e.json": "\n" } }),
    ["config not specified: e.json holds no settings"],
  );
});

Deno.test("readConfig() reports every network that is none", async () => {
  const result = await read("-c c.toml", {
    files: {
      "c.toml": 'password = "a-long-password"\nmethod = "aes-256-gcm"\n' +
        'forbidden_ip = "10.0.0.0/33,::1/128,foo"\n',
    },
  });
  assertEquals(
    result.kind === "error" && result.messages.slice(1).map(({ text }) => text),
    [
      "c.toml:3:16: Not a valid CIDR notation: 10.0.0.0/33",
      '"forbidden_ip" takes networks: 10.0.0.0/8, 2001:db8::/32, an address ' +
      "alone, or words such as private and own",
      "c.toml:3:16: Not a valid CIDR notation: foo",
    ],
  );
});

Deno.test("readConfig() guesses what other programs call a key", async () => {
  const text = '{"host":"h","port":1,"cipher":"x","passwd":"hunter2"}';
  assertEquals(
    await readIssues("-c a.json", {
      role: "sslocal",
      files: { "a.json": text },
    }),
    [
      'a.json:1:2: Unknown key "host": did you mean "server"?',
      'a.json:1:13: Unknown key "port": did you mean "server_port"?',
      'a.json:1:22: Unknown key "cipher": did you mean "method"?',
      'a.json:1:35: Unknown key "passwd": did you mean "password"?',
    ],
  );
});

Deno.test("readConfig() refuses a plugin wherever it stands, and an empty one not", async () => {
  const SERVER = '"server":"h","password":"a-long-password",' +
    '"method":"aes-256-gcm"';
  const role = "sslocal";
  const issuesOf = (text: string): Promise<string[]> =>
    readIssues("-c a.json", { role, files: { "a.json": text } });
  for (
    const text of [
      `{${SERVER},"plugin":"v2ray-plugin"}`,
      `{"version":1,"servers":[{"id":"x",${SERVER},"plugin":"obfs-local"}]}`,
    ]
  ) {
    const issues = await issuesOf(text);
    assertEquals(issues.length, 1);
    assertEquals(issues[0]?.includes('key "plugin"'), true);
  }
  const good = await read("-c a.json", {
    role,
    files: { "a.json": `{"servers":[{${SERVER},"plugin":""}]}` },
  });
  assertEquals(good.kind, "config");
});
