/**
 * Variables of the environment in the texts of a file.
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

const ENV = {
  WORD: "a-long-password",
  PORT: "8399",
  HOST: "server.example",
  METHOD: "aes-128-gcm",
  NESTED: "${WORD}",
  VOID: "",
  WRONG: "hunter2-hunter2",
};

function start(text: string, role: Start["role"] = "ssserver"): Start {
  return { role, env: ENV, files: { "f.toml": text } };
}

const PASSWORDS: readonly (readonly [text: string, password: string])[] = [
  ["${WORD}", "a-long-password"],
  ["${WORD}-2", "a-long-password-2"],
  ["1-${WORD}-${PORT}", "1-a-long-password-8399"],
  ["$${WORD}-hunter", "${WORD}-hunter"],
  ["$$${WORD}-hunter", "$${WORD}-hunter"],
  ["$WORD-hunter2", "$WORD-hunter2"],
  ["hunter2-$-{}-$$-hunter", "hunter2-$-{}-$$-hunter"],
  // What a variable holds is not read again.
  ["${NESTED}-hunter2", "${WORD}-hunter2"],
];

for (const [text, password] of PASSWORDS) {
  Deno.test(`readConfig() reads ${text}`, async () => {
    const files = start(`method = "aes-256-gcm"\npassword = "${text}"\n`);
    assertEquals((await readGood("-c f.toml", files)).password, password);
  });
}

Deno.test("readConfig() takes variables in texts of every kind", async () => {
  const text = 'server = ["${HOST}", "b.${HOST}"]\nmethod = "${METHOD}"\n' +
    'server_port = "${PORT}"\npassword = "${WORD}"\n[[locals]]\n' +
    'users = [{name = "of-${HOST}", password = "${WORD}"}]\n';
  const config = await readGood("-c f.toml", start(text, "sslocal"));
  assertEquals(
    config.servers.map(({ host, port, method }) => [host, port, method]),
    [
      ["server.example", 8399, "aes-128-gcm"],
      ["b.server.example", 8399, "aes-128-gcm"],
    ],
  );
  assertEquals(config.locals[0]?.users, [
    { name: "of-server.example", password: "a-long-password" },
  ]);
  const ports = 'method = "aes-128-gcm"\n[port_password]\n1 = "${WORD}"\n';
  const [port] = (await readGood("-c f.toml", start(ports))).servers;
  assertEquals(port?.password, "a-long-password");
});

const REFUSED: readonly (readonly [text: string, issues: readonly string[]])[] =
  [
    [
      'password = "a-${NONE}-b"\n',
      ["1:12: ${NONE} is not set in the environment"],
    ],
    ['password = "${VOID}x"\n', ["1:12: ${VOID} is empty in the environment"]],
    [
      'server = ["::1", "${NONE}"]\npassword = "${WORD}"\n',
      ["1:18: ${NONE} is not set in the environment"],
    ],
    [
      'password = "${hunter2"\n',
      [
        "1:12: expected ${NAME}, a variable of the environment: write $${ for " +
        "the two characters themselves",
      ],
    ],
    [
      '[[users]]\nname = "a"\npassword = "x${NONE}"\n',
      ["3:12: ${NONE} is not set in the environment"],
    ],
    // Once for each variable.
    [
      'password = "${NONE}"\nacl = "/etc/${NONE}"\n',
      ["1:12: ${NONE} is not set in the environment"],
    ],
    // What a variable holds is not shown.
    [
      'mode = "${WRONG}"\npassword = "${WORD}"\n',
      [
        '1:8: "mode" is a text of 15 characters: expected one of tcp_only, ' +
        "tcp_and_udp, udp_only",
      ],
    ],
    [
      'method = "${WRONG}"\npassword = "${WORD}"\n',
      ['1:10: "method" has a value of the environment that is not good here'],
    ],
    [
      'forbidden_ip = "${WRONG}"\npassword = "${WORD}"\n',
      [
        '1:16: "forbidden_ip" has a value of the environment that is not ' +
        "good here",
      ],
    ],
  ];

for (const [text, issues] of REFUSED) {
  Deno.test(`readConfig() refuses ${JSON.stringify(text)}`, async () => {
    const found = await readIssues("-c f.toml", start(text));
    assertEquals(found, issues.map((each) => `f.toml:${each}`));
    assertEquals(found.some((each) => each.includes("hunter2")), false);
  });
}

Deno.test("readConfig() knows secrets in a file from names of variables", async () => {
  const warned = async (entry: string): Promise<boolean> => {
    const text = `method = "aes-256-gcm"\npassword = "\${WORD}"\n${entry}`;
    const found = await readWarnings("-c f.toml", {
      ...start(text, "ssserver"),
      mode: 0o644,
    });
    return found.some((each) => each.includes("chmod 600"));
  };
  const proxy = 'mode = "tcp_only"\noutbound_proxy = ';
  assertEquals(await warned(""), false);
  assertEquals(await warned(`${proxy}"socks5://h:1"\n`), false);
  assertEquals(await warned(`${proxy}["socks5://a:b@h:1"]\n`), true);
  const user = '[[users]]\nname = "a"\npassword = ';
  assertEquals(await warned(`${user}"\${WORD}\${PORT}"\n`), false);
  assertEquals(await warned(`${user}"x\${WORD}"\n`), true);
});
