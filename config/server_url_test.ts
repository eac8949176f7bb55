/**
 * Tests of `ss://` links on the command line: what is written here and by
 * other programs is read.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { read, readGood, readIssues, serverOf } from "./_test_fixture.ts";
import { ssUrl } from "./format.ts";

const CLIENT = { role: "sslocal" } as const;
const base64 = (text: string): string => btoa(text);
const PAIR = "aes-256-gcm:a-long/password:+@#";

/** Links of one server. */
const LINKS: readonly string[] = [
  `ss://${base64(PAIR)}@192.0.2.1:8389`,
  `ss://${base64(PAIR).replace(/=+$/, "")}@192.0.2.1:8389#Tokio%201`,
  `ss://${encodeURIComponent(base64(PAIR))}@192.0.2.1:8389/?plugin=#a@b`,
  `ss://${base64(`${PAIR}@192.0.2.1:8389`)}#old`,
  `ss://aes-256-gcm:${
    encodeURIComponent(PAIR.slice(PAIR.indexOf(":") + 1))
  }@192.0.2.1:8389`,
];

for (const link of LINKS) {
  Deno.test(`readConfig() takes ${link}`, async () => {
    const server = serverOf({
      host: "192.0.2.1",
      port: 8389,
      password: "a-long/password:+@#",
    });
    for (const line of [link, `--server-url ${link}`]) {
      const config = await readGood(line, CLIENT);
      assertEquals(config.servers, [server]);
    }
  });
}

Deno.test("readConfig() reads the link that ssUrl() writes", async () => {
  const config = await readGood(
    "-s 2001:db8::1 -p 8389 -k äöü-long-password -m chacha20-ietf-poly1305",
    CLIENT,
  );
  assertEquals((await readGood(ssUrl(config), CLIENT)).servers, config.servers);
});

Deno.test("readConfig() lets options after a link win", async () => {
  const config = await readGood(`${LINKS[0]} -p 1 -l 1081`, CLIENT);
  assertEquals([config.servers[0]?.port, config.locals[0]?.port], [1, 1081]);
});

/** Links that are none, and why. */
const BAD: readonly (readonly [string, string])[] = [
  ["ss://", "it does not begin with ss://"],
  [
    "ss://hunter2@h:1",
    "what is before the @ is not method:password, in Base64 or not",
  ],
  ["ss://hunter2", "it has not the form ss://BASE64@host:port"],
  [`ss://${base64(PAIR)}@192.0.2.1`, "it does not end in host:port"],
  [
    `ss://${base64(PAIR)}@192.0.2.1:1/?plugin=obfs-local%3Bhunter2`,
    "the link names a plugin, which is not available in this version: " +
    "without it the server would not understand",
  ],
];

for (const [link, reason] of BAD) {
  Deno.test(`readConfig() refuses ${link}`, async () => {
    const result = await read(`--server-url ${link}`, CLIENT);
    const issues = await readIssues(`--server-url ${link}`, CLIENT);
    assertEquals(issues, [`option --server-url: ${reason}`]);
    assertEquals(
      JSON.stringify(result.kind === "error" && result.messages)
        .includes("hunter2"),
      false,
    );
  });
}

Deno.test("readConfig() takes links for clients alone, and hints at -c", async () => {
  const hint = "argument 1 not recognized: there are options only; a file " +
    "with settings needs -c before it";
  assertEquals(await readIssues(LINKS[0]!), [hint]);
  assertEquals(await readIssues("config.json", CLIENT), [hint]);
});
